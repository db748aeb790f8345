/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User-space probes of a tree of processes. Probes are defined in tracefs (uprobe_events) and
 * opened as perf tracepoint events on threads with inherit, and a BPF program is set on them. The
 * kernel puts breakpoints only into memory of threads that have the event, and new threads, forked
 * children and exec'd programs inherit the event before their first instruction.
 *
 * That is exact since Linux 6.12. On older kernels a process may lose breakpoints that it only
 * inherited: on a switch between two threads that inherited the same events the kernel exchanges
 * the events instead of switching them, and when one of the two ends, the kernel removes the
 * other's breakpoints (a forked process that forked and waited lost them in nearly every run). Safe
 * are the processes of attached threads, and their children until these start threads or processes.
 * So if uprobes_needs_keeping(), the caller has to call uprobes_keep_breakpoints() for each new
 * process as soon as it is known: from then on the process is safe, too, and has its breakpoints
 * again if they were lost. Its earlier calls may be missed.
 *
 * A hit costs some 10 ns more for each other thread and process that has the event: the kernel goes
 * through a list of them, the newest first.
 *
 * Many sites share one event, because closing an event takes the kernel some 100 ms: the program
 * distinguishes them by the instruction pointer. Entries and returns cannot share one.
 *
 * Definitions are made through open descriptors (/proc/self/fd/N:0xOFFSET), so any path in any
 * mount namespace works; the kernel keeps the file. Definitions outlive their process, so a guard,
 * a small child process, removes them however sooth ends (uprobes_guard.h), and the next
 * uprobes_open() first removes those of dead owners.
 *
 * Not thread-safe: one thread at a time. Needs root (cap_sys_admin: tracefs, perf). Kernel: 5.4 and
 * later (several probes under one event).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"
#include "os/linux/uprobes/prober.h"

struct uprobes;

/* Opens the prober, starts the guard, and removes definitions of dead owners. -EPERM, -ENOENT (no
 * tracefs in this kernel) with a remedy. */
int uprobes_open(struct uprobes **out, const struct log *log, struct sooth_error *err);

/* Defines a new event over `count` places, run by a loaded BPF program of type kprobe (a
 * descriptor, borrowed). *event is its number, from 0. If the kernel refuses a place, the whole
 * event is removed, and *refused (may be NULL) is the index of that place. */
int uprobes_define(struct uprobes *u, const struct prober_place *places, size_t count,
	bool is_return, int program, unsigned *event, size_t *refused, struct sooth_error *err);

/* Attaches the event to a thread; processes that the thread forks later inherit it. -ESRCH: the
 * thread is gone; -EMFILE with the limit named. Attaching twice does no harm. */
int uprobes_attach(struct uprobes *u, unsigned event, pid_t tid, struct sooth_error *err);

/* Returns whether children need uprobes_keep_breakpoints(): before Linux 6.12. */
bool uprobes_needs_keeping(const struct uprobes *u);
/* Secures a process that inherited the event; errors are those of uprobes_attach(). Pass the main
 * thread while it lives. Does nothing if this is not needed. */
int uprobes_keep_breakpoints(struct uprobes *u, unsigned event, pid_t tid, struct sooth_error *err);
/* Notes that a thread has ended: closes the descriptors that kept its events. No process inherits
 * from a closed event. */
void uprobes_release(struct uprobes *u, pid_t tid);

/* Returns the number of open descriptors: one for each event, one for each attached thread and
 * event (two if uprobes_needs_keeping()), one for each kept event. */
size_t uprobes_descriptors(const struct uprobes *u);

/* Removes the breakpoints, which takes microseconds. After it only uprobes_close() may be called.
 * Takes NULL. */
void uprobes_detach(struct uprobes *u);

/* Removes the breakpoints, and leaves the events and definitions to a process that removes them in
 * some 100 ms each; it is no child of the caller. Without the guard they are removed here. Returns
 * how long this call took, for the report. Takes NULL. */
void uprobes_close(struct uprobes *u, uint64_t *detach_ns);
