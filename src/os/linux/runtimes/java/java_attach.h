/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks HotSpot for a class histogram, through the socket that jcmd(1) uses as well. The JVM makes
 * the socket when it finds a file .attach_pidPID in its /tmp after a SIGQUIT, and counts the live
 * objects after a full collection.
 *
 * SIGQUIT ends any other process, so it is sent at most once, and only if the process catches it,
 * has libjvm.so and its own file of counters mapped, and that file says that attaching is on. The
 * user of the JVM may be hostile: a child process that has only that user's rights makes the file,
 * sends the signal and reads the answer, which is bounded in size and time.
 */
#pragma once

#include "base/buffer.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/timeout.h"

/* Replaces the buffer's contents by the answer; *is_cut: it was longer than what is read. Returns
 * NULL, or why there is none. The caller asks a process that did not answer never again. */
const char *java_attach_histogram(struct timeout *timeout, const struct process_snapshot *process,
	struct buffer *out, bool *is_cut);
