/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds files by inode below some directories, with limits on time and entries. Directories are
 * read without updating their access time (O_NOATIME), which only their owner may: others are
 * skipped. Made for timeout_call(): it owns everything it uses.
 */
#ifndef SOOTH_OS_LINUX_FD_SEARCH_H
#define SOOTH_OS_LINUX_FD_SEARCH_H

#include "base/buffer.h"
#include "os/linux/files/path_lookup.h"

#define FD_SEARCH_MS 500

struct fd_search;

/* Below these paths (each ended by a NUL) in the root of the process. */
struct fd_search *fd_search_new(int process, const struct buffer *roots);
void fd_search_free(struct fd_search *s);
void fd_search_add(struct fd_search *s, const struct path_aim *aim);
/* The path of the file, if it was found; borrowed. */
bool fd_search_get(const struct fd_search *s, const struct path_aim *aim, struct span *path);
/* The only descriptor it needs. */
int fd_search_descriptor(const struct fd_search *s);
/* For timeout_call(): the argument is a pointer to a struct fd_search pointer. */
void fd_search_do(void *argument);
void fd_search_drop(void *argument);

#endif
