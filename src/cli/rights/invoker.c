/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/rights/invoker.h"

#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/units.h"

#define DESCRIPTORS 65536 /* most that are closed: the limit may be a billion */

bool invoker_find(uid_t *uid, gid_t *gid)
{
	const char *user = getenv("SUDO_UID"), *group = getenv("SUDO_GID");
	uint64_t uid_number, gid_number;

	if (getuid() || !user || !group || !parse_u64(user, &uid_number) ||
		!parse_u64(group, &gid_number) || uid_number >= UINT32_MAX ||
		gid_number >= UINT32_MAX)
		return false;
	*uid = (uid_t)uid_number;
	*gid = (gid_t)gid_number;
	return true;
}

struct trust invoker_trust(void)
{
	struct trust trust = { .is_checked = !getuid() || !geteuid() };
	gid_t ignored;

	invoker_find(&trust.user, &ignored);
	return trust;
}

/* Sets all groups, as after a login; a user without a name gets only `gid`. */
static bool set_groups(uid_t uid, gid_t gid)
{
	const struct passwd *user = getpwuid(uid);

	return !(user ? initgroups(user->pw_name, gid) : setgroups(1, &gid));
}

void invoker_close_descriptors(void)
{
	long most = sysconf(_SC_OPEN_MAX);

	for (int fd = STDERR_FILENO + 1; (most < 0 || fd < most) && fd < DESCRIPTORS; fd++)
		close(fd);
}

bool invoker_become(void)
{
	uid_t uid;
	gid_t gid;

	invoker_close_descriptors();
	if (!invoker_find(&uid, &gid))
		return true;
	return set_groups(uid, gid) && !setgid(gid) && !setuid(uid) && getuid() == uid;
}

int rights_drop_to_user(struct rights *before, uid_t uid, struct sooth_error *err)
{
	uid_t user;
	gid_t gid;
	int status;

	assert(before);
	*before = (struct rights){ .uid = geteuid(), .gid = getegid() };
	if (uid == before->uid || !invoker_find(&user, &gid))
		return 0;
	before->group_count = getgroups(RIGHTS_GROUPS, before->groups);
	before->is_changed = before->group_count >= 0;
	if (before->is_changed && !setgroups(1, &gid) && !setegid(gid) && !seteuid(user))
		return 0;
	status = error_errno(err, -errno, "act as user %u", (unsigned)uid);
	rights_restore(before);
	return status;
}

void rights_restore(const struct rights *before)
{
	assert(before);
	if (before->is_changed && (seteuid(before->uid) || setegid(before->gid) ||
					  setgroups((size_t)before->group_count, before->groups)))
		abort(); /* else sooth would run on with the rights of another user */
}
