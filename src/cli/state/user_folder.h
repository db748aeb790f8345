/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A folder in which the monitor keeps something of the user: 0700 and the user's; with sudo the
 * invoking user's, with whose rights all is done in it. Links, files, and what belongs to others
 * are refused; as root also where another user could put another folder in its place.
 */
#ifndef SOOTH_CLI_USER_FOLDER_H
#define SOOTH_CLI_USER_FOLDER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "cli/rights/invoker.h"

struct user_folder_kind {
	const char *below;    /* of the home: ".claude/fifos" */
	const char *variable; /* of the environment, that names a folder instead; NULL: none */
	const char *below_variable; /* of that folder */
	const char *option;	    /* that names another one */
};

struct user_folder {
	int fd;
	uid_t uid;
	struct rights before;
	const struct user_folder_kind *kind;
	char path[4096];
};

/* `path` NULL: the default. Made if it is not there, and locked: there is one monitor a folder. */
int user_folder_open(struct user_folder *f, const struct user_folder_kind *kind, const char *path,
	struct sooth_error *err);
/* False: it was removed, or its path leads to another. */
bool user_folder_is_there(struct user_folder *f);
/* The content of the folder stays. */
void user_folder_close(struct user_folder *f);
/* Set the user, then the default path, of a folder that is not opened. */
void user_folder_set(struct user_folder *f, const struct user_folder_kind *kind);
int user_folder_default(struct user_folder *f, struct sooth_error *err);
/* Takes the rights of the folder's user, until user_folder_leave(). */
int user_folder_enter(struct user_folder *f, struct sooth_error *err);
void user_folder_leave(struct user_folder *f);
/* -EINVAL: a name in it (NULL: the folder) is not used, for that reason. */
int user_folder_refuse(
	const struct user_folder *f, const char *name, const char *why, struct sooth_error *err);

#endif
