/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What program a process runs, beyond names and paths: marks of its executable, the npm
 * package of its script or executable. Each file and each process is looked at once; the
 * commonest processes (small executables that are no interpreters) cost one statx() in all.
 */
#ifndef SOOTH_OS_LINUX_PROGRAMS_H
#define SOOTH_OS_LINUX_PROGRAMS_H

#include "base/map.h"
#include "model/process_id.h"
#include "os/linux/programs/package_file.h"
#include "os/linux/files/timeout.h"
#include "os/linux/programs/program_marks.h"

struct programs {
	struct map files;   /* identity -> marks and package */
	struct map scripts; /* process_id -> package */
	struct map small;   /* process_id -> hash of the path of an executable not worth a look */
	struct timeout timeout;
	struct agent_set *agents; /* whose marks are looked for */
};

struct program_facts {
	struct program_marks marks;
	struct package package;
	uint8_t marks_state, package_state; /* absent: there was no reason to look */
};

/* What is known of the process so far; spans may be empty. */
struct program_process {
	int process; /* descriptor of /proc/PID */
	struct process_id id;
	struct span executable, arguments, directory;
};

void programs_init(struct programs *p, const struct agent_set *agents);
void programs_fini(struct programs *p);
void programs_look(
	struct programs *p, const struct program_process *process, struct program_facts *facts);

#endif
