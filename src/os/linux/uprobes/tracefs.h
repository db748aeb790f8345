/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Definitions of user-space probes in tracefs (uprobe_events). An event may have several probes.
 * All names have the form sooth_<pid>_<start>_<guard>/e<number>, so that it can be seen which
 * process made them, and whether that process is gone.
 *
 * Removing an event is dangerous: of several probes under one event the kernel frees all but the
 * last without checking whether they are in use, and the freed ones stay linked where breakpoints
 * are looked up (5.10 to 7.2: at the next hit the kernel oopses). No file shows whether an event
 * is in use. So each event can be tested: its first probe is in an empty file made by sooth, the
 * latch, that has a size only while the event is opened for the first time. Opening an unused
 * event registers its probes, and that fails at the latch, before all others; opening one in use
 * succeeds. After the last descriptor that could attach it is closed, an unused event stays
 * unused.
 */
#ifndef SOOTH_OS_LINUX_TRACEFS_H
#define SOOTH_OS_LINUX_TRACEFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"
#include "model/process_id.h"

/* Owner of the definitions. The guard's pid distinguishes several observers in one process. */
struct tracefs_group {
	struct process_id owner;
	uint64_t guard;
};

/* Offset of the latch's probe: it is open when the file is longer. */
#define TRACEFS_LATCH_OFFSET 16

/* A descriptor of the mounted tracefs, or of a private mount. */
int tracefs_open(struct sooth_error *err);

/* Add one more probe to the event. */
int tracefs_define(int tracefs, const struct tracefs_group *group, uint64_t event, bool is_return,
	int file, uint64_t offset, struct sooth_error *err);

/* Where opening an event on a thread puts breakpoints. */
enum tracefs_reach {
	TRACEFS_NOWHERE, /* nowhere: it is just in use */
	TRACEFS_THREAD,	 /* into the thread's memory, also after an exec */
	TRACEFS_TREE,	 /* and into that of all processes forked from it */
	/* the same on older kernels, which may lose it again (see uprobes.h) */
	TRACEFS_TREE_LOOSELY,
};

/*
 * The kernel exchanges inherited events between threads, unless each reports its own count with a
 * sample. Such events can be inherited since 6.12; before they are refused. (Nothing is ever
 * sampled.)
 */
bool tracefs_inherits_loosely(void);

/* The functions below are async-signal-safe. */

/* perf's number of the event, or a negative errno. */
int64_t tracefs_event_id(int tracefs, const struct tracefs_group *group, uint64_t event);
/* A descriptor, or a negative errno. */
int tracefs_event_open(int64_t id, pid_t tid, enum tracefs_reach reach);
/* -EBUSY when it is in use, -ENOENT when there is none. */
int tracefs_remove(int tracefs, const struct tracefs_group *group, uint64_t event);

/*
 * Remove the group's events below this number, those in use as soon as they are free; -EBUSY when
 * some are still in use after that time. Async-signal-safe: the guard calls it.
 */
int uprobes_sweep_group(
	int tracefs, const struct tracefs_group *group, uint64_t count, uint64_t timeout_ns);
/* Remove definitions of owners that are gone, as far as they are found; logs each. */
void uprobes_sweep_dead(int tracefs, const struct log *log);

#endif
