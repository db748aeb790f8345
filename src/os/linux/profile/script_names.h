/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of PHP and Ruby that the main thread of a process is in, from the memory of the
 * process, which is not stopped: a moment after the sample, so that a stack of native code and one
 * of the script may be some milliseconds apart.
 *
 * Cannot be seen: other threads of Ruby, fibers that are not running; versions whose layout is not
 * known (known: PHP 8.2 without threads, Ruby 3.1).
 */
#ifndef SOOTH_OS_LINUX_SCRIPT_NAMES_H
#define SOOTH_OS_LINUX_SCRIPT_NAMES_H

#include "base/map.h"
#include "base/names.h"
#include "bpf/profile.h"
#include "os/linux/files/timeout.h"

#define SCRIPT_FRAMES_MAX 24

struct script_names {
	struct map engines;  /* uint64_t file -> struct script_engine */
	struct map places;   /* struct process_id -> struct script_place: where the engine is in
				memory */
	struct names *names; /* texts "FUNCTION\0FILE:LINE\0" */
	struct timeout timeout;
	/* The last process that was read, and its functions. */
	uint32_t pid, count;
	uint64_t start_ticks, read_ns;
	uint32_t found[SCRIPT_FRAMES_MAX]; /* innermost first */
};

/* The functions of a sample; `at`: the user frame that they come before. */
struct script_stack {
	const uint32_t *names;
	uint32_t count, at;
};

void script_names_init(struct script_names *s, struct names *names);
void script_names_fini(struct script_names *s);
/* A file that is mapped with code: an interpreter, or not. */
void script_names_see(struct script_names *s, uint64_t file, const char *path, int fd);
struct script_stack script_names_of(struct script_names *s, const struct profile_raw *raw);

#endif
