/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/script_code.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "probes/proc.h"

struct language {
	const char *program; /* begin of the program's name */
	const char *name, *extension;
};

static const struct language languages[] = {
	{ "php", "PHP", ".php" },
	{ "ruby", "Ruby", ".rb" },
	{ "perl", "Perl", ".pl" },
	{ "lua", "Lua", ".lua" },
	{ "tclsh", "Tcl", ".tcl" },
};

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

static const struct language *language_of(const struct process_entry *p)
{
	struct span name = record_text(&p->process->record, &p->process->name);

	for (size_t i = 0; i < ARRAY_SIZE(languages); i++) {
		if (span_starts(name, languages[i].program))
			return &languages[i];
	}
	return NULL;
}

/* Options may have values of their own, so the extension says which argument it is. */
static struct span script_of(const struct process_entry *p, const struct language *l)
{
	struct span all = process_table_known_arguments(p);
	struct cursor c = cursor_over(all.data, all.size);

	while (!cursor_at_end(&c)) {
		struct span argument = cursor_until(&c, '\0');

		if (argument.size > strlen(l->extension) && span_ends(argument, l->extension))
			return path_base(argument);
	}
	return span_of("", 0);
}

void script_code_put(struct buffer *out, const struct process_entry *p)
{
	const struct language *l = p ? language_of(p) : NULL;
	struct span script;

	if (!l)
		return;
	script = script_of(p, l);
	buffer_format(out, ", %s code", l->name);
	if (script.size)
		buffer_format(out, " of %.*s", (int)script.size, script.data);
}

const char *script_code_meaning(struct span function)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if (span_equal(function, meanings[i].function))
			return meanings[i].meaning;
	}
	return "";
}
