/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls with known arguments, each told in the order it was made. What is told is how the
 * arguments are to be written by whoever watches: as a watcher has to write them.
 */
#ifndef CALLS_H
#define CALLS_H

#include "workload.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#define P(pointer) ((long)(uintptr_t)(pointer))

/* Makes it and keeps its name and result for told(). Directly: libc may make another. */
#define CALL(name, ...) call_make(#name, SYS_##name, (const long[6]){ __VA_ARGS__ })

void calls_in_child(long tid);
long call_make(const char *name, long number, const long a[6]);
/* Of the call made last: the path it is about, from the root (NULL: none), and its arguments. */
void told(const char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Of a call that does not return here: an exec or exit. */
void reported_before(const char *name, const char *result, const char *path, const char *format,
	...) __attribute__((format(printf, 4, 5)));

/* "/tmp/calls-x/NAME"; three may be in use at once. */
const char *in_calls(const char *name);
/* "5</tmp/calls-x/NAME>", or "5<WORDS>" */
const char *fd_of(long fd, const char *name);
const char *fd_is(long fd, const char *words);

extern char calls_folder[256]; /* where the scenario is */
extern char calls_stdin[64];   /* what descriptor 0 is */

void calls_of_files(void);
void calls_of_descriptors(void);
void calls_of_names(void);
void calls_of_hostile_names(void);
void calls_of_memory(void);
void calls_of_sockets(void);
void calls_of_waiting(void);
void calls_of_time(void);
void calls_of_processes(void);
void calls_of_ipc(void);
void calls_of_flags(void);

#endif
