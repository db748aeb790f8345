/* SPDX-License-Identifier: BSD-2-Clause */
/* The user of sudo, by SUDO_UID. Files of this user may configure sooth like those of root, but
 * programs and files that result from them are started and made with the rights of that user. */
#pragma once

#include "base/trusted.h"

#define RIGHTS_GROUPS 256

/* Finds the user who called sudo. False: sooth was not started by sudo. */
bool invoker_find(uid_t *uid, gid_t *gid);
/* Trusts files of root and of the user of sudo. */
struct trust invoker_trust(void);
/* In a child before an exec: closes all descriptors except the standard streams. */
void invoker_close_descriptors(void);
/* Becomes the user of sudo with its groups, in a child before an exec, and closes all descriptors
 * except the standard streams. Without sudo the user stays. False: the child must exit. */
bool invoker_become(void);

/* The original rights of sooth, while it has the rights of a user. */
struct rights {
	uid_t uid;
	gid_t gid, groups[RIGHTS_GROUPS];
	int group_count;
	bool is_changed;
};

/* Assumes the rights of the caller, or of the user of sudo and its first group, until
 * rights_restore(). */
int rights_drop_to_user(struct rights *before, uid_t uid, struct sooth_error *err);
void rights_restore(const struct rights *before);
