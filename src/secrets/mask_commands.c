/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks the words of a command, in arguments or in a text: a line, a script, a list in quotes. It
 * reads the text that mask.c has masked by name and shape, so it only masks more. Quotes are only
 * marks: the quoted text may be a script of its own, and a value ends at its own quotes.
 */
#include "secrets/mask_commands.h"

#include <string.h>

#include "secrets/mask_programs.h"

#define QUOTES_MAX 8 /* nesting depth */

struct quote {
	char quote;
	size_t backslashes;
};

struct words {
	struct masker *m;
	size_t done; /* written up to this position */
	struct command command;
	struct quote open[QUOTES_MAX];
	unsigned depth;
	unsigned command_depth; /* quotes around the program: a ';' inside more is its data */
};

static void put_secret(struct words *w, enum secret_part part, size_t start, size_t end)
{
	struct span secret = secret_part_of(part, span_of(w->m->text + start, end - start));
	size_t at = (size_t)(secret.data - w->m->text);

	if (!secret.size)
		return;
	masker_put_range(w->m, w->done, at);
	masker_put_mask(w->m);
	w->done = at + secret.size;
}

/* ---- words of a text ---- */

/* Returns the length of the quote at `at` with the backslashes before it; 0: none. */
static size_t quote_size(const struct words *w, size_t at, struct quote *q)
{
	size_t end = at;

	if (at < w->m->size && is_word(w->m->text[at])) /* most are */
		return 0;
	while (end < w->m->size && end < at + 16 && w->m->text[end] == '\\')
		end++;
	if (end == w->m->size || !is_quote(w->m->text[end]))
		return 0;
	*q = (struct quote){ w->m->text[end], end - at };
	return end + 1 - at;
}

static bool is_closing_quote(const struct words *w, struct quote q)
{
	return w->depth && w->open[w->depth - 1].quote == q.quote &&
	       q.backslashes <= w->open[w->depth - 1].backslashes;
}

static bool is_text_end(const struct words *w, size_t at)
{
	return at >= w->m->size || is_space(w->m->text[at]);
}

/* Returns the end of a value without quotes around it; quotes within belong to the value. */
static size_t bare_end(const struct words *w, size_t at)
{
	while (at < w->m->size) {
		char c = w->m->text[at];
		struct quote q;
		size_t size = quote_size(w, at, &q);

		if (size && is_closing_quote(w, q))
			break;
		if (size) {
			at = masker_quoted_end(w->m, at + size, q.quote, q.backslashes) + size;
			continue;
		}
		if (is_space(c) || (strchr(";|&)", c) && is_text_end(w, at + 1)))
			break;
		at += c == '\\' && at + 1 < w->m->size && w->m->text[at + 1] != '\n' ? 2 : 1;
	}
	return at < w->m->size ? at : w->m->size;
}

/* Masks a value that begins at `at`. Returns where to go on. */
static size_t mask_value(struct words *w, enum secret_part part, size_t at)
{
	struct quote q;
	size_t size = quote_size(w, at, &q), start = at + size, end, after;

	if (!size || is_closing_quote(w, q)) {
		end = bare_end(w, at);
		put_secret(w, part, at, end);
		return end;
	}
	end = masker_quoted_end(w->m, start, q.quote, q.backslashes);
	after = end + size;
	if (after < w->m->size && (is_word(w->m->text[after]) || is_quote(w->m->text[after]))) {
		size = quote_size(w, after, &q);
		if (!size || !is_closing_quote(w, q))
			end = after = bare_end(w, after); /* 'a'"b"c */
	}
	put_secret(w, part, start, end);
	return after < w->m->size ? after : w->m->size;
}

static bool ends_word(const struct words *w, size_t at)
{
	struct quote q;

	if (is_word(w->m->text[at]))
		return false;
	return is_space(w->m->text[at]) || strchr(";|&()[]{}<>,", w->m->text[at]) ||
	       quote_size(w, at, &q);
}

static size_t walk_word(struct words *w, size_t start, bool is_quoted)
{
	const char *text = w->m->text;
	size_t end = start + 1, value = 0;
	enum secret_part part;
	struct span word;
	struct quote q;
	bool has_more;

	while (end < w->m->size && !ends_word(w, end))
		end++;
	word = span_of(text + start, end - start);
	if (text[start] != '-') {
		if (!w->command.seen)
			w->command_depth = w->depth;
		part = command_position(&w->command);
		command_word(&w->command, word);
		if (part && (w->command.is_first || (word.size >= 6 && mask_is_odd(word))))
			return mask_value(w, part, start);
		value = command_assignment(&w->command, word);
		return value ? mask_value(w, PART_WHOLE, start + value) : end;
	}
	has_more = end < w->m->size && quote_size(w, end, &q) && !is_closing_quote(w, q);
	part = command_option(&w->command, word, has_more, &value);
	if (part == PART_NONE)
		return end;
	if (!is_quoted)
		return mask_value(w, part, start + value);
	/* '-uname:a b': the value ends at the closing quote */
	q = w->open[w->depth - 1];
	end = masker_quoted_end(w->m, start + value, q.quote, q.backslashes);
	put_secret(w, part, start + value, end);
	return end;
}

/* Handles a quote where a word may begin. Returns where to go on. */
static size_t walk_quote(struct words *w, size_t at, size_t size, struct quote q)
{
	const char *text = w->m->text;
	bool is_apostrophe = q.quote == '\'' && size == 1 && at && at + 1 < w->m->size &&
			     ascii_is_alnum(text[at - 1]) && ascii_is_alnum(text[at + 1]);

	if (is_closing_quote(w, q))
		w->depth--;
	else if (!is_apostrophe && w->depth < QUOTES_MAX)
		w->open[w->depth++] = q;
	return at + size;
}

/* Returns whether another command begins after the character at `at`. */
static bool is_separator(const struct words *w, size_t at)
{
	char c = w->m->text[at], before = at ? w->m->text[at - 1] : ' ';

	if (w->depth > w->command_depth)
		return false;
	if (c == '\n')
		return before != '\\' && before != ',';
	return strchr(";|&", c) && c &&
	       (is_space(before) || is_text_end(w, at + 1) || w->m->text[at + 1] == c);
}

static bool awaits_value(const struct words *w, size_t at)
{
	const struct command *c = &w->command;
	size_t end = at;

	if (c->pending == PART_NONE && !c->skips)
		return false;
	while (end < w->m->size && end < at + 3 && !ends_word(w, end))
		end++;
	return !mask_is_option(span_of(w->m->text + at, end - at));
}

static size_t walk_value(struct words *w, size_t at)
{
	enum secret_part part = w->command.pending;
	size_t end = at + 1;

	while (end < w->m->size && !ends_word(w, end))
		end++;
	w->command.pending = part > PART_WHOLE ? part - 1 : PART_NONE;
	w->command.skips = false;
	if (w->m->text[at] != '-' && !is_quote(w->m->text[at]))
		command_word(&w->command, span_of(w->m->text + at, end - at));
	end = mask_value(w, part, at);
	return end > at ? end : at + 1;
}

static size_t walk_step(struct words *w, size_t at, bool is_quoted)
{
	char c = w->m->text[at];

	if (is_space(c) || (c == '\\' && is_text_end(w, at + 1)) || strchr(";|&", c)) {
		if (is_separator(w, at))
			w->command = (struct command){ 0 };
		return at + 1;
	}
	if (strchr("()<>$", c) && !is_quote(w->m->text[at + (at + 1 < w->m->size)]))
		w->command.position = 0; /* a file or a variable: no secret in the text */
	if (c == ',' || c == '$')
		return at + 1;
	if (awaits_value(w, at))
		return walk_value(w, at);
	if (strchr("()[]{}<>:=", c))
		return at + 1;
	return walk_word(w, at, is_quoted);
}

static void walk_text(struct masker *m)
{
	struct words w = { .m = m };
	size_t at = 0;
	bool is_quoted = false;

	while (at < m->size) {
		struct quote q;
		size_t size = quote_size(&w, at, &q);

		if (size && (is_closing_quote(&w, q) || !awaits_value(&w, at))) {
			unsigned depth = w.depth;

			at = walk_quote(&w, at, size, q);
			is_quoted = w.depth > depth;
			continue;
		}
		at = walk_step(&w, at, is_quoted);
		is_quoted = false;
	}
	masker_put_range(m, w.done, m->size);
}

/* ---- arguments ---- */

bool mask_has_words(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (is_blank(text[i]) || text[i] == ',' || !text[i])
			return true;
	return false;
}

void mask_command_text(struct masker *m, const char *text, size_t size)
{
	m->text = text;
	m->size = size;
	if (mask_has_words(text, size))
		walk_text(m);
	else
		masker_put(m, text, size);
}

void mask_command_argument(struct masker *m, struct command *command, const char *text, size_t size)
{
	struct words w = { .m = m, .command = *command };
	struct span word = span_of(text, size);
	enum secret_part part = PART_NONE;
	bool is_value = !mask_is_option(word) && (command->skips || command->pending);
	size_t value = 0, assigned = 0;

	m->text = text;
	m->size = size;
	if (is_value && span_equal(word, "=")) { /* `-u = name:X` */
		masker_put(m, text, size);
		return;
	}
	if (is_value)
		part = command->pending;
	w.command.pending = part > PART_WHOLE ? part - 1 : PART_NONE;
	w.command.skips = false;
	if (!is_value && size && text[0] == '-')
		part = command_option(&w.command, word, false, &value);
	else if (!is_value)
		part = command_position(&w.command);
	if ((is_value || !size || text[0] != '-') && !mask_has_words(text, size))
		command_word(&w.command, word);
	if (!is_value && size && text[0] != '-')
		assigned = command_assignment(&w.command, word);
	if (assigned) {
		part = PART_WHOLE;
		value = assigned;
	}
	*command = w.command;
	if (part == PART_NONE && !is_value) {
		mask_command_text(m, text, size);
		return;
	}
	put_secret(&w, part, value, size);
	masker_put_range(m, w.done, size);
}
