/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of /proc/PID/maps (proc_pid_maps(5)). */
#pragma once

#include "base/cursor.h"

struct maps_line {
	uint64_t from, to;
	uint64_t offset; /* offset in the file */
	uint64_t inode;	 /* 0: of no file */
	uint32_t device_major, device_minor;
	bool is_readable, is_writable, is_executable, is_shared;
	struct span path; /* borrowed; empty: none. Newlines are written as \\012 */
};

/* Parses a line; false: it is no line of maps. */
bool maps_parse(struct span line, struct maps_line *out);
/* Goes to the next line of maps; false: there is none. */
bool maps_next(struct cursor *lines, struct maps_line *out);

/* The lines of a text: maps_for_each (struct maps_line *, struct buffer or span) */
#define maps_for_each(line, text)                                                                  \
	for (struct cursor lines_ = cursor_over((text).data, (text).size);                         \
		maps_next(&lines_, line);)
