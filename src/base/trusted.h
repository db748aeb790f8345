/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that configure a program with root's rights. HOME may name the home of any user, and files
 * there must not decide what root does: each folder, link and file on the path belongs to root, or
 * to the one user that is trusted too, and no other user can change it.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct trust {
	bool is_checked; /* false: sooth has no more rights than its caller */
	uid_t user;	 /* user trusted besides root; 0: none */
};

/* Opens a regular file for reading; with O_DIRECTORY in `flags`, a folder, to look below it.
 * *owner: the trusted user if anything on the path is that user's, also if the file is missing;
 * else the caller. -EPERM: refused. */
int trusted_open(
	const struct trust *t, const char *path, int flags, uid_t *owner, struct sooth_error *err);
/* Opens the parent folder of the path, in the same way. */
int trusted_open_parent(
	const struct trust *t, const char *path, uid_t *owner, struct sooth_error *err);
bool trusted_is_folder(const struct trust *t, const char *path);
/* Returns whether the path is such a folder, or only this caller can make one there. */
bool trusted_is_place(const struct trust *t, const char *path);
