/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User-space probes of a tree of processes, exactly: probes are defined in tracefs
 * (uprobe_events), opened as perf tracepoint events on threads with inherit, and a
 * BPF program is set on them. The kernel puts breakpoints only into memory of
 * threads that have the event, and new threads, forked children and exec'd programs
 * have it by inheritance before their first instruction.
 *
 * Many sites stand under one event, because closing an event takes the kernel some
 * 100 ms: the program tells them apart by the instruction pointer. Entries and
 * returns cannot share one.
 *
 * Definitions are made through open descriptors (/proc/self/fd/N:0xOFFSET), so any
 * path in any mount namespace works; the kernel keeps the file. They outlive whoever
 * made them, so a guard, a small process of our own, removes them when sooth is gone
 * by whatever way; and whoever opens uprobes first sweeps away what dead owners left.
 *
 * Not thread-safe: one thread at a time. Needs root (cap_sys_admin: tracefs, perf).
 * Kernel: 5.4 and later (several probes under one event).
 */
#ifndef SOOTH_OS_LINUX_UPROBES_H
#define SOOTH_OS_LINUX_UPROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"

struct uprobes;

struct uprobe_place {
	int file;	 /* a descriptor of it, open until uprobes_define() returns */
	uint64_t offset; /* in the file */
};

/* Also starts the guard and sweeps. -EPERM, -ENOENT (no tracefs in this kernel) with a remedy. */
int uprobes_open(struct uprobes **out, const struct log *log, struct sooth_error *err);

/*
 * A new event over `count` places, run by a loaded BPF program of type kprobe (a
 * descriptor, borrowed). *event is its number, from 0. When a place is refused by
 * the kernel the whole event is taken back and *refused (may be NULL) tells which.
 */
int uprobes_define(struct uprobes *u, const struct uprobe_place *places, size_t count,
	bool is_return, int program, unsigned *event, size_t *refused, struct sooth_error *err);

/* Attach the event to a thread; what it forks from here on inherits it. -ESRCH: it is gone;
 * -EMFILE with the limit named. Attached twice does no harm. */
int uprobes_attach(struct uprobes *u, unsigned event, pid_t tid, struct sooth_error *err);

/* Descriptors held by attached events. */
size_t uprobes_descriptors(const struct uprobes *u);

/*
 * Close all events, remove the definitions, let the guard end and reap it. Told, for
 * the report: how long it took until the kernel had forgotten everything. Takes NULL.
 */
void uprobes_close(struct uprobes *u, uint64_t *forgotten_ns);

#endif
