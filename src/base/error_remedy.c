/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error_remedy.h"

#include <stdio.h>
#include <string.h>

#define AS_ROOT "as root"
#define ON_HOST "on the host, outside of containers"

/* Returns whether an alternative asks only for root, or for sudo, which root of a container lacks
 * too. */
static bool needs_root(const char *one, size_t size)
{
	return (!strncmp(one, "run ", 4) && memmem(one, size, AS_ROOT, strlen(AS_ROOT))) ||
	       memmem(one, size, ": sudo ", 7);
}

static const char *end_of_command(const char *at)
{
	while (*at && strncmp(at, ", or ", 5) && strncmp(at, "; ", 2))
		at++;
	return at;
}

static void cut_all(char *text, const char *what)
{
	size_t size = strlen(what);

	for (char *at = text; (at = strstr(at, what));)
		memmove(at, at + size, strlen(at + size) + 1);
}

const char *error_remedy_of(char *out, size_t room, const char *remedy, bool is_root)
{
	int gap = 0; /* size of the separator before this alternative */

	if (!is_root || !strstr(remedy, AS_ROOT))
		return remedy;
	*out = '\0';
	for (const char *at = remedy, *end; at; at = *end ? end + gap : NULL) {
		size_t size = (size_t)((end = end_of_command(at)) - at), used = strlen(out);
		bool is_bare = size == strlen(AS_ROOT) && !strncmp(at, AS_ROOT, size);

		if (is_bare || !needs_root(at, size))
			snprintf(out + used, room - used, "%.*s%.*s", used ? gap : 0, at - gap,
				(int)(is_bare ? strlen(ON_HOST) : size), is_bare ? ON_HOST : at);
		gap = *end == ';' ? 2 : 5;
	}
	cut_all(out, AS_ROOT ": ");
	cut_all(out, " (" AS_ROOT ")");
	cut_all(out, ", " AS_ROOT);
	return *out ? out : "run sooth " ON_HOST;
}
