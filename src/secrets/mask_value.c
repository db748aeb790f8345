/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values: how far one extends after its name. Shells, JSON, headers and prose each end a value
 * differently; in doubt more is masked rather than less.
 */
#include "secrets/mask_rules.h"

#include <string.h>

#include "base/cursor.h"
#include "secrets/mask_alphabet.h"
#include "secrets/mask_walk.h"

#define BACKSLASHES_MAX 64 /* before a quote: text quoted six times over */
#define CLOSERS_MAX	8  /* quotes, brackets and backslashes between a name and its value */

static size_t backslashes_before(const struct masker *m, size_t at)
{
	size_t count = 0;

	while (count < at && count < BACKSLASHES_MAX && m->text[at - count - 1] == '\\')
		count++;
	return count;
}

size_t masker_quoted_end(const struct masker *m, size_t at, char quote, size_t backslashes)
{
	for (size_t i = at; i < m->size; i++) {
		size_t before;

		if (m->text[i] != quote)
			continue;
		before = backslashes_before(m, i);
		if (before > i - at)
			before = i - at;
		if (before <= backslashes)
			return i - before;
	}
	return m->size;
}

/* Returns the length of the opening of a quoted value: b", $', N', \"; 0 when it is not quoted. */
static size_t opening_length(const struct masker *m, size_t at)
{
	size_t i = at;

	while (i < m->size && i < at + 2 && m->text[i] && strchr("bBfFrRuUNE$", m->text[i]))
		i++;
	while (i < m->size && i < at + BACKSLASHES_MAX && m->text[i] == '\\')
		i++;
	return i < m->size && is_quote(m->text[i]) ? i + 1 - at : 0;
}

/* Returns the end of a value that ends like a word of a shell or a URL. */
static size_t bare_end(const struct masker *m, size_t at, bool is_item)
{
	for (; at < m->size; at++) {
		char c = m->text[at];

		if (is_space(c) || c == ';' || c == '&' || c == '|' || c == '<' || c == '>')
			break;
		if (is_item && (c == ',' || c == '}' || c == ']'))
			break;
		if (is_quote(c)) /* a"b c"d is one word for a shell */
			at = masker_quoted_end(m, at + 1, c, 0);
	}
	return at < m->size ? at : m->size;
}

static size_t line_end(const struct masker *m, size_t at)
{
	const char *end = memchr(m->text + at, '\n', m->size - at);

	return end ? (size_t)(end - m->text) : m->size;
}

/* Masks [at, end), unless the value is harmless. Returns where to go on. */
static size_t mask_range(struct masker *m, size_t at, size_t end, enum name_kind kind)
{
	if (mask_is_harmless(span_of(m->text + at, end - at), kind))
		masker_put_range(m, at, end);
	else if (end > at)
		masker_put_mask(m);
	return end;
}

/* Returns whether the value goes on after the closing quote before `at`: "a"b, 'a'"b". */
static bool continues_after_quote(const struct masker *m, size_t at)
{
	if (at < m->size && is_quote(m->text[at])) {
		at++; /* an opening quote of more, or the closing one of something around it? */
		return at < m->size && !is_space(m->text[at]) && !strchr(",;:)}]\\", m->text[at]);
	}
	if (at + 1 < m->size && m->text[at] == '\\' && m->text[at + 1] == '\'')
		return true; /* 'it'\''s' */
	return at < m->size && is_word(m->text[at]);
}

static size_t mask_quoted(struct masker *m, size_t at, size_t opened, enum name_kind kind)
{
	size_t start = at + opened, end, after;

	end = masker_quoted_end(m, start, m->text[start - 1], backslashes_before(m, start - 1));
	masker_put_range(m, at, start);
	mask_range(m, start, end, kind);
	after = end;
	while (after < m->size && m->text[after] == '\\')
		after++;
	if (continues_after_quote(m, after + 1)) {
		masker_put_range(m, end, after + 1);
		return mask_range(m, after + 1, bare_end(m, after + 1, false), NAME_SECRET);
	}
	return end;
}

bool mask_is_scheme(struct span word)
{
	static const char *const schemes[] = { "bearer", "basic", "digest", "token", NULL };

	return mask_is_one_of(word, schemes);
}

/* Masks a single value, quoted or not. */
static size_t mask_word(struct masker *m, size_t at, bool is_item, enum name_kind kind)
{
	size_t opened = opening_length(m, at), end, next;

	if (opened)
		return mask_quoted(m, at, opened, kind);
	end = bare_end(m, at, is_item);
	next = masker_skip_blanks(m, end);
	/* `auth=Bearer X`: the value is what comes after the scheme. */
	if (next > end && mask_is_scheme(span_of(m->text + at, end - at))) {
		masker_put_range(m, at, next);
		at = next;
		opened = opening_length(m, at);
		if (opened)
			return mask_quoted(m, at, opened, kind);
		end = bare_end(m, at, is_item);
	}
	return mask_range(m, at, end, kind);
}

size_t mask_value_at(struct masker *m, size_t at, enum name_kind kind)
{
	return mask_word(m, at, false, kind);
}

bool mask_is_option(struct span word)
{
	return (word.size == 2 && word.data[0] == '-' && ascii_is_alnum(word.data[1])) ||
	       (word.size > 2 && span_starts(word, "--") && ascii_is_alnum(word.data[2]));
}

/* ---- names with values ---- */

struct assignment {
	size_t value;	/* position where the value starts */
	char separator; /* '=' or ':' */
	bool is_closed; /* the name stood in quotes or brackets, as "key": does */
	bool is_spaced; /* blanks stand before the value */
};

/* Returns whether an assignment follows the name that ends at `at`. */
static bool find_assignment(const struct masker *m, size_t at, struct assignment *a)
{
	size_t name_end = at, start;

	while (at < m->size && at < name_end + CLOSERS_MAX && m->text[at] != '`' &&
		(is_quote(m->text[at]) || m->text[at] == ']' || m->text[at] == '\\'))
		at++;
	a->is_closed = at > name_end;
	at = start = masker_skip_blanks(m, at);
	while (at < m->size && at < start + 3 &&
		(m->text[at] == '=' || m->text[at] == ':' || (at > start && m->text[at] == '>')))
		at++;
	if (at == start || (at - start >= 2 && m->text[start] == ':' && m->text[start + 1] == ':'))
		return false;
	a->separator = memchr(m->text + start, '=', at - start) ? '=' : ':';
	a->value = masker_skip_blanks(m, at);
	a->is_spaced = a->value > at;
	return true;
}

static struct span word_at(const struct masker *m, size_t at)
{
	return span_of(m->text + at, masker_word_end(m, at, m->size) - at);
}

/* Returns the end of the small letters and `others` that begin at `at`. */
static size_t plain_end(const struct masker *m, size_t at, const char *others)
{
	while (at < m->size && ((m->text[at] >= 'a' && m->text[at] <= 'z') ||
				       (m->text[at] && strchr(others, m->text[at]))))
		at++;
	return at;
}

/* Returns whether a word before a colon is only a noun: "add a password: field to the form". */
static bool is_noun(const struct masker *m, size_t start, size_t at)
{
	static const char *const articles[] = { "a", "an", "the", "each", "every", NULL };
	static const char *const nouns[] = { "argument", "attribute", "box", "column", "entry",
		"field", "flag", "form", "input", "key", "label", "option", "parameter", "prompt",
		"property", "setting", "variable", NULL };
	size_t end = start, from;

	while (end && m->text[end - 1] == ' ')
		end--;
	for (from = end; from && end - from < 8 && is_word(m->text[from - 1]);)
		from--;
	return end < start && mask_is_one_of(span_of(m->text + from, end - from), articles) &&
	       mask_is_one_of(word_at(m, at), nouns) && plain_end(m, at, " ,.'") == line_end(m, at);
}

#define SEARCH_BACK 200

/* Returns whether a word is searched text: grep -rn password: src/auth. */
static bool is_searched(const struct masker *m, size_t start, size_t at)
{
	size_t from = start, end = plain_end(m, at, "/._-*");
	bool is_path =
		memchr(m->text + at, '/', end - at) && (end == m->size || is_space(m->text[end]));

	while (from && start - from < SEARCH_BACK && !strchr(";|&\n", m->text[from - 1]))
		from--;
	for (; is_path && from < start; from++)
		if ((from == 0 || !is_word(m->text[from - 1])) && mask_is_search(word_at(m, from)))
			return true;
	return false;
}

/* Returns whether a word is in a substitution: s/token: x/token: y/. */
static bool is_substitution(const struct masker *m, size_t start, size_t at)
{
	size_t end = plain_end(m, at, "");

	return start && strchr("/|#,@", m->text[start - 1]) && end < m->size && end - at <= 3 &&
	       m->text[end] == m->text[start - 1];
}

/* Masks the value of the name at [start, end), which says "secret". */
static size_t mask_assigned(
	struct masker *m, size_t start, size_t end, const struct assignment *a, enum name_kind kind)
{
	size_t at = a->value, stop = at;

	masker_put_range(m, end, at);
	if (at == m->size) {
		if (m->is_argument && start == 0 && a->separator == ':' && !m->is_search)
			mask_expect(
				m, PENDING_VALUE, NAME_SECRET); /* `Authorization:` and X apart */
		return at;
	}
	if (a->is_closed)
		return mask_word(m, at, true, kind);
	/* 'Authorization: Bearer X' goes as far as the quotes around it. */
	if (start && is_quote(m->text[start - 1]))
		return mask_range(m, at,
			masker_quoted_end(
				m, at, m->text[start - 1], backslashes_before(m, start - 1)),
			kind);
	if (a->separator == ':' && a->is_spaced &&
		(is_substitution(m, start, at) || is_noun(m, start, at) ||
			is_searched(m, start, at)))
		return at;
	/* NAME=a b, --env=NAME=a b: a blank within an argument does not end the value. */
	if (m->is_argument && start < m->first_space)
		return mask_range(m, at, a->separator == ':' ? line_end(m, at) : m->size, kind);
	while (stop < m->size && (is_blank(m->text[stop]) || m->text[stop] >= 'a'))
		stop++;
	if (start && mask_same(span_of(m->text + start, end - start), "auth") &&
		(stop == m->size || m->text[stop] == '\n') && memchr(m->text + at, ' ', stop - at))
		return at; /* Fix auth: retry the login */
	if (a->separator == ':' && !opening_length(m, at))
		return mask_range(m, at, line_end(m, at), kind);
	return mask_word(m, at, false, kind);
}

/* Returns the start of the next item in a list in quotes, after `"--api-key"`; 0: there is none. */
static size_t next_item(const struct masker *m, size_t at)
{
	size_t bound = at + CLOSERS_MAX;

	while (at < m->size && at < bound && (is_quote(m->text[at]) || m->text[at] == '\\'))
		at++;
	at = masker_skip_blanks(m, at);
	if (at >= m->size || m->text[at] != ',')
		return 0;
	at = masker_skip_blanks(m, at + 1);
	return opening_length(m, at) ? at : 0;
}

static bool is_option_at(const struct masker *m, size_t at)
{
	return mask_is_option(span_of(m->text + at, masker_word_end(m, at, m->size) - at));
}

/* Masks the value in `--api-key X`; the name ends at `end`. */
static size_t mask_option_value(struct masker *m, size_t start, size_t end, enum name_kind kind)
{
	size_t at = masker_skip_blanks(m, end), item = next_item(m, end);

	if (end == m->size && start == 0 && m->is_argument)
		mask_expect(m, PENDING_VALUE, kind);
	if (item && m->text[item + opening_length(m, item)] == '=') /* "--key", "=", "X" */
		item = next_item(m, item + opening_length(m, item) + 1);
	if (item && !is_option_at(m, item + opening_length(m, item)))
		at = item;
	else if (at == end || at == m->size || is_option_at(m, at))
		return end;
	masker_put_range(m, end, at);
	return mask_word(m, at, false, kind);
}

/* ---- `Bearer X`, `Basic X` ---- */

/* Returns whether it is base64 of name:password, not prose: a digit, '=', or a capital within. */
static bool is_basic_value(const struct masker *m, size_t at)
{
	for (size_t start = at; at < m->size; at++) {
		char c = m->text[at];

		if (ascii_is_digit(c) || c == '=' || (at > start && ascii_is_upper(c)))
			return true;
		if (!ascii_is_alnum(c) && c != '+' && c != '/')
			break;
	}
	return false;
}

size_t mask_scheme(struct masker *m, size_t start, size_t end)
{
	/* "parse the Bearer prefix" */
	static const char *const nouns[] = { "and", "auth", "authentication", "authorization",
		"challenge", "format", "header", "headers", "in", "is", "keyword", "or", "part",
		"prefix", "scheme", "string", "support", "token", "tokens", "type", NULL };
	struct span name = span_of(m->text + start, end - start);
	size_t at = masker_skip_blanks(m, end);
	bool is_bearer = mask_same(name, "bearer");

	if (!is_bearer && !mask_same(name, "basic"))
		return 0;
	if (end == m->size && start == 0 && m->is_argument && is_bearer)
		mask_expect(m, PENDING_VALUE, NAME_SECRET);
	if (at == end || at == m->size || m->text[at] == ':' || m->text[at] == '=')
		return 0;
	if (is_bearer ? mask_is_one_of(word_at(m, at), nouns) : !is_basic_value(m, at))
		return 0;
	masker_put_range(m, end, at);
	return mask_word(m, at, false, NAME_SECRET);
}

/* ---- free text: "the password for bob is X", "this token -> X" ---- */

#define WORDS_BETWEEN 6

static bool is_link(struct span word)
{
	static const char *const links[] = { "is", "was", "be", "ist", "lautet", "est", NULL };

	return mask_is_one_of(word, links) ||
	       (word.size > 1 && word.data[word.size - 1] == ':' && ascii_is_alnum(word.data[0]));
}

bool mask_is_odd(struct span word)
{
	for (size_t i = 0; i < word.size; i++)
		if (!ascii_is_alnum(word.data[i]) || ascii_is_digit(word.data[i]) ||
			(i && ascii_is_upper(word.data[i])))
			return true;
	return false;
}

/* Returns whether a word is a secret, and no word of the sentence. */
static bool is_secret_word(struct span word, bool is_password, bool is_end)
{
	static const char *const states[] = { "wrong", "required", "empty", "missing", "expired",
		"invalid", "incorrect", "correct", "hidden", "visible", "stored", "changed", "set",
		"unset", "reset", "known", "unknown", "weak", "strong", "here", "there", "valid",
		"needed", "optional", "hashed", "encrypted", "rotated", "leaked", "safe", "null",
		NULL };

	if (mask_is_odd(word))
		return word.size >= (is_password ? 4 : 6) && !strchr("$-", word.data[0]);
	return is_password && is_end && word.size > 3 && !mask_is_one_of(word, states);
}

static size_t mask_secret_words(struct masker *m, size_t start, size_t end)
{
	bool is_password = mask_contains(span_of(m->text + start, end - start), "pass");
	bool is_linked = false;
	size_t at = end;

	for (unsigned i = 0; i < WORDS_BETWEEN; i++) {
		size_t from = masker_skip_blanks(m, at), opened = opening_length(m, from), word_end;
		struct span word;

		if (from == at || from == m->size)
			break;
		if (m->size - from > 2 && strchr("-=", m->text[from]) && m->text[from + 1] == '>') {
			is_linked = true;
			at = from + 2;
			continue;
		}
		at = word_end =
			opened ? masker_quoted_end(m, from + opened, m->text[from + opened - 1], 0)
			       : bare_end(m, from, false);
		while (!opened && word_end > from && strchr(".,;!?)", m->text[word_end - 1]))
			word_end--;
		word = span_of(m->text + from + opened, word_end - from - opened);
		if ((is_linked || (!i && (is_password ||
						 (word.size > 8 && mask_looks_random(word, LOWER) &&
							 mask_looks_random(word, ALNUM))))) &&
			((is_linked && is_password) || !memchr(word.data, ' ', word.size)) &&
			is_secret_word(
				word, is_password, is_linked && (at == m->size || word_end < at))) {
			masker_put_range(m, end, from + opened);
			masker_put_mask(m);
			return word_end;
		}
		if (is_linked || word_end < at || opened)
			break;
		is_linked = is_link(word) || /* set PGPASSWORD to X */
			    (!i && ascii_is_upper(m->text[end - 1]) && mask_same(word, "to"));
	}
	return end;
}

#define ATTRIBUTES_MAX 64
#define ELEMENT_MAX    4096

/* Masks X in <password>X</password>; but <key>name</key> of a property list is a name. */
static size_t mask_element(struct masker *m, size_t start, size_t end, enum name_kind kind)
{
	size_t at = end, most;
	struct span name;
	const char *stop;

	while (start && (is_word(m->text[start - 1]) || m->text[start - 1] == ':'))
		start--; /* <x:password> */
	name = span_of(m->text + start, end - start);
	if (!start || m->text[start - 1] != '<' || mask_same(name, "key"))
		return 0;
	while (at < m->size && at < end + ATTRIBUTES_MAX && m->text[at] != '>')
		at++;
	if (at >= m->size || m->text[at] != '>' || m->text[at - 1] == '/' ||
		mask_file_name_kind(span_of(m->text + end, at - end)))
		return 0;
	most = m->size - at < ELEMENT_MAX ? m->size - at : ELEMENT_MAX;
	stop = memmem(m->text + at, most, "</", 2);
	if (!stop || (size_t)(stop + 2 - m->text) + name.size > m->size ||
		memcmp(stop + 2, name.data, name.size) != 0)
		return 0;
	masker_put_range(m, end, at + 1);
	return mask_range(m, at + 1, (size_t)(stop - m->text), kind);
}

size_t mask_named(struct masker *m, size_t start, size_t end, enum name_kind kind)
{
	struct assignment assignment;
	size_t next = mask_element(m, start, end, kind);

	if (next)
		return next;
	if (find_assignment(m, end, &assignment)) {
		/* -v /etc/auth:/auth is a path, not a name with a value. */
		if (assignment.separator == ':' && !assignment.is_spaced && start &&
			m->text[start - 1] == '/')
			return end;
		return mask_assigned(m, start, end, &assignment, kind);
	}
	if (m->text[start] == '-' && !mask_name_is_switch(span_of(m->text + start, end - start)))
		return mask_option_value(m, start, end, kind);
	return kind >= NAME_MODE && m->text[start] != '-' ? mask_secret_words(m, start, end) : end;
}
