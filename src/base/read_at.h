/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a part of a file, from an offset. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Repeats pread(2) until all bytes are read: there are fewer only if the file ends. Returns the
 * number of bytes, or a negative errno. */
ssize_t read_at(int fd, void *out, size_t size, uint64_t offset);
/* Reads all `size` bytes, or returns false. */
bool read_all_at(int fd, void *out, size_t size, uint64_t offset);
