/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that took over the name of another file, which a process still reads: a log that was
 * rotated or deleted. Only descriptors at the end of such a file are checked, each by one lookup of
 * the name. */
#pragma once

#include "os/linux/fds/fds_reader.h"

/* Writes a struct fds_successor if another file has the name now. */
void fd_successor_write(struct fds_reader *r, struct backend_run *run,
	const struct fds_descriptor *d, struct span path);
