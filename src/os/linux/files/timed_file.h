/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that may not answer (see timeout.h), read piece by piece, so that a file of any length
 * needs little memory. Reading /proc/PID/smaps, for example, waits while another thread holds the
 * lock of the address space. */
#pragma once

#include "os/linux/files/timeout.h"

struct timed_file {
	struct timeout *timeout;
	uint64_t deadline_ns; /* time at which reading all pieces ends, CLOCK_MONOTONIC */
	int fd;		      /* -1: closed */
};

/* Opens a file within a timeout. Returns 0, or a negative errno. */
int timed_file_open(struct timed_file *f, struct timeout *timeout, int process, const char *name,
	int timeout_ms);
/* Appends up to about `most` bytes. Returns 1: there may be more, 0: that was the end; -ETIMEDOUT,
 * -EBUSY, or an error of open(2) or read(2). */
int timed_file_read(struct timed_file *f, struct buffer *out, size_t most);
void timed_file_close(struct timed_file *f);
