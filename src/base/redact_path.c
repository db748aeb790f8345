/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths for strangers; see redact.h. */
#include "base/redact.h"

#include <string.h>

#include "base/cleanup.h"

static const char *const systems[] = {
#define SYSTEM(name) name,
#define WORD(name)
#define ENDING(text)
#include "base/redact_words.def"
#undef SYSTEM
#undef WORD
#undef ENDING
};

static const char *const words[] = {
#define SYSTEM(name)
#define WORD(name) name,
#define ENDING(text)
#include "base/redact_words.def"
#undef SYSTEM
#undef WORD
#undef ENDING
};

static const char *const endings[] = {
#define SYSTEM(name)
#define WORD(name)
#define ENDING(text) text,
#include "base/redact_words.def"
#undef SYSTEM
#undef WORD
#undef ENDING
};

/* What stands before the name of a user. */
static const char *const homes[] = { "/home/", "/Users/", "/var/home/", "/export/home/" };

static bool is_among(struct span word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (span_equal(word, list[i]))
			return true;
	}
	return false;
}

bool redact_is_public(struct span word)
{
	return is_among(word, words, ARRAY_SIZE(words));
}

/* The next part of a path, without slashes; false at the end. *at stands behind it then. */
static bool next_part(struct span path, size_t *at, struct span *part)
{
	size_t start = *at, end;

	while (start < path.size && path.data[start] == '/')
		start++;
	for (end = start; end < path.size && path.data[end] != '/'; end++)
		;
	*part = span_of(path.data + start, end - start);
	*at = end;
	return end > start;
}

size_t redact_home(struct span path, struct span *user)
{
	for (size_t i = 0; i < ARRAY_SIZE(homes); i++) {
		size_t at = strlen(homes[i]);

		if (span_starts(path, homes[i]) && next_part(path, &at, user))
			return at;
	}
	*user = span_of(path.data + 1, 4);
	if (span_starts(path, "/root") && (path.size == 5 || path.data[5] == '/'))
		return 5;
	return 0;
}

/* "2.1.328", "v20.1.0", "1000", "[7]": numbers identify no user. */
static bool is_number(struct span part)
{
	size_t digits = 0;

	for (size_t i = 0; i < part.size; i++) {
		char c = part.data[i];

		if (c >= '0' && c <= '9')
			digits++;
		else if (!strchr(".-_[]:", c) && !(c == 'v' && !i))
			return false;
	}
	return digits > 0;
}

static struct span ending_of(struct span part)
{
	size_t dot = part.size;

	while (dot > 0 && part.data[dot - 1] != '.')
		dot--;
	if (dot > 1 && is_among(span_of(part.data + dot - 1, part.size - dot + 1), endings,
			       ARRAY_SIZE(endings)))
		return span_of(part.data + dot - 1, part.size - dot + 1);
	return span_of("", 0);
}

static void write_part(struct redactor *r, struct span part, struct buffer *out)
{
	struct span ending = ending_of(part);

	if (is_number(part) || redact_is_public(part)) {
		buffer_append(out, part.data, part.size);
		return;
	}
	redactor_number(r, "path", part, out);
	buffer_append(out, ending.data, ending.size);
}

/* Of a path the slashes stay where they are. */
void redactor_write_path(struct redactor *r, struct span path, struct buffer *out)
{
	struct span user, part;
	size_t at = redact_home(path, &user), done = at;
	bool is_system;

	if (at && redact_is_public(user))
		buffer_format(out, "~%.*s", (int)user.size, user.data);
	else if (at) {
		buffer_char(out, '~');
		redactor_number(r, "user", user, out);
	}
	is_system = !at && next_part(path, &(size_t){ 0 }, &part) &&
		    is_among(part, systems, ARRAY_SIZE(systems));
	while (next_part(path, &at, &part)) {
		buffer_append(out, path.data + done, (size_t)(part.data - path.data) - done);
		if (is_system)
			redactor_write_names(r, part, out);
		else
			write_part(r, part, out);
		done = at;
	}
	buffer_append(out, path.data + done, path.size - done);
}
