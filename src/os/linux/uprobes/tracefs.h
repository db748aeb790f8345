/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Definitions of user-space probes in tracefs (uprobe_events). Several probes may
 * stand under one event. All names are of the form sooth_<pid>_<start>_<guard>/e<number>,
 * so that whoever finds them can tell whose they are, and if that process is gone.
 *
 * Taking an event away is dangerous: of several probes under one event the kernel
 * frees all but the last without asking whether they are in use, and what it freed
 * stays linked where breakpoints are looked up (5.10 to 7.2: at the next hit the kernel
 * oopses). Nor can it be read anywhere whether an event is in use. So each event is
 * made to be tried: its first probe stands in an empty file of ours, the latch, that has
 * a size only while the event is opened for the first time. To open an event that nobody
 * uses means to register its probes, and that fails at the latch, before all others; to
 * open one in use succeeds. After the last descriptor that could attach it is closed,
 * an unused event stays unused.
 */
#ifndef SOOTH_OS_LINUX_TRACEFS_H
#define SOOTH_OS_LINUX_TRACEFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "model/process_id.h"

#define TRACEFS_PREFIX "sooth_"

/* Whose definitions. The guard's pid tells several observers in one process apart. */
struct tracefs_group {
	struct process_id owner;
	uint64_t guard;
};

/* The latch's probe stands here: it is open when the file reaches further. */
#define TRACEFS_LATCH_OFFSET 16

/* A descriptor of the mounted tracefs, or of a mount that nobody else sees. */
int tracefs_open(struct sooth_error *err);

/* Put one more probe under the event. */
int tracefs_define(int tracefs, const struct tracefs_group *group, uint64_t event, bool is_return,
	int file, uint64_t offset, struct sooth_error *err);

/* Where breakpoints come by opening an event on a thread. */
enum tracefs_reach {
	TRACEFS_NOWHERE,      /* it is merely in use */
	TRACEFS_THREAD,	      /* into the memory that the thread has, and will have by an exec */
	TRACEFS_TREE,	      /* and into that of all it forks, they fork, ... */
	TRACEFS_TREE_LOOSELY, /* so do older kernels, but may lose it again (see uprobes.h) */
};

/*
 * The kernel exchanges inherited events between threads, unless each reads out its own
 * count with a sample. Events like that can be inherited since 6.12; before they are
 * refused. (Nothing is ever sampled.)
 */
bool tracefs_inherits_loosely(void);

/* The rest is async-signal-safe. */

/* The number perf knows the event by, or a negative errno. */
int64_t tracefs_event_id(int tracefs, const struct tracefs_group *group, uint64_t event);
/* A descriptor, or a negative errno. */
int tracefs_event_open(int64_t id, pid_t tid, enum tracefs_reach reach);
/* -EBUSY when it is in use, -ENOENT when there is none. */
int tracefs_remove(int tracefs, const struct tracefs_group *group, uint64_t event);

#endif
