/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration files of the user: $XDG_CONFIG_HOME/sooth, else ~/.config/sooth, as the XDG
 * base directory specification says. The library reads neither these nor the environment. */
#ifndef SOOTH_CLI_CONFIG_FILES_H
#define SOOTH_CLI_CONFIG_FILES_H

#include "base/buffer.h"
#include "base/error.h"

/* The path of `name` in that folder; empty without such a folder. */
void config_path(struct buffer *path, const char *name);
/* The folder for what sooth found out and may forget: $XDG_CACHE_HOME/sooth, else ~/.cache/sooth; NULL
 * without one. */
const char *config_cache_folder(void);
/* The errno means: no such file for this user. sooth may run with another user's home, and a
 * file closed to the caller is not theirs. */
bool config_is_missing(int code);
/* A regular file up to `limit` bytes: a pipe of that name would block. -ENOENT and the like
 * when it is missing. With root's rights and another user's home only that user's own files: a
 * link of that user could lead to any file, and an error repeats what it could not read. */
int config_read(struct buffer *out, const char *path, size_t limit, struct sooth_error *err);

#endif
