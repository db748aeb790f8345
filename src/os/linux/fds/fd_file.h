/* SPDX-License-Identifier: BSD-2-Clause */
/* The file behind a descriptor, read by statx(2): with a timeout on mounts that may not answer,
 * and not again after one timed out. */
#ifndef SOOTH_OS_LINUX_FD_FILE_H
#define SOOTH_OS_LINUX_FD_FILE_H

#include "os/linux/fds/fds_reader.h"

/* Of raw->fd: fills mode, links, inode, size and devices, and inode_state. */
void fd_file_read(struct fds_reader *r, struct fd_raw *raw);

#endif
