/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Libraries with their own malloc that a running program loads: their calls do not go through
 * sooth's library. They are probed while the program waits. Where that is impossible, their calls
 * are not seen, and are reported as a gap. The kernel records every mapping of code by perf events,
 * which cost nothing between two mappings.
 */
#pragma once

#include "base/map.h"
#include "os/linux/heap/heap_attach.h"
#include "os/linux/heap/preload/preload_run.h"
#include "os/linux/profile/perf_rings.h"

/* Used by two threads, the collector's and the one that answers programs. */
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
	char first[HEAP_PATH_BYTES]; /* path of the first library that was not probed */
};

/* Returns 0, or a negative errno: then no library is found. */
int preload_late_open(struct preload_late *l, struct preload_run *run, struct heap_attach *attach,
	struct sooth_error *err);
/* Adds a process before the command's exec. */
int preload_late_add(struct preload_late *l, pid_t command, struct sooth_error *err);
/* Reads what was mapped up to now. */
void preload_late_read(struct preload_late *l);
/* Notes that all the process has mapped is probed (heap_late.h), before any of that code ran. */
void preload_late_probed(struct preload_late *l, uint32_t pid);
/* Emits the gaps of a process that has ended, once all its mappings are read. NULL: emits all
 * remaining gaps. */
void preload_late_emit(struct preload_late *l, const struct process_id *ended);
/* Checks programs that may have missed the library. Without `attach`: adds programs that ran and
 * never connected to the run's `unseen`. */
void preload_late_check(struct preload_late *l);
void preload_late_close(struct preload_late *l);
