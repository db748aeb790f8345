/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How functions of a target are probed. Two ways: perf events that forks inherit
 * (uprobes.h) and links to one process each (uprobes_multi.h). Both put many places
 * under one event and run one BPF program for it.
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
	int file;	 /* a descriptor of it, open until define() returns */
	uint64_t offset; /* in the file */
};

struct prober_type {
	/* Children have what their parent has, before their first instruction. Otherwise each new
	 * process has to be attached to, and runs unseen until then. */
	bool is_inherited;
	int (*open)(void **out, const struct log *log, struct sooth_error *err);
	/*
	 * A new event over `count` places, run by a loaded BPF program (a descriptor, borrowed).
	 * *event is its number, from 0. When the kernel refuses a place the whole event is taken
	 * back and *refused (may be NULL) tells which.
	 */
	int (*define)(void *prober, const struct prober_place *places, size_t count, bool is_return,
		int program, unsigned *event, size_t *refused, struct sooth_error *err);
	/* To a thread of a process. 1; 0 when it was attached already. -ESRCH: it is gone; -EMFILE
	 * with the limit named. */
	int (*attach)(void *prober, unsigned event, pid_t pid, pid_t tid, struct sooth_error *err);
	/* A child that has events by inheritance alone is made sure of, as soon as it is heard of;
	 * its end is told too. NULL: no need. */
	int (*keep)(void *prober, unsigned event, pid_t pid, struct sooth_error *err);
	void (*release)(void *prober, pid_t pid);
	size_t (*descriptors)(const void *prober);
	/* Take everything away. Told: how long it took until the kernel had forgotten. Takes NULL.
	 */
	void (*close)(void *prober, uint64_t *forgotten_ns);
};

/* What programs for prober_multi are loaded with: BPF_TRACE_UPROBE_MULTI. */
#define PROBER_MULTI_ATTACH_TYPE 48

extern const struct prober_type prober_tracefs;
extern const struct prober_type prober_multi;

#endif
