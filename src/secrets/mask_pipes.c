/* SPDX-License-Identifier: BSD-2-Clause */
/* Quotes are only marks here: the script may itself be quoted. The content of a file or a variable
 * is not in the text, so their names stay. */
#include "secrets/mask_pipes.h"

#include <string.h>

#include "secrets/mask_walk.h"

#define WRITERS_BACK 512 /* characters before a pipe that are searched for its echo */

static struct span word_at(struct span text, size_t *at)
{
	size_t start;

	while (*at < text.size && (is_space(text.data[*at]) || is_quote(text.data[*at])))
		(*at)++;
	start = *at;
	while (*at < text.size && !is_space(text.data[*at]) && !is_quote(text.data[*at]) &&
		text.data[*at] != ')')
		(*at)++;
	return span_of(text.data + start, *at - start);
}

static bool is_stdin_option(struct span word, struct span before)
{
	static const char *const options[] = { "--with-token", "--passphrase-fd", NULL };

	return mask_is_one_of(word, options) ||
	       (span_starts(word, "--") && span_ends(word, "stdin") && mask_file_name_kind(word)) ||
	       (span_starts(before, "-pass") && span_equal(word, "stdin"));
}

static bool ends_command(char c)
{
	return c == '|' || c == ';' || c == '&' || c == '\n' || c == '<';
}

/* Returns whether a file holds only passwords, though the words of its name do not say so. */
static bool holds_passwords(struct span name)
{
	return memmem(name.data, name.size, "pgpass", 6) != NULL;
}

/* Returns whether a command reads a secret from its standard input. */
static bool reads_secret(struct span command)
{
	static const char *const always[] = { "kinit", "su", "cryptsetup", "newusers", NULL };
	static const char *const with_secrets[] = { "gh", "docker", "podman", "wrangler", "fly",
		"flyctl", "vercel", "npx", NULL };
	static const char *const subcommands[] = { "secret", "secrets", NULL };
	struct span program = { "", 0 }, before = program;
	bool is_sudo = false;

	if (memchr(command.data, '>', command.size) && holds_passwords(command))
		return true;
	for (size_t at = 0; at < command.size;) {
		struct span word = word_at(command, &at);
		bool is_short = word.size > 1 && word.data[0] == '-' && word.data[1] != '-';

		if (!word.size) {
			at++;
		} else if (is_stdin_option(word, before) ||
			   (is_sudo && !program.size &&
				   (span_equal(word, "--stdin") ||
					   (is_short && memchr(word.data, 'S', word.size))))) {
			return true;
		} else if (span_ends(word, "sudo") || ends_command(word.data[word.size - 1])) {
			is_sudo = span_ends(word, "sudo");
			program.size = 0;
		} else if (!program.size && word.data[0] != '-' && !span_equal(before, "-u")) {
			program = word;
			if (mask_is_one_of(program, always) || span_ends(program, "passwd"))
				return true;
		} else if ((mask_is_one_of(program, with_secrets) &&
				   mask_is_one_of(word, subcommands)) ||
			   (span_equal(program, "tee") &&
				   (mask_file_name_kind(word) || holds_passwords(word))) ||
			   (span_equal(program, "vault") && span_equal(word, "login"))) {
			return true;
		}
		before = word;
	}
	return false;
}

static struct span command_at(struct span text, size_t at, bool is_line)
{
	size_t end = at;

	while (end < text.size && end < at + WRITERS_BACK &&
		!(is_line ? text.data[end] == '\n' : ends_command(text.data[end])))
		end++;
	return span_of(text.data + at, end - at);
}

/* Returns the position after the last command in [from, at) that writes its arguments, such as
 * echo; `at`: there is no such command. */
static size_t writer_end(struct span text, size_t from, size_t at)
{
	static const char *const writers[] = { "echo", "printf", "print", "yes", NULL };

	for (size_t start = at; start-- > from;) {
		size_t end = start;

		if (start && is_word(text.data[start - 1]))
			continue;
		while (end < at && is_word(text.data[end]))
			end++;
		if (mask_is_one_of(span_of(text.data + start, end - start), writers))
			return end;
	}
	return at;
}

/* Returns the end of the command whose words begin at `from`, or `at`. */
static size_t written_to(struct span text, size_t from, size_t at)
{
	char quote = 0;

	for (size_t i = from; i < at; i++) {
		if (is_quote(text.data[i]) && (!quote || quote == text.data[i]))
			quote = quote ? 0 : text.data[i];
		else if (!quote && ends_command(text.data[i]) && text.data[i] != '|')
			return i;
	}
	return at;
}

/* Returns the begin of the group that ends before `at`: ( … ) or { …; }. `at`: there is none. */
static size_t group_from(struct span text, size_t at)
{
	size_t least = at > WRITERS_BACK ? at - WRITERS_BACK : 0, end = at;
	unsigned depth = 0;
	char close;

	while (end > least && is_space(text.data[end - 1]))
		end--;
	if (end == least || !strchr(")}", text.data[end - 1]))
		return at;
	close = text.data[end - 1];
	for (size_t i = end; i-- > least;) {
		depth += text.data[i] == close;
		depth -= text.data[i] == (close == ')' ? '(' : '{');
		if (!depth)
			return i && text.data[i - 1] == '$' ? at : i + 1;
	}
	return at;
}

/* Returns the begin of the words that an echo writes into the pipe at `at`; `at` if none does. */
static size_t written_from(struct span text, size_t at)
{
	size_t least = at > WRITERS_BACK ? at - WRITERS_BACK : 0;
	size_t group = group_from(text, at), from = writer_end(text, least, at);

	if (group < at)
		return writer_end(text, group, at) < at ? group : at;
	return written_to(text, from, at) == at ? from : at;
}

/* Masks the words of [from, to), except options, a format and variables. */
static void mask_words(struct masker *m, size_t from, size_t to)
{
	size_t done = from;

	for (size_t at = from; at < to;) {
		char c = m->text[at], quote = is_quote(c) ? c : 0;
		size_t start = at + (quote != 0), end = start;

		if (is_blank(c) || c == '|') {
			if (c == '|') /* a command in between follows */
				break;
			at++;
			continue;
		}
		end = quote ? masker_quoted_end(m, start, quote, 0) : start;
		while (!quote && end < to && !is_space(m->text[end]) && m->text[end] != '|')
			end++;
		end = end < to ? end : to;
		if (end > start && m->text[start] != '-' && m->text[start] != '$' &&
			m->text[start] != '%') {
			masker_put_range(m, done, start);
			masker_put_mask(m);
			done = end;
		}
		at = end + 1;
	}
	masker_put_range(m, done, to);
}

/* Masks the words that each echo in [from, to) writes; the first echo may have begun before
 * `from`. */
static void mask_written(struct masker *m, size_t from, size_t to)
{
	struct span text = span_of(m->text, m->size);
	size_t done = from;

	if (group_from(text, to) != from) {
		mask_words(m, from, to);
		return;
	}
	while (from < to) {
		size_t end = written_to(text, from, to - 1), begin = writer_end(text, from, end);

		if (begin < end) {
			masker_put_range(m, done, begin);
			mask_words(m, begin, end);
			done = end;
		}
		from = end + 1;
	}
	masker_put_range(m, done, to);
}

/* Returns whether the bracket before `at` is a secret's value: --password-file <(echo X). */
static bool is_substituted(struct span text, size_t at)
{
	size_t least = at > WRITERS_BACK ? at - WRITERS_BACK : 0, end, start;

	for (end = at; end > least + 1 && text.data[end - 1] != ')' &&
		       memcmp(text.data + end - 2, "<(", 2) != 0;)
		end--;
	if (end <= least + 1 || text.data[end - 1] == ')')
		return false;
	for (end -= 2; end > least && (is_blank(text.data[end - 1]) || text.data[end - 1] == '=');)
		end--;
	for (start = end; start > least && is_word(text.data[start - 1]);)
		start--;
	return mask_file_name_kind(span_of(text.data + start, end - start)) != NAME_PLAIN;
}

/* Masks `<<< X`, or `<<WORD` and lines up to WORD, at `at`. Returns where to go on. */
static size_t mask_here(struct masker *m, size_t at)
{
	struct span text = span_of(m->text, m->size), tag;
	size_t from = at + 2, end;
	const char *line;

	if (from < m->size && m->text[from] == '<') {
		end = from + 1;
		tag = word_at(text, &end);
		masker_put_range(m, at, from + 1);
		mask_words(m, from + 1, end);
		return end;
	}
	from += from < m->size && m->text[from] == '-';
	tag = word_at(text, &from);
	line = memchr(m->text + from, '\n', m->size - from);
	if (!line || !tag.size)
		return at;
	end = (size_t)(line - m->text) + 1;
	line = memmem(m->text + end, m->size - end, tag.data, tag.size);
	masker_put_range(m, at, end);
	masker_put_mask(m);
	masker_put(m, "\n", 1);
	return line ? (size_t)(line - m->text) : m->size;
}

void mask_pipes(struct buffer *text)
{
	struct span all = span_of(buffer_cstr(text), text->size);
	struct buffer out = { 0 };
	struct masker m = { .out = &out, .text = all.data, .size = all.size, .room = SIZE_MAX };
	size_t done = 0, command = 0;

	for (size_t at = 0; at < all.size; at++) {
		char c = all.data[at], before = at ? all.data[at - 1] : ' ';

		if ((c == '|' && all.data[at + 1] != '|' && before != '|' &&
			    reads_secret(command_at(all, at + 1, false))) ||
			(c == ')' && (is_substituted(all, at) ||
					     reads_secret(command_at(all, command, false)))) ||
			(c == '>' && !strchr("-=>", before) && written_from(all, at) < at &&
				(mask_file_name_kind(command_at(all, at, false)) ||
					holds_passwords(command_at(all, at, false))))) {
			size_t from = written_from(all, at);

			masker_put_range(&m, done, from > done ? from : done);
			mask_written(&m, from > done ? from : done, at);
			done = at;
		} else if (c == '<' && all.data[at + 1] == '<' &&
			   (reads_secret(command_at(all, command, false)) ||
				   reads_secret(command_at(all, at + 3, true)))) {
			masker_put_range(&m, done, at);
			done = mask_here(&m, at);
			at = done > at ? done - 1 : at + 1;
		}
		if (ends_command(c) && c != '<')
			command = at + 1;
	}
	masker_put_range(&m, done, all.size);
	if (done && !buffer_failed(&out)) {
		buffer_reset(text);
		buffer_append(text, out.data, out.size);
	}
	text->failed |= buffer_failed(&out);
	buffer_fini(&out);
}
