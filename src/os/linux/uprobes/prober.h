/* SPDX-License-Identifier: BSD-2-Clause */
/* How functions of a target are probed. There are two ways: perf events that forks inherit
 * (uprobes.h), and links to one process each (uprobes_multi.c). Both put many places under one
 * event and run one BPF program for it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"

struct links_holder;

struct prober_place {
	int file;	 /* descriptor of the file, open until define() returns */
	uint64_t offset; /* offset in the file */
	uint64_t cookie; /* value for the program; only in prober_session */
};

struct prober_type {
	/* True: a child has the events of its parent before its first instruction. False: each new
	 * process has to be attached to, and runs unseen until then. */
	bool is_inherited;
	int (*open)(void **out, const struct log *log, struct sooth_error *err);
	/* Defines an event over `count` places, run by a loaded BPF program (a descriptor,
	 * borrowed). *event is the number of the event, from 0. If the kernel refuses a place, the
	 * whole event is removed, and *refused (may be NULL) is the index of that place. */
	int (*define)(void *prober, const struct prober_place *places, size_t count, bool is_return,
		int program, unsigned *event, size_t *refused, struct sooth_error *err);
	/* Attaches an event to a thread of a process. Returns 1, or 0 when it was attached already.
	 * -ESRCH: the thread is gone; -EMFILE with the limit named. */
	int (*attach)(void *prober, unsigned event, pid_t pid, pid_t tid, struct sooth_error *err);
	/* Gives the links that are attached from now on to a process that closes them when sooth is
	 * stopped (borrowed). NULL: not possible. */
	void (*hold)(void *prober, struct links_holder *holder);
	/* Makes sure that a child keeps events that it only inherited. Called as soon as the child
	 * is known. NULL: not needed. */
	int (*keep)(void *prober, unsigned event, pid_t pid, struct sooth_error *err);
	/* Notes that the process has ended. */
	void (*release)(void *prober, pid_t pid);
	size_t (*descriptors)(const void *prober);
	/* Removes the breakpoints. After it only close() may be called. NULL: close() removes
	 * them. */
	void (*detach)(void *prober);
	/* Removes everything, or leaves that to another process. Returns how long the call took.
	 * Takes NULL. */
	void (*close)(void *prober, uint64_t *detach_ns);
};

/* The attach type for loading programs of prober_multi: BPF_TRACE_UPROBE_MULTI. */
#define PROBER_MULTI_ATTACH_TYPE 48
/* The attach type of prober_session: BPF_TRACE_UPROBE_SESSION. */
#define PROBER_SESSION_ATTACH_TYPE 57

extern const struct prober_type prober_tracefs;
extern const struct prober_type prober_multi;
/* Links of sessions (Linux 6.13): the program runs at an entry, and at the return of the call
 * unless it answered 1 at the entry. This answer does not suppress other return probes of the
 * place, so there must be none. Events have is_return false. */
extern const struct prober_type prober_session;
