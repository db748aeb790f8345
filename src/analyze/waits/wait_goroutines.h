/* SPDX-License-Identifier: BSD-2-Clause */
/* The waits of the goroutines of a Go program. */
#pragma once

#include "analyze/waits/wait_graph.h"
#include "base/buffer.h"

/* Returns the group of goroutines after `before`; NULL gives the first. */
const struct waits_goroutines *wait_goroutines_next(
	const struct wait_graph *g, uint32_t pid, const struct waits_goroutines *before);
#define wait_goroutines_each(g, pid, w)                                                            \
	for (const struct waits_goroutines *w = NULL; (w = wait_goroutines_next(g, pid, w));)
/* Returns whether the goroutines wait for a mutex that another goroutine has. */
bool wait_goroutines_want_lock(const struct waits_goroutines *w);
/* Returns whether the goroutines wait for a read-write lock, to write. */
bool wait_goroutines_want_to_write(const struct waits_goroutines *w);
/* Returns whether the goroutines, the main one excepted, send to a channel that is full, or that no
 * goroutine receives from. */
bool wait_goroutines_send(const struct waits_goroutines *w);
/* Returns whether only another goroutine of the program can end the wait: no client, file or timer
 * does. A channel that is received from may be one of a timer or of signals. */
bool wait_goroutines_want_goroutine(const struct waits_goroutines *w);
/* Returns whether the goroutines receive from a channel, or select. A main goroutine often does so
 * until a signal comes. */
bool wait_goroutines_want_channel(const struct waits_goroutines *w);
/* Returns whether the goroutines wait for a client or a file, or for a time. */
bool wait_goroutines_want_event(const struct waits_goroutines *w);
/* Appends what goroutines wait for: "sync.(*WaitGroup).Wait, called by main.main", or "a channel to
 * send to, in main.main". */
void wait_goroutines_text(struct buffer *out, const struct waits_goroutines *w);
/* Appends "; its main goroutine waits in ...", if that says more than the wait of the thread: not
 * if the goroutine sleeps or waits for input. */
void wait_put_main_goroutine(struct buffer *out, const struct wait_graph *g, uint32_t pid);
