/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of environment variables. */
#include "base/environ.h"

#include <assert.h>
#include <string.h>

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Returns whether a text is the name of a variable. Names may have more than POSIX allows: dots,
 * dashes and "BASH_FUNC_f%%", which shells and build systems use. */
static bool is_name(struct span name)
{
	if (!name.size || name.size > ENVIRON_NAME_MAX || !is_letter(name.data[0]))
		return false;
	for (size_t i = 1; i < name.size; i++) {
		char c = name.data[i];

		if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '%')
			return false;
	}
	return true;
}

struct environ_walk environ_over(const void *data, size_t size, bool is_cut)
{
	return (struct environ_walk){ .at = cursor_over(data, size), .is_cut = is_cut };
}

/* Reads one entry up to its NUL. False at the end, also if the rest of the entry was cut off. */
static bool next_entry(struct environ_walk *walk, struct span *entry)
{
	size_t left = cursor_left(&walk->at);
	bool has_end;

	if (!left)
		return false;
	has_end = memchr(walk->at.at, 0, left) != NULL;
	*entry = cursor_until(&walk->at, '\0');
	return has_end || !walk->is_cut;
}

static struct environ_variable examine_entry(struct environ_walk *walk, struct span entry)
{
	const char *equals = memchr(entry.data, '=', entry.size);
	struct span name = span_of(entry.data, equals ? (size_t)(equals - entry.data) : 0);
	bool was_suspect = walk->is_suspect;

	walk->is_suspect = !equals || !is_name(name);
	if (was_suspect || walk->is_suspect)
		return (struct environ_variable){ .size_bytes = entry.size, .is_redacted = true };
	return (struct environ_variable){ .name = name, .size_bytes = entry.size - name.size - 1 };
}

bool environ_next(struct environ_walk *walk, struct environ_variable *out)
{
	struct span entry;

	assert(walk);
	while (next_entry(walk, &entry)) {
		if (!entry.size) {
			/* A title is padded with NULs, and the rest of a value may follow. */
			walk->is_suspect = true;
			continue;
		}
		*out = examine_entry(walk, entry);
		return true;
	}
	return false;
}
