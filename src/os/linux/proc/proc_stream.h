/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the standard streams of a process lead, and whether a pipe still has a writer. What calls
 * may wait for a file system: call it with patience. */
#ifndef SOOTH_OS_LINUX_PROC_STREAM_H
#define SOOTH_OS_LINUX_PROC_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

struct proc_stream_answer {
	uint8_t stream;	       /* enum proc_stream */
	uint8_t state;	       /* of that and the inode */
	bool is_readable;      /* it was opened for reading */
	uint64_t inode;	       /* of pipes and sockets also their number */
	uint64_t device;       /* of a FIFO of a file system; 0: a pipe */
	uint64_t input_utc_ns; /* of a terminal: when it was last read from; 0: it is none */
	struct buffer path;    /* of a file, or of a FIFO of a file system */
};

/* `process` is /proc/PID. */
void proc_stream_read(struct proc_stream_answer *out, int process, unsigned fd);
/*
 * Whether somebody holds the other end of a pipe or FIFO, for writing: 1 or 0; -ENODATA:
 * it cannot be told like this; or another negative errno.
 */
int proc_stream_has_writer(const struct proc_stream_answer *stream, int process, unsigned fd);

#endif
