/* SPDX-License-Identifier: BSD-2-Clause */
/* The space on the file systems to which a process may write: those with files that it has open for
 * writing, that of its working directory, and others that are nearly full or read-only, where calls
 * by path fail. A file system that may not answer is read with a timeout, and only if it is
 * used. */
#pragma once

#include "os/linux/fds/fds_reader.h"

/* Adds the mount of a descriptor that may write to it. */
void fd_space_add_mount(struct fds_reader *r, const struct fds_descriptor *d);
/* Writes struct fds_filesystem records. */
void fd_space_write(struct fds_reader *r, struct backend_run *run);
