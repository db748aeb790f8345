/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error_remedy.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"

static bool begins(struct span text, const char *with)
{
	return text.size >= strlen(with) && !memcmp(text.data, with, strlen(with));
}

static bool holds(struct span text, const char *what)
{
	return memmem(text.data, text.size, what, strlen(what));
}

/* Only by being root, or by what root of a container cannot do either. */
static bool needs_root(struct span one)
{
	return (begins(one, "run ") && holds(one, "as root")) || holds(one, ": sudo ");
}

/* Length of the separator here; 0: none, SIZE_MAX: the end. */
static size_t separator(const char *at)
{
	return !*at ? SIZE_MAX : !strncmp(at, ", or ", 5) ? 5 : !strncmp(at, "; ", 2) ? 2 : 0;
}

static void append(char *out, size_t room, struct span text)
{
	static const char *const words[] = { "as root: ", " (as root)", ", as root" };
	size_t used = strlen(out);

	while (text.size && used + 1 < room) {
		size_t skipped = 0;

		for (size_t i = 0; i < ARRAY_SIZE(words) && !skipped; i++)
			skipped = begins(text, words[i]) ? strlen(words[i]) : 0;
		if (!skipped)
			out[used++] = text.data[0];
		text.data += skipped ? skipped : 1;
		text.size -= skipped ? skipped : 1;
	}
	out[used] = '\0';
}

#define ON_HOST "on the host, outside of containers"

const char *error_remedy_of(char *out, size_t room, const char *remedy, bool is_root)
{
	struct span before = span_of("", 0);
	const char *at = remedy;

	if (!is_root || !strstr(remedy, "as root"))
		return remedy;
	*out = '\0';
	for (;;) {
		const char *end = at;
		struct span one;
		size_t gap;

		while (!(gap = separator(end)))
			end++;
		one = span_of(at, (size_t)(end - at));
		if (span_equal(one, "as root"))
			one = span_of_string(ON_HOST);
		if (!needs_root(one)) {
			append(out, room, *out ? before : span_of("", 0));
			append(out, room, one);
		}
		if (gap == SIZE_MAX)
			break;
		before = span_of(end, gap);
		at = end + gap;
	}
	return *out ? out : "run sooth " ON_HOST;
}
