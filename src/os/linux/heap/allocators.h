/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which allocator functions the mapped files of a process define, and where each is best probed.
 * Every file is examined once, for all processes that map it: opened through /proc/PID/map_files,
 * so that a deleted file, one of another mount namespace, or any path is the file that really
 * runs.
 *
 * Reading such a file may never return, so it has a timeout, and its pages are in memory before a
 * probe is put there.
 *
 * Not seen: functions without a symbol (a stripped static program, an allocator that was inlined),
 * indirect functions (their resolver would be probed).
 */
#ifndef SOOTH_OS_LINUX_ALLOCATORS_H
#define SOOTH_OS_LINUX_ALLOCATORS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/map.h"
#include "os/linux/files/timeout.h"
#include "os/linux/heap/allocator_sites.h"

struct allocators {
	struct map files;  /* identity -> what it defines: all examined files */
	struct map silent; /* devices whose files do not answer */
	struct timeout timeout;
	uint32_t kernel; /* the running one, as KERNEL_RELEASE() makes it */
	/* Files that may define one and could not be read or probed; the first, and why. */
	uint32_t unread;
	const char *unread_why;
	char unread_path[256];
};

/* Called with a new file that defines some. Negative: stop, and return that. */
typedef int (*allocator_handler)(
	void *user, const struct allocator_file *file, struct sooth_error *err);

void allocators_init(struct allocators *a);
void allocators_fini(struct allocators *a);
/* Whether a file was examined; or, as it is at `path` (absolute) now, defines none. */
bool allocators_know(struct allocators *a, const char *path, uint64_t device, uint64_t inode);
/* Whether it defines one; of a file that was not examined: as it is at `path` now, which may be
 * known to the process alone. False also where that is not known. */
bool allocators_define(
	struct allocators *a, pid_t pid, const char *path, uint64_t device, uint64_t inode);
/* The one file of a process that has this identity, examined before or not. 0; -ENOENT: it is not
 * mapped as code, or defines no allocator. */
int allocators_find(struct allocators *a, pid_t pid, uint64_t device, uint64_t inode,
	allocator_handler handler, void *user, struct sooth_error *err);
/* Whether a file was examined, and as a program allocates in a way that is not seen. */
bool allocators_opaque(const struct allocators *a, uint64_t device, uint64_t inode);
/* The files of a process that were not examined before, executable first, then in the order of
 * mappings. 1: something it has mapped, known before or not, defines an allocator; 0: nothing
 * does. -ESRCH: the process is gone; -EACCES, -EPERM: it may not be read. */
int allocators_examine(struct allocators *a, pid_t pid, allocator_handler handler, void *user,
	struct sooth_error *err);

#endif
