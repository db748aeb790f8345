/* SPDX-License-Identifier: BSD-2-Clause */
/* The user of sudo, by SUDO_UID. Its files may configure sooth as those of root, but what they
 * start or make is started and made with that user's rights. */
#ifndef SOOTH_CLI_INVOKER_H
#define SOOTH_CLI_INVOKER_H

#include "base/trusted.h"

#define RIGHTS_GROUPS 256

/* False: sooth was not started by sudo. */
bool invoker_find(uid_t *uid, gid_t *gid);
/* Files of root and of that user. */
struct trust invoker_trust(void);
/* In a child, before an exec: that user, with its groups, and no descriptor but the standard
 * streams. Without sudo the user stays. False: it must not go on. */
bool invoker_become(void);

/* Those of sooth while it has the rights of a user. */
struct rights {
	uid_t uid;
	gid_t gid, groups[RIGHTS_GROUPS];
	int group_count;
	bool is_changed;
};

/* Takes the rights of the caller, or of the user of sudo and its first group, until
 * rights_restore(). */
int rights_drop_to_user(struct rights *before, uid_t uid, struct sooth_error *err);
void rights_restore(const struct rights *before);

#endif
