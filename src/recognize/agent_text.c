/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parses a text about an agent, line by line: its words, and the checks that need all lines. All
 * texts of the agent are in one piece of memory, whose size is computed first.
 */
#include "recognize/agent_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "recognize/agent_text_parts.h"

#define VALUE_MAX 120 /* bytes of a word; programs.c searches for longer texts */

/* --- words --- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes one word, without its quotes; NULL: a quote is not closed. */
static const char *take_word(struct agent_parser *p, struct cursor *c)
{
	char *word = p->t->strings + p->used;
	bool is_quoted = false;

	for (; !cursor_at_end(c); c->at++) {
		char at = (char)*c->at;

		if (!is_quoted && is_blank(at))
			break;
		if (at == '"') {
			is_quoted = !is_quoted;
			continue;
		}
		if (is_quoted && at == '\\' && cursor_left(c) > 1 && strchr("\"\\", c->at[1]))
			at = (char)*++c->at;
		p->t->strings[p->used++] = at;
	}
	p->t->strings[p->used++] = '\0';
	return is_quoted ? NULL : word;
}

/* Splits a line into words. A # at the begin of a word begins a comment; *end is before that. */
static int split_line(struct agent_parser *p, struct span line, size_t *end)
{
	struct cursor c = cursor_over(line.data, line.size);

	p->word_count = 0;
	for (*end = 0;; *end = (size_t)((const char *)c.at - line.data)) {
		const char *word;

		cursor_blanks(&c);
		if (cursor_at_end(&c) || *c.at == '#')
			return 0;
		if (p->word_count == AGENT_WORDS_MAX)
			return agent_text_wrong(p, "put text with blanks in \"\"",
				"a line has at most %d words", AGENT_WORDS_MAX);
		word = take_word(p, &c);
		if (!word)
			return agent_text_wrong(
				p, "add the closing \" on the same line", "a \" is not closed");
		if (strlen(word) > VALUE_MAX)
			return agent_text_wrong(
				p, "use fewer words", "a word is longer than %d bytes", VALUE_MAX);
		p->words[p->word_count++] = word;
	}
}

static bool has_control_character(struct span line)
{
	for (size_t i = 0; i < line.size; i++) {
		unsigned char c = (unsigned char)line.data[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

static int take_line(struct agent_parser *p, struct span line)
{
	struct agent_text *t = p->t;
	size_t end;
	int status;

	if (line.size && line.data[line.size - 1] == '\r')
		line.size--;
	if (has_control_character(line))
		return agent_text_wrong(
			p, "write plain text, in UTF-8", "the text contains a control character");
	status = split_line(p, line, &end);
	if (status)
		return status;
	memcpy(t->text + t->text_size, line.data, end);
	t->text_size += end;
	t->text[t->text_size++] = '\n';
	return p->word_count ? agent_text_key(p) : 0;
}

/* --- the whole --- */

/* Checks that an agent's file keys fit together. Without a session file, the keys are those of the
 * first line of the log, and the log is identified by its start time. */
static int check_files(struct agent_parser *p)
{
	const struct agent_files *f = &p->t->agent.files;
	bool has_key = f->session_key || f->status_key || f->start_key || f->version_key ||
		       f->changed_key || f->waiting_key;
	bool is_of_project = f->log && strstr(f->log, AGENT_PROJECT);

	if (f->session_file && !f->session_key)
		return agent_text_wrong(p, "add session-key",
			"session-file without session-key: the member with the id is missing");
	if (has_key && !f->session_file && !f->log)
		return agent_text_wrong(p, "add session-file, or log",
			"keys without a file: session-file or log is missing");
	if (has_key && !f->session_file && (!f->session_key || !f->start_key))
		return agent_text_wrong(p, "add session-key and start-key, or session-file",
			"log needs keys for the id and the time in its first line");
	if (f->log_kind && !f->log)
		return agent_text_wrong(p, "add log", "log-kind without log");
	if (is_of_project && !f->project_file)
		return agent_text_wrong(
			p, "add project-file", "a log with " AGENT_PROJECT " needs project-file");
	if (f->project_file && !is_of_project)
		return agent_text_wrong(p, "write log logs/" AGENT_PROJECT "/{session}.jsonl",
			"project-file needs a log with " AGENT_PROJECT);
	if (!f->home && (f->home_variable || f->session_file || f->open_file || f->log))
		return agent_text_wrong(p, "add home", "files without a home folder");
	return 0;
}

/* Checks rules that concern several lines. */
static int check_rules(struct agent_parser *p)
{
	struct agent *a = &p->t->agent;

	p->line = 0;
	if (!a->name)
		return agent_text_wrong(p, "add a line: name mine", "the name is missing");
	if (!agent_rule_count(a))
		return agent_text_wrong(p, "add a line such as: below opt/mine",
			"no rule: it would match no process");
	if (!a->title)
		a->title = a->name;
	return check_files(p);
}

/* Allocates the texts. Words are never longer than their lines; each rule also has a reason. */
static struct agent_text *new_text(const char *path, size_t size)
{
	struct span file = path_base(span_of(path, strlen(path)));
	struct agent_text *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->file = strndup(
		file.data, file.size < AGENT_FILE_NAME_MAX ? file.size : AGENT_FILE_NAME_MAX);
	t->text = malloc(size + 2);
	t->strings = malloc(size + 2 + (size_t)AGENT_RULES_MAX * AGENT_WHY_SIZE);
	if (t->file && t->text && t->strings)
		return t;
	agent_text_free(t);
	return NULL;
}

int agent_text_parse(struct agent_text **out, const char *path, const char *text, size_t size,
	struct sooth_error *err)
{
	struct agent_parser p = { .path = path, .err = err };
	struct cursor c = cursor_over(text, size);
	int status = 0;

	if (size > AGENT_TEXT_BYTES_MAX)
		return agent_text_wrong(&p, "remove text that does not describe the agent",
			"the text is longer than %d bytes", AGENT_TEXT_BYTES_MAX);
	p.t = new_text(path, size);
	if (!p.t)
		return error_no_memory(err);
	while (!status && !cursor_at_end(&c)) {
		p.line++;
		status = take_line(&p, cursor_line(&c));
	}
	if (!status)
		status = check_rules(&p);
	if (status)
		agent_text_free(p.t);
	else
		*out = p.t;
	return status;
}

void agent_text_free(struct agent_text *t)
{
	if (!t)
		return;
	free(t->file);
	free(t->text);
	free(t->strings);
	free(t);
}
