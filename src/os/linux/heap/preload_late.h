/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Libraries with a malloc of their own that a program loads when it already runs: nothing calls
 * sooth's library for them. They are probed while the program waits; where that cannot be, their
 * calls are not seen, and that is reported as a gap. The kernel records every mapping of code, by
 * perf events that cost nothing between two of them.
 */
#ifndef SOOTH_OS_LINUX_PRELOAD_LATE_H
#define SOOTH_OS_LINUX_PRELOAD_LATE_H

#include "base/map.h"
#include "os/linux/heap/heap_attach.h"
#include "os/linux/heap/preload_run.h"
#include "os/linux/profile/perf_rings.h"

/* Used by two threads, the collector's and that which answers programs. */
struct preload_late {
	pthread_mutex_t lock;
	struct preload_run *run;
	struct heap_attach *attach; /* NULL: nothing can be probed */
	struct perf_rings rings;
	struct buffer records; /* for the next reading */
	struct map images;     /* uint32_t, a PID -> struct late_image */
	struct map files;      /* device and inode -> bool: defines an allocator */
	struct map found;      /* struct late_key -> struct late_file */
	bool is_open, has_lost;
	uint32_t emitted;
	char first[HEAP_PATH_BYTES]; /* the path of the first of them */
};

/* 0, or a negative errno: then it finds nothing. */
int preload_late_open(struct preload_late *l, struct preload_run *run, struct heap_attach *attach,
	struct sooth_error *err);
/* To be called before the command's exec. */
int preload_late_add(struct preload_late *l, pid_t command, struct sooth_error *err);
/* Reads what was mapped up to now. */
void preload_late_read(struct preload_late *l);
/* All that the process has mapped by now is probed (heap_late.h), before anything of it ran. */
void preload_late_probed(struct preload_late *l, uint32_t pid);
/* Emits the gaps of a process that has ended, when all that it mapped is read. NULL: emits all gaps
 * that are left. */
void preload_late_emit(struct preload_late *l, const struct process_id *ended);
/* Without `attach`: programs that ran and never connected go to the run's `unseen`. */
void preload_late_check(struct preload_late *l);
void preload_late_close(struct preload_late *l);

#endif
