/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/script_code.h"

#include <string.h>

#include "base/cleanup.h"
#include "probes/proc.h"
#include "recognize/script_name.h"

struct language {
	const char *program; /* beginning of the program's name */
	const char *name;
};

static const struct language languages[] = {
	{ "php", "PHP" },
	{ "ruby", "Ruby" },
	{ "perl", "Perl" },
	{ "lua", "Lua" },
	{ "tclsh", "Tcl" },
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

void script_code_put(struct buffer *out, const struct process_entry *p)
{
	const struct language *l = p ? language_of(p) : NULL;
	struct span script;

	if (!l)
		return;
	script = script_name_of(span_of("", 0), process_table_known_arguments(p));
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
