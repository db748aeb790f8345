/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/scripts.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/starts.h"
#include "base/cleanup.h"
#include "recognize/script_name.h"

#define SEARCHES "pgrep "
#define PLAIN	 "acefilq" /* pkill options that add no condition */

NUMBER(PATTERN_LEAST, 3, NONE, "characters: a shorter pattern matches by chance");

/* By the beginning of the program's name. */
static const char *const languages[][2] = { { "php", "PHP" }, { "ruby", "Ruby" },
	{ "perl", "Perl" }, { "lua", "Lua" }, { "tclsh", "Tcl" } };

static const struct {
	const char *function, *meaning;
} meanings[] = {
	{ "zend_is_identical",
		" (compares values, as in_array and array_search do for each element)" },
	{ "zend_compare", " (compares values, as in_array, array_search and sort do)" },
	{ "php_array_merge", " (copies arrays, as array_merge in a loop)" },
	{ "rb_ary_includes", " (searches an array from its start: include?)" },
	{ "rb_ary_delete_at", " (moves the rest of an array, as shift and delete_at do)" },
	{ "rb_equal", " (compares values, as include? and index do for each element)" },
	{ "rb_str_concat", " (appends to a string)" },
	{ "Perl_sv_eq_flags", " (compares strings, as grep and eq do for each element)" },
};

void script_code_put(struct buffer *out, const struct process_entry *p)
{
	struct span name = p ? check_name(p) : span_of("", 0), script;

	for (size_t i = 0; i < ARRAY_SIZE(languages); i++) {
		if (!span_starts(name, languages[i][0]))
			continue;
		script = script_name_of(span_of("", 0), process_table_known_arguments(p));
		buffer_format(out, ", %s code", languages[i][1]);
		if (script.size)
			buffer_format(out, " of %.*s", SPAN_ARGS(script));
		return;
	}
}

const char *script_code_meaning(struct span function)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if (span_equal(function, meanings[i].function))
			return meanings[i].meaning;
	}
	return "";
}

/* --- a script that waits for itself --- */

/* Returns the script of `sh -c`; empty: there is none. */
static struct span script_of(const struct process_entry *p)
{
	struct span all = process_table_known_arguments(p);
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

static size_t find_text(struct span s, const char *needle, size_t from)
{
	const char *at = memmem(s.data + from, s.size - from, needle, strlen(needle));

	return at ? (size_t)(at - s.data) : s.size;
}

/* Returns the place of the last one; -1: there is none. */
static int64_t find_last(struct span s, const char *needle)
{
	int64_t last = -1;

	for (size_t at = 0; (at = find_text(s, needle, at)) < s.size; at++)
		last = (int64_t)at;
	return last;
}

/* Returns whether the loop ends when nothing matches: `while pgrep`, `until ! pgrep`, or in its
 * body `pgrep ... || break`. */
static bool waits_for_end(struct span before, struct span behind)
{
	int64_t last_while = find_last(before, "while "), last_until = find_last(before, "until ");
	int64_t last = last_until > last_while ? last_until : last_while;
	bool is_negated = false;
	struct span condition;

	if (last < 0)
		return false;
	condition = span_of(before.data + last, before.size - (size_t)last);
	if (span_contains(condition, "do ") || span_contains(condition, "do\n"))
		return span_contains(behind, "|| break");
	for (size_t i = 0; i < condition.size; i++)
		is_negated |= condition.data[i] == '!';
	return (last == last_until) == is_negated;
}

/* Returns whether no option leaves out processes or takes a value. */
static bool are_plain(struct span options)
{
	for (size_t i = 1; i < options.size; i++) {
		if (!strchr("facloniq", options.data[i]))
			return false;
	}
	return options.size > 1;
}

/* Returns the pattern that is searched for with option -f; else only names are compared. */
static struct span pattern_at(struct span script, size_t at)
{
	struct cursor c = cursor_over(script.data + at, script.size - at);
	bool is_full = false;
	struct span word;
	char quote;

	while (!cursor_at_end(&c) && *c.at == '-') {
		word = cursor_until(&c, ' ');
		if (!are_plain(word))
			return span_of("", 0);
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

/* Returns whether the pattern matches its own text: "[r]egression" does not. */
static bool is_literal(struct span pattern)
{
	for (size_t i = 0; i < pattern.size; i++) {
		if (strchr("[]()*+?^$|\\`", pattern.data[i]))
			return false;
	}
	return pattern.size >= PATTERN_LEAST;
}

/* Returns whether a later filter, such as `grep -v $$`, may leave out the script. */
static bool is_filtered(struct span behind)
{
	for (size_t i = 0; i < behind.size && !strchr(";\n)", behind.data[i]); i++) {
		if (behind.data[i] == '|')
			return i + 1 >= behind.size || behind.data[i + 1] != '|';
	}
	return false;
}

struct span self_match_pattern(const struct process_entry *p)
{
	struct span script, pattern, behind;
	size_t at = 0;

	assert(p);
	if (!p->process || !starts_are_of_a_shell(p))
		return span_of("", 0);
	script = script_of(p);
	while ((at = find_text(script, SEARCHES, at)) < script.size) {
		struct span before = span_of(script.data, at);

		at += strlen(SEARCHES);
		pattern = pattern_at(script, at);
		if (!is_literal(pattern))
			continue;
		behind = span_of(pattern.data + pattern.size,
			(size_t)(script.data + script.size - pattern.data) - pattern.size);
		if (waits_for_end(before, behind) && !is_filtered(behind))
			return pattern;
	}
	return span_of("", 0);
}

/* --- pkill --- */

/* Returns whether an option is a signal: "-9", "-TERM"; other options have small letters. */
static bool is_signal(struct span option)
{
	unsigned char first = option.size > 1 ? (unsigned char)option.data[1] : 0;

	return isdigit(first) || (isupper(first) && option.size > 2);
}

/* Returns whether pkill compares command lines, and nothing else; PLAIN has no condition. */
static bool take_option(struct span option, bool *is_full)
{
	bool is_long = span_equal(option, "--full");

	for (size_t i = 1; i < option.size && !is_long && !is_signal(option); i++) {
		if (!strchr(PLAIN, option.data[i]))
			return false;
		*is_full |= option.data[i] == 'f';
	}
	*is_full |= is_long;
	return true;
}

struct span self_match_of_pkill(struct span arguments)
{
	struct cursor c = cursor_over(arguments.data, arguments.size);
	struct span pattern = span_of("", 0);
	bool is_full = false;

	if (!span_equal(path_base(cursor_until(&c, '\0')), "pkill"))
		return pattern;
	while (!cursor_at_end(&c)) {
		struct span argument = cursor_until(&c, '\0');

		if (argument.size && argument.data[0] != '-')
			pattern = argument;
		else if (!take_option(argument, &is_full))
			return span_of("", 0);
	}
	return is_full && is_literal(pattern) ? pattern : span_of("", 0);
}
