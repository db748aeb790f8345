/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which allocator functions the mapped files of a process define, and where each function is best
 * probed. Every file is examined once for all processes that map it. It is opened through
 * /proc/PID/map_files, so the examined file is the one that runs, even if it is deleted, in another
 * mount namespace, or at another path.
 *
 * Reading such a file may never return, so it has a timeout, and its pages are in memory before a
 * probe is put there.
 *
 * Not seen: functions without a symbol (a stripped static program, an allocator that was inlined),
 * indirect functions (their resolver would be probed).
 */
#pragma once

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
	/* Files that may define an allocator and could not be read or probed; the first, and
	 * why. */
	uint32_t unread;
	const char *unread_why;
	char unread_path[256];
};

/* Called with a new file that defines allocator functions. A negative result stops the search and
 * is returned. */
typedef int (*allocator_handler)(
	void *user, const struct allocator_file *file, struct sooth_error *err);

void allocators_init(struct allocators *a);
void allocators_fini(struct allocators *a);
/* Returns whether a file was examined, or whether the file now at `path` (absolute) defines no
 * allocator. */
bool allocators_know(struct allocators *a, const char *path, uint64_t device, uint64_t inode);
/* Returns whether a file defines an allocator. If it was not examined, the file now at `path`
 * decides, which perhaps only the process can reach. False also if that is unknown. */
bool allocators_define(
	struct allocators *a, pid_t pid, const char *path, uint64_t device, uint64_t inode);
/* Finds the file of a process that has this identity, whether it was examined earlier or not. 0;
 * -ENOENT: it is not mapped as code, or defines no allocator. */
int allocators_find(struct allocators *a, pid_t pid, uint64_t device, uint64_t inode,
	allocator_handler handler, void *user, struct sooth_error *err);
/* Returns whether a file was examined and, as a program, allocates in a way that is not seen. */
bool allocators_file_hides(const struct allocators *a, uint64_t device, uint64_t inode);
/* Examines the files of a process that were not examined earlier: first the executable, then the
 * others in the order of mappings. 1: a mapped file, new or known, defines an allocator; 0: none
 * does. -ESRCH: the process is gone; -EACCES, -EPERM: the process may not be read. */
int allocators_examine(struct allocators *a, pid_t pid, allocator_handler handler, void *user,
	struct sooth_error *err);
