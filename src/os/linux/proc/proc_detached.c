/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that may be a server left behind. */
#include "os/linux/proc/proc_detached.h"

#include <stdio.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "recognize/script.h"
#include "os/linux/proc/proc_recognition.h"

#define YOUNG_S	   10 /* npm and others have set their title by then */
#define LEVELS_MAX 16

static bool text_contains(struct span text, const char *word, size_t size)
{
	for (size_t i = 0; i + size <= text.size; i++) {
		if (!strncasecmp(text.data + i, word, size))
			return true;
	}
	return false;
}

bool proc_detached_looks_like_server(struct span text)
{
	return text_contains(text, "mcp", 3) || text_contains(text, "modelcontextprotocol", 20);
}

bool proc_detached_hides_its_name(struct span executable)
{
	return interpreter_of(executable) == INTERPRETER_JAVASCRIPT;
}

bool proc_detached_is_young(const struct proc_values *values)
{
	uint64_t ticks_per_s = (uint64_t)sysconf(_SC_CLK_TCK);
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return values->id.start_ticks / ticks_per_s + YOUNG_S > (uint64_t)now.tv_sec;
}

static bool has_open_input(const struct proc_entry *e)
{
	char path[32], link[64];
	ssize_t got;
	struct span to;

	if (e->values.input)
		return e->values.input == PROC_STDIN_OPEN;
	snprintf(path, sizeof(path), "/proc/%u/fd/0", (unsigned)e->values.id.pid);
	got = readlink(path, link, sizeof(link));
	to = span_of(link, got > 0 ? (size_t)got : 0);
	return span_starts(to, "pipe:") || span_starts(to, "socket:");
}

static bool may_be_detached(
	const struct proc_entry *entries, size_t count, const struct proc_entry *e)
{
	return !e->is_close && proc_recognition_has_program(&e->values) &&
	       e->values.input != PROC_STDIN_OTHER && proc_selection_is_left(entries, count, e) &&
	       has_open_input(e);
}

bool proc_detached_is_candidate(
	const struct proc_entry *entries, size_t count, const struct proc_entry *e)
{
	return !e->is_no_server && may_be_detached(entries, count, e);
}

void proc_detached_below(struct proc_entry *entries, size_t count)
{
	bool has_more = false;

	for (size_t i = 0; i < count; i++)
		has_more |= entries[i].is_detached;
	for (unsigned level = 0; has_more && level < LEVELS_MAX; level++) {
		has_more = false;
		for (size_t i = 0; i < count; i++) {
			struct proc_entry *e = &entries[i];
			const struct proc_entry *parent = proc_selection_parent(entries, count, e);

			if (e->is_detached || !parent || !parent->is_detached ||
				!may_be_detached(entries, count, e))
				continue;
			e->is_detached = has_more = true;
		}
	}
}
