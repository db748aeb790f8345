/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How functions of a target are probed. Two ways: perf events that forks inherit (uprobes.h) and
 * links to one process each (uprobes_multi.h). Both put many places under one event and run one
 * BPF program for it.
 */
#ifndef SOOTH_OS_LINUX_PROBER_H
#define SOOTH_OS_LINUX_PROBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"

struct prober_place {
	int file;	 /* its descriptor, open until define() returns */
	uint64_t offset; /* in the file */
	uint64_t cookie; /* for the program; of prober_session only */
};

struct prober_type {
	/* Children have the events of their parent, before their first instruction. Otherwise each
	 * new process has to be attached to, and runs unseen until then. */
	bool is_inherited;
	int (*open)(void **out, const struct log *log, struct sooth_error *err);
	/* Defines an event over `count` places, run by a loaded BPF program (a descriptor,
	 * borrowed). *event is the number of the event, from 0. When the kernel refuses a place the
	 * whole event is removed and *refused (may be NULL) is that place. */
	int (*define)(void *prober, const struct prober_place *places, size_t count, bool is_return,
		int program, unsigned *event, size_t *refused, struct sooth_error *err);
	/* Attaches an event to a thread of a process. Returns 1, or 0 when it was attached already.
	 * -ESRCH: the thread is gone; -EMFILE with the limit named. */
	int (*attach)(void *prober, unsigned event, pid_t pid, pid_t tid, struct sooth_error *err);
	/* Makes sure that a child keeps events that it has only by inheritance; called as soon as
	 * the child is known. NULL: not needed. */
	int (*keep)(void *prober, unsigned event, pid_t pid, struct sooth_error *err);
	/* The process has ended. */
	void (*release)(void *prober, pid_t pid);
	size_t (*descriptors)(const void *prober);
	/* Takes the breakpoints away; only close() may follow. NULL: close() does it at once. */
	void (*detach)(void *prober);
	/* Remove everything, or leave it to a process that does. Returns how long that took.
	 * Takes NULL. */
	void (*close)(void *prober, uint64_t *detach_ns);
};

/* The attach type for loading programs of prober_multi: BPF_TRACE_UPROBE_MULTI. */
#define PROBER_MULTI_ATTACH_TYPE 48
/* The attach type of prober_session: BPF_TRACE_UPROBE_SESSION. */
#define PROBER_SESSION_ATTACH_TYPE 57

extern const struct prober_type prober_tracefs;
extern const struct prober_type prober_multi;
/*
 * Links of sessions (Linux 6.13): the program runs at an entry, and at the return of the call
 * unless it has answered 1. A program's answer at an entry suppresses no other return probe of the
 * place, so there must be none. Events have is_return false.
 */
extern const struct prober_type prober_session;

#endif
