/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands at the name of an output file, and whether what is written there reaches only the
 * caller: a FIFO, a terminal or a file of another user is read by that user, whatever its mode.
 */
#ifndef SOOTH_BASE_FILE_CHECKS_H
#define SOOTH_BASE_FILE_CHECKS_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"

/* A FIFO or a character device takes bytes as they come: no temporary, no truncation. */
bool file_is_stream(mode_t mode);
int file_refuse_link(const char *path, struct sooth_error *err);
int file_refuse_kind(const char *path, mode_t mode, struct sooth_error *err);
/* Whether something that exists may be written in place. */
int file_check_place(const char *path, const struct stat *st, struct sooth_error *err);
/* An older file or FIFO of ours may be readable by others. Devices stay as they are. */
int file_make_private(const char *path, int fd, const struct stat *st, struct sooth_error *err);
/* /dev/stdout, /dev/stderr, /dev/fd/N: a duplicate of a descriptor that this program was started
 * with, which the caller has opened. -1: no such name, or no such descriptor. */
int file_inherited(const char *path);

#endif
