/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration files of the user: $XDG_CONFIG_HOME/sooth, else ~/.config/sooth, as the XDG
 * base directory specification says. As root only files of root and of the user of sudo
 * (cli/rights/invoker.h). The library reads neither these nor the environment. */
#ifndef SOOTH_CLI_CONFIG_CONFIG_FILES_H
#define SOOTH_CLI_CONFIG_CONFIG_FILES_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/trusted.h"

struct config_file {
	struct buffer path, text; /* path: empty without such a folder */
	bool is_there;
	bool is_users; /* of the user of sudo: what it starts has the rights of that user */
};

/* The path of `name` in that folder; empty without such a folder. */
void config_path(struct buffer *path, const char *name);
/* The folder for what sooth found out and may forget: $XDG_CACHE_HOME/sooth, else ~/.cache/sooth;
 * NULL without one. As root: a folder of root. */
const char *config_cache_folder(void);
/* Returns whether the errno means that this user has no such file. sooth may run with another
 * user's home, and a file closed to the caller is not theirs. */
bool config_is_missing(int code);
/* A regular file up to `limit` bytes. -ENOENT and the like when it is missing, -EPERM when it may
 * not configure root. `owner` as of trusted_open(). */
int config_read(
	struct buffer *out, const char *path, size_t limit, uid_t *owner, struct sooth_error *err);
/* The file of that name in the folder. A missing one is no failure; nor is one that is refused,
 * which is reported once. */
int config_file_read(
	struct config_file *f, const char *name, size_t limit, struct sooth_error *err);
void config_file_fini(struct config_file *f);
/* Returns whether the folder of that name is refused. */
bool config_refuses_folder(const char *path, struct sooth_error *err);

#endif
