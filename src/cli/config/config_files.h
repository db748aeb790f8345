/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration files of the user: $XDG_CONFIG_HOME/sooth, else ~/.config/sooth, as the XDG base
 * directory specification says. As root, sooth reads only files of root and of the user of sudo
 * (cli/rights/invoker.h). The library reads neither these files nor the environment. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "base/trusted.h"

struct config_file {
	struct buffer path, text; /* path: empty if there is no folder */
	bool is_there;
	bool is_users; /* the user of sudo owns the file: its programs run as that user */
};

/* Sets the path of `name` in the configuration folder; empty if there is no folder. */
void config_path(struct buffer *path, const char *name);
/* Returns the cache folder, $XDG_CACHE_HOME/sooth, else ~/.cache/sooth; NULL: none. As root it is a
 * folder of root. */
const char *config_cache_folder(void);
/* Returns whether the errno means that this user has no such file. A file that the caller may not
 * read counts as missing: sooth may run with the home of another user. */
bool config_is_missing(int code);
/* Reads a regular file of up to `limit` bytes. -ENOENT and similar if it is missing, -EPERM if it
 * may not configure root. `owner`: see trusted_open(). */
int config_read(
	struct buffer *out, const char *path, size_t limit, uid_t *owner, struct sooth_error *err);
/* Reads a file with a secret in the same way. It must be readable only for its owner, which is this
 * user or root. */
int config_read_secret(struct buffer *out, const char *path, size_t limit, struct sooth_error *err);
/* Reads the file of that name in the configuration folder. A missing or refused file is no failure;
 * the latter is reported once. */
int config_file_read(
	struct config_file *f, const char *name, size_t limit, struct sooth_error *err);
void config_file_fini(struct config_file *f);
/* Returns whether the folder may not be used, as its owner may not configure root. */
bool config_refuses_folder(const char *path, struct sooth_error *err);
