/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/process_table/project.h"

#include <string.h>

#include "agents/script.h"

/* The last part of the directory. */
static struct span last_part(struct span path)
{
	while (path.size > 1 && path.data[path.size - 1] == '/')
		path.size--;
	return path.size == 1 ? path : path_base(path);
}

static struct span named_in(struct span word)
{
	static const char prefix[] = "Working in: ";
	const char *at = memmem(word.data, word.size, prefix, strlen(prefix));

	if (!at)
		return span_of("", 0);
	at += strlen(prefix);
	word = span_of(at, word.size - (size_t)(at - word.data));
	at = memmem(word.data, word.size, " @", 2);
	return at ? span_of(word.data, (size_t)(at - word.data)) : word;
}

struct span project_of(struct span arguments, struct span root, struct span directory)
{
	static const char option[] = "--append-system-prompt";
	struct cursor c = cursor_over(arguments.data, arguments.size);

	while (!cursor_at_end(&c)) {
		struct span word = cursor_until(&c, '\0'), name;

		if (span_equal(word, option))
			word = cursor_until(&c, '\0');
		else if (!span_starts(word, option))
			continue;
		name = named_in(word);
		if (name.size)
			return name;
	}
	return last_part(root.size ? root : directory);
}
