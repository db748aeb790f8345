/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that may not answer (see patience.h), read piece by piece, so that one of any
 * length needs little memory: /proc/PID/smaps waits for whoever holds the address space.
 */
#ifndef SOOTH_OS_LINUX_PATIENT_FILE_H
#define SOOTH_OS_LINUX_PATIENT_FILE_H

#include "os/linux/files/patience.h"

struct patient_file {
	struct patience *patience;
	uint64_t deadline_ns; /* of all pieces together, CLOCK_MONOTONIC */
	int fd;		      /* -1: closed */
};

/* 0, or a negative errno. */
int patient_file_open(struct patient_file *f, struct patience *patience, int process,
	const char *name, int timeout_ms);
/* Takes over a descriptor. */
void patient_file_take(struct patient_file *f, struct patience *patience, int fd, int timeout_ms);
/* Append up to about `most` bytes. 1: there may be more, 0: that was the end; -ETIMEDOUT, -EBUSY
 * and what open(2) and read(2) say. */
int patient_file_read(struct patient_file *f, struct buffer *out, size_t most);
void patient_file_close(struct patient_file *f);

#endif
