/* SPDX-License-Identifier: BSD-2-Clause */
/* A piece of a file, at a place. */
#ifndef SOOTH_BASE_READ_AT_H
#define SOOTH_BASE_READ_AT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* As pread(2), as often as it takes: fewer bytes only where the file ends. Returns the number read,
 * or a negative errno. */
ssize_t read_at(int fd, void *out, size_t size, uint64_t offset);
/* Reads all `size` bytes, or returns false. */
bool read_all_at(int fd, void *out, size_t size, uint64_t offset);

#endif
