/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Definitions of user-space probes in tracefs (uprobe_events). An event may have several probes.
 * Names have the form sooth_<pid>_<start>_<guard>/e<number>: they show which process made the
 * event, and whether that process is gone. In a PID namespace the group ends in _<inode> of it.
 *
 * Removing an event is dangerous. If it has several probes, the kernel frees all but the last
 * without checking whether they are in use, and the freed ones stay linked where breakpoints are
 * looked up (5.10 to 7.2: at the next hit the kernel oopses). No file shows whether an event is in
 * use, so each event is made testable. Its first probe is in the latch, an empty file made by sooth
 * that has a size only while the event is opened for the first time. Opening an unused event
 * registers its probes, and that fails at the latch, before all other probes; opening an event in
 * use succeeds. When the last descriptor that could attach the event is closed, an unused event
 * stays unused.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"
#include "model/process_id.h"

/* Owner of the definitions. The guard's PID distinguishes several observers in one process. */
struct tracefs_group {
	struct process_id owner;
	uint64_t guard;
	uint64_t pid_namespace; /* the one that has these PIDs; 0: the initial one */
};

/* Offset of the latch's probe: the latch is open while the file is longer. */
#define TRACEFS_LATCH_OFFSET 16

/* Opens the mounted tracefs, or a private mount. Returns a descriptor. */
int tracefs_open(struct sooth_error *err);

/* Adds one more probe to the event. */
int tracefs_define(int tracefs, const struct tracefs_group *group, uint64_t event, bool is_return,
	int file, uint64_t offset, struct sooth_error *err);

/* Where opening an event on a thread puts breakpoints. */
enum tracefs_reach {
	TRACEFS_NOWHERE, /* nowhere: the event is only in use */
	TRACEFS_THREAD,	 /* into the thread's memory, also after an exec */
	TRACEFS_TREE,	 /* the same, and into the memory of all processes forked from it */
	/* the same on older kernels, on which a process may lose the event (see uprobes.h) */
	TRACEFS_TREE_LOOSELY,
};

/* Returns whether inheritance is only loose. The kernel exchanges inherited events between threads,
 * unless each event reports its own count with a sample. Such events can be inherited since 6.12;
 * earlier kernels refuse them. (No sample is ever taken.) */
bool tracefs_inherits_loosely(void);

/* The functions below are async-signal-safe. */

/* Returns perf's number of the event, or a negative errno. */
int64_t tracefs_event_id(int tracefs, const struct tracefs_group *group, uint64_t event);
/* Opens an event on a thread. Returns a descriptor, or a negative errno. */
int tracefs_event_open(int64_t id, pid_t tid, enum tracefs_reach reach);
/* Removes an event. -EBUSY: it is in use; -ENOENT: there is none. */
int tracefs_remove(int tracefs, const struct tracefs_group *group, uint64_t event);

/* Removes the group's events below `count`, those in use as soon as they are free; -EBUSY: some are
 * still in use after the timeout. Async-signal-safe: the guard calls it. */
int uprobes_sweep_group(
	int tracefs, const struct tracefs_group *group, uint64_t count, uint64_t timeout_ns);
/* Removes definitions of owners that are gone, if it finds any; logs each. */
void uprobes_sweep_dead(int tracefs, const struct log *log);
