/* SPDX-License-Identifier: BSD-2-Clause */
/* A folder of the monitor: mode 0700, owned by the user, or with sudo by the invoking user, whose
 * rights are used for all access. Links, files and folders of other users are refused; as root also
 * folders that another user could replace. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "cli/rights/invoker.h"

struct user_folder_kind {
	const char *below;    /* path below the home: ".claude/fifos" */
	const char *variable; /* environment variable with a folder to use instead; NULL: none */
	const char *below_variable; /* path below the folder in that variable */
	const char *option;	    /* option that sets another folder */
};

struct user_folder {
	int fd;
	uid_t uid;
	struct rights before;
	const struct user_folder_kind *kind;
	char path[4096];
};

/* Opens the folder, made if missing. `path` NULL: default. */
int user_folder_make(struct user_folder *f, const struct user_folder_kind *kind, const char *path,
	struct sooth_error *err);
/* Opens it and locks it: one monitor per folder. */
int user_folder_open(struct user_folder *f, const struct user_folder_kind *kind, const char *path,
	struct sooth_error *err);
/* Returns false if the folder was removed, or its path leads to another folder. */
bool user_folder_is_there(struct user_folder *f);
/* Closes the folder, whose content stays. */
void user_folder_close(struct user_folder *f);
/* Sets the user and the default path of a folder without opening it. */
void user_folder_set(struct user_folder *f, const struct user_folder_kind *kind);
int user_folder_default(struct user_folder *f, struct sooth_error *err);
/* Assumes the rights of the folder's user, until user_folder_leave(). */
int user_folder_enter(struct user_folder *f, struct sooth_error *err);
void user_folder_leave(struct user_folder *f);
/* Returns -EINVAL, with an error that the file `name` in the folder (NULL: the folder itself) is
 * refused. */
int user_folder_refuse(
	const struct user_folder *f, const char *name, const char *why, struct sooth_error *err);
