/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program that a process runs, beyond names and paths: marks of its executable, the npm
 * package of its script or executable. Each file and each process is examined once; the most
 * common processes (small executables that are no interpreters) cost one statx() in all.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "recognize/agent_set.h"
#include "base/cursor.h"
#include "base/map.h"
#include "model/process_id.h"
#include "os/linux/files/timeout.h"
#include "os/linux/programs/package_file.h"

#define PROGRAM_BYTES_LEAST  (16u << 20) /* smaller executables are not read */
#define PROGRAM_MARKS_SIZE   512
#define PROGRAM_VERSION_SIZE 32

struct program_marks {
	char marks[PROGRAM_MARKS_SIZE]; /* "SECTION TEXT", each with a NUL behind */
	uint16_t marks_size;
	char version[PROGRAM_VERSION_SIZE]; /* found behind the last of them; "": none */
};

struct programs {
	struct map files;   /* identity -> marks and package */
	struct map scripts; /* process_id -> package */
	/* process_id -> hash of the path of an executable that needs no check */
	struct map small;
	struct timeout timeout;
	struct agent_set *agents; /* the agents whose marks to find */
};

struct program_facts {
	struct program_marks marks;
	struct package package;
	uint8_t marks_state, package_state; /* absent: not looked for */
};

/* Known facts about the process; spans may be empty. */
struct program_process {
	int process; /* descriptor of /proc/PID */
	struct process_id id;
	struct span executable, arguments, directory;
};

void programs_init(struct programs *p, const struct agent_set *agents);
void programs_fini(struct programs *p);
void programs_find(
	struct programs *p, const struct program_process *process, struct program_facts *facts);
