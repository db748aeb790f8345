/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which texts that tell an agent (struct agent_program) an executable holds: read from its
 * ELF sections, never by its name or place. A file is read once, whoever runs it, and only
 * if it is large: every agent's own program is.
 *
 * Cannot be seen: what stands behind the first megabytes of a section, programs of Bun
 * that are packed otherwise than bun.h knows, executables that may not be opened.
 */
#ifndef SOOTH_OS_LINUX_PROGRAM_MARKS_H
#define SOOTH_OS_LINUX_PROGRAM_MARKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "core/agent_set.h"

#define PROGRAM_BYTES_LEAST  (16u << 20) /* a smaller executable is not looked into */
#define PROGRAM_MARKS_SIZE   512
#define PROGRAM_VERSION_SIZE 32

struct program_marks {
	char marks[PROGRAM_MARKS_SIZE]; /* "SECTION TEXT", each with a NUL behind */
	uint16_t marks_size;
	char version[PROGRAM_VERSION_SIZE]; /* that stands behind the last of them; "": none */
};

/* 0, or a negative errno. `agents`: whose rules; `name`: of the file, for rules that ask for one.
 * May wait for the disk. */
int program_marks_read(
	struct program_marks *marks, const struct agent_set *agents, int fd, struct span name);

#endif
