/* SPDX-License-Identifier: BSD-2-Clause */
/* The library that programs load, and which programs do. */
#ifndef SOOTH_OS_LINUX_PRELOAD_LIBRARY_H
#define SOOTH_OS_LINUX_PRELOAD_LIBRARY_H

#include <limits.h>

#include "base/map.h"
#include "collect/backend.h"
#include "os/linux/files/timeout.h"

/* False: it is not there; `path` says where it was looked for. */
bool preload_library_find(const struct probe_options *options, char path[PATH_MAX]);
/* Whether it is there, and LD_PRELOAD can name it. */
int preload_library_check(
	const struct probe_options *options, char path[PATH_MAX], struct sooth_error *err);

/* Which programs would load it: dynamic, for this machine, without privileges of their own, and
 * without a malloc of their own. */
struct preload_programs {
	struct map known; /* device and inode -> bool */
	struct timeout timeout;
	bool names_scripts; /* functions of Python and JavaScript are wanted, which it does not see
			     */
};

void preload_programs_init(struct preload_programs *p, bool names_scripts);
void preload_programs_fini(struct preload_programs *p);
/* By a path. */
bool preload_programs_fits(struct preload_programs *p, const char *path);
/* As long as that file is still there. */
bool preload_programs_fits_as(
	struct preload_programs *p, const char *path, uint64_t device, uint64_t inode);
/* Whether it has, or calls, functions of an allocator that the library has none of: mallocx(),
 * mi_malloc().
 */
bool preload_program_uses_others(struct preload_programs *p, const char *path);
/* Returns whether the program that a process runs will connect: its environment still names the
 * library, and nothing keeps it from connecting. True also if the process is gone. `uid`: of the
 * command. */
bool preload_programs_runs(
	struct preload_programs *p, pid_t pid, const char *library, uint32_t uid);

#endif
