/* SPDX-License-Identifier: BSD-2-Clause */
/* The files at the standard streams of a process, and whether a pipe still has a writer. May wait
 * for a file system: call it with a timeout. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

struct proc_stream_info {
	uint8_t stream;		/* enum proc_stream */
	uint8_t state;		/* state of the stream and its inode */
	bool is_readable;	/* opened for reading */
	uint64_t inode;		/* number of the pipe or socket */
	uint64_t device;	/* device of a FIFO of a file system; 0: a pipe */
	uint64_t input_utc_ns;	/* of a terminal: when it was last read from; 0: no terminal */
	uint64_t output_utc_ns; /* of a file: when it was last written to; 0: no file */
	struct buffer path;	/* path of a file, or of a FIFO of a file system */
};

/* Reads a standard stream. `process`: /proc/PID. */
void proc_stream_read(struct proc_stream_info *out, int process, unsigned fd);
/* Returns whether a process has the other end of a pipe or FIFO open for writing: 1 or 0; -ENODATA:
 * this way cannot show it; or another negative errno. */
int proc_stream_has_writer(const struct proc_stream_info *stream, int process, unsigned fd);
