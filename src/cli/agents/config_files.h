/* SPDX-License-Identifier: BSD-2-Clause */
/* The user's own files: $XDG_CONFIG_HOME/sooth, else ~/.config/sooth, as the XDG base directory
 * specification says. The library reads neither files of the user nor the environment. */
#ifndef SOOTH_CLI_CONFIG_FILES_H
#define SOOTH_CLI_CONFIG_FILES_H

#include "base/buffer.h"
#include "base/error.h"

/* The path of `name` in that folder; stays empty when there is no such place. */
void config_path(struct buffer *path, const char *name);
/* Whether an errno says that there is nothing for us: whoever runs sooth may run it with another's
 * home, and a file closed to them is not theirs. */
bool config_is_missing(int code);
/* A plain file up to `limit` bytes: a pipe under that name would hold us up. -ENOENT and
 * the like when it is missing. */
int config_read(struct buffer *out, const char *path, size_t limit, struct sooth_error *err);

#endif
