/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/statusline/session_input.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/units.h"

#define INPUT_MAX 65536
#define WAIT_NS	  (10 * NS_PER_MS)
#define KEY	  "\"session_id\""

/* Reads until the end of input. A pipe whose writer says nothing costs the whole time. */
static void read_input(struct buffer *text)
{
	uint64_t end_ns = clock_monotonic_ns() + WAIT_NS;
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	ssize_t got = 1;

	while (got > 0 && text->size < INPUT_MAX) {
		uint64_t left_ns = increase_u64(end_ns, clock_monotonic_ns());
		void *room = buffer_reserve(text, INPUT_MAX);

		if (!room || !left_ns ||
			poll(&in, 1, (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS)) <= 0)
			break;
		got = read(STDIN_FILENO, room, INPUT_MAX);
		if (got > 0)
			buffer_commit(text, (size_t)got);
	}
}

static bool is_of_id(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

static bool find_id(const char *text, char *id, size_t size)
{
	const char *at = strstr(text, KEY);
	size_t used = 0;

	if (!at)
		return false;
	at += strlen(KEY);
	at += strspn(at, " \t\r\n");
	if (*at++ != ':')
		return false;
	at += strspn(at, " \t\r\n");
	if (*at++ != '"')
		return false;
	while (is_of_id(at[used]) && used + 1 < size)
		used++;
	snprintf(id, size, "%.*s", (int)used, at);
	return used && at[used] == '"';
}

bool session_input_read(char *id, size_t size)
{
	struct buffer text = { 0 };
	struct stat status;
	bool is_found = false;

	if (!fstat(STDIN_FILENO, &status) && !S_ISCHR(status.st_mode) && !S_ISDIR(status.st_mode)) {
		read_input(&text);
		is_found = find_id(buffer_cstr(&text), id, size);
	}
	buffer_fini(&text);
	return is_found;
}
