/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/self_match.h"

#include <assert.h>
#include <string.h>

#include "analyze/diagnosis/starts.h"
#include "base/cursor.h"

#define PATTERN_LEAST 3
#define SEARCHES      "pgrep "

static struct span arguments_of(const struct process_entry *p)
{
	if (!p->process || p->process->arguments_state > SOOTH_STATE_TRUNCATED)
		return span_of("", 0);
	return record_text(&p->process->record, &p->process->arguments);
}

/* The text of `sh -c`; empty: there is none. */
static struct span script_of(const struct process_entry *p)
{
	struct span all = arguments_of(p);
	struct cursor c = cursor_over(all.data, all.size);

	cursor_until(&c, '\0');
	while (!cursor_at_end(&c)) {
		struct span argument = cursor_until(&c, '\0');

		if (argument.size < 2 || argument.data[0] != '-')
			break;
		if (span_ends(argument, "c"))
			return cursor_until(&c, '\0');
	}
	return span_of("", 0);
}

static size_t find(struct span s, const char *needle, size_t from)
{
	size_t size = strlen(needle);

	for (size_t i = from; i + size <= s.size; i++) {
		if (!memcmp(s.data + i, needle, size))
			return i;
	}
	return s.size;
}

/* Before the search stands `while`, or `until !`: the loop ends when nothing matches. */
static bool waits_for_end(struct span before)
{
	size_t at = 0, last = before.size, next;
	bool is_until = false, is_negated = false;

	for (; (next = find(before, "while ", at)) < before.size; at = next + 1)
		last = next;
	for (at = 0; (next = find(before, "until ", at)) < before.size; at = next + 1) {
		if (last == before.size || next > last) {
			last = next;
			is_until = true;
		}
	}
	for (size_t i = last; i < before.size; i++)
		is_negated |= before.data[i] == '!';
	return last < before.size && is_until == is_negated;
}

/* The text that is searched for, where the option -f is given: else only names are compared. */
static struct span pattern_at(struct span script, size_t at)
{
	struct cursor c = cursor_over(script.data + at, script.size - at);
	bool is_full = false;
	struct span word;
	char quote;

	while (!cursor_at_end(&c) && *c.at == '-') {
		word = cursor_until(&c, ' ');
		is_full |= memchr(word.data, 'f', word.size) != NULL;
	}
	if (!is_full || cursor_at_end(&c))
		return span_of("", 0);
	quote = *c.at;
	if (quote != '"' && quote != '\'') {
		word = cursor_until(&c, ' ');
		while (word.size && strchr(";|&)", word.data[word.size - 1]))
			word.size--;
		return word;
	}
	cursor_until(&c, quote);
	return cursor_until(&c, quote);
}

/* "[r]egression" matches other command lines, and not the one that it stands in. */
static bool is_literal(struct span pattern)
{
	for (size_t i = 0; i < pattern.size; i++) {
		if (strchr("[]()*+?^$|\\`", pattern.data[i]))
			return false;
	}
	return pattern.size >= PATTERN_LEAST;
}

/* Arguments are searched with blanks between them. */
static bool contains(struct span arguments, struct span pattern)
{
	for (size_t i = 0; i + pattern.size <= arguments.size; i++) {
		size_t same = 0;

		while (same < pattern.size &&
			(arguments.data[i + same] == pattern.data[same] ||
				(!arguments.data[i + same] && pattern.data[same] == ' ')))
			same++;
		if (same == pattern.size)
			return true;
	}
	return false;
}

/* Another process matches, other than such a search and those below the script. */
static bool has_other(const struct diagnosis_input *input, const struct process_entry *script,
	struct span pattern)
{
	process_table_for_each (&input->host.process_table, p) {
		struct span all = arguments_of(p);

		if (p->is_there && p != script && contains(all, pattern) &&
			!span_contains(all, SEARCHES) && !process_table_is_below(p, script))
			return true;
	}
	return false;
}

struct span self_match_pattern(const struct diagnosis_input *input, const struct process_entry *p)
{
	struct span script, pattern;
	size_t at = 0;

	assert(input);
	assert(p);
	if (!p->process || !starts_are_of_a_shell(p))
		return span_of("", 0);
	script = script_of(p);
	while ((at = find(script, SEARCHES, at)) < script.size) {
		pattern = pattern_at(script, at + strlen(SEARCHES));
		if (waits_for_end(span_of(script.data, at)) && is_literal(pattern) &&
			!has_other(input, p, pattern))
			return pattern;
		at++;
	}
	return span_of("", 0);
}
