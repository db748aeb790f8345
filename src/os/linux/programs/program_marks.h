/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which texts that identify an agent (struct agent_program) an executable contains: read from its
 * ELF sections, independent of its name or place. A file is read once, for all its processes, and
 * only if it is large: every agent's own program is.
 *
 * Cannot be seen: texts behind the first megabytes of a section, programs of Bun with a packing
 * unknown to bun.h, executables that may not be opened.
 */
#ifndef SOOTH_OS_LINUX_PROGRAM_MARKS_H
#define SOOTH_OS_LINUX_PROGRAM_MARKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "agents/agent_set.h"

#define PROGRAM_BYTES_LEAST  (16u << 20) /* smaller executables are not read */
#define PROGRAM_MARKS_SIZE   512
#define PROGRAM_VERSION_SIZE 32

struct program_marks {
	char marks[PROGRAM_MARKS_SIZE]; /* "SECTION TEXT", each with a NUL behind */
	uint16_t marks_size;
	char version[PROGRAM_VERSION_SIZE]; /* found behind the last of them; "": none */
};

/* 0, or a negative errno. `agents`: the rules to try; `name`: of the file, for rules that need
 * one. May wait for the disk. */
int program_marks_read(
	struct program_marks *marks, const struct agent_set *agents, int fd, struct span name);

#endif
