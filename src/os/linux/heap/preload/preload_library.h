/* SPDX-License-Identifier: BSD-2-Clause */
/* The library that programs load, and which programs load it. */
#pragma once

#include <limits.h>

#include "base/map.h"
#include "collect/backend.h"
#include "os/linux/files/timeout.h"

/* Returns whether a launched command could load the library, and it can do what is requested. A
 * library that is named but missing counts too, so that its absence is reported. */
bool preload_library_fits(const struct probe_options *options);
/* Checks that the library can do what is requested, that it exists, and that LD_PRELOAD can name
 * it. */
int preload_library_check(
	const struct probe_options *options, char path[PATH_MAX], struct sooth_error *err);

/* Returns the number of seccomp filters of a process, by its folder in /proc; UINT_MAX: unknown. */
unsigned preload_filters_of(int directory);
unsigned preload_filters_own(void);
/* Returns whether the library may make calls in a program with this number of filters: it has none,
 * or inherited those that sooth has. */
bool preload_filters_allow(unsigned filters, unsigned own);

/* Which programs would load the library: dynamic ones for this machine, without privileges and
 * without a malloc of their own. */
struct preload_programs {
	struct map known; /* device and inode -> bool */
	struct timeout timeout;
	bool names_scripts; /* functions of Python and JavaScript are requested, which the library
			       does not see */
};

void preload_programs_init(struct preload_programs *p);
void preload_programs_fini(struct preload_programs *p);
/* Returns whether the program at a path would load the library. */
bool preload_programs_fits(struct preload_programs *p, const char *path);
/* Returns whether the library fits a program, if the file at the path still is the given one. */
bool preload_programs_fits_as(
	struct preload_programs *p, const char *path, uint64_t device, uint64_t inode);
/* Returns whether the program has or calls functions of another allocator that the library does not
 * replace: mallocx(), mi_malloc(). */
bool preload_program_uses_others(struct preload_programs *p, const char *path);
/* Returns whether the program that a process runs will connect: its environment still names the
 * library, and nothing keeps the program from connecting. True also if the process is gone. `uid`:
 * user of the command. */
bool preload_programs_runs(
	struct preload_programs *p, pid_t pid, const char *library, uint32_t uid);
