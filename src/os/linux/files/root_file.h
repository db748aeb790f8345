/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files in the root of a process, by the paths it uses itself: links lead where they would lead
 * it. All of this may wait for a disk or a server: call it with a timeout (timeout.h).
 */
#pragma once

#include <stdint.h>
#include <sys/stat.h>

#include "base/buffer.h"

/* Opens a process's root from its open /proc/PID: a descriptor, or a negative errno. */
int root_open(int process);
/* Flags of open(2). A descriptor, or a negative errno. */
int root_file_open(int root, const char *path, int flags);
/* Opens a regular file that is no link; any other type of file is not touched. A descriptor, or a
 * negative errno. */
int root_file_open_regular(int root, const char *path, struct stat *st);
/* Opens such a file if `uid` owns it (0: any user); -EACCES: another user owns it. A process may
 * put any file into the place of its own, by a link or by a mount, and root could read it. */
int root_file_open_owned(int root, const char *path, uint32_t uid, struct stat *st);
/* Appends up to that many bytes from an offset. 0, or a negative errno. */
int root_file_read(int fd, struct buffer *out, uint64_t offset, size_t most);
/* Appends the whole of an open file; -EFBIG when it is longer. */
int root_file_read_whole(int fd, const struct stat *st, struct buffer *out, size_t most);
/* Reads the whole of a regular file, replacing the buffer's contents; -EFBIG when it is longer. */
int root_file_whole(int root, const char *path, struct buffer *out, size_t most, struct stat *st);
