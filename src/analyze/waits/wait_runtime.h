/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits for Java locks; HotSpot knows their owners. */
#pragma once

#include "analyze/waits/wait_chain.h"
#include "base/buffer.h"

/* Returns the text of a Java wait: "waits for a CountDownLatch"; NULL: the thread is in no Java
 * wait, or in one with an owner. */
const char *wait_runtime_text(const struct waits_thread *t);
/* Returns whether the thread waits for work or on a condition: no other thread owns the object of
 * the wait. */
bool wait_is_runtime_idle(const struct waits_thread *t);
bool wait_is_runtime_lock(const struct waits_thread *t);
/* Returns whether the thread waits for a monitor that had the same owner at the sample before. That
 * is one wait, although HotSpot wakes the thread once a second to look again. */
bool wait_is_same_monitor(const struct wait_graph *g, const struct waits_thread *t);
/* "waits for a Java lock (ReentrantLock) held by "; false: it is none. */
bool wait_put_runtime_lock(struct buffer *out, const struct wait_link *link);
