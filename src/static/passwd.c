/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Users, from /etc/passwd only. A statically linked C library would load the modules of the
 * system's name services, which are those of another C library. These functions replace its own.
 */
#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define USERS	    "/etc/passwd"
#define ENTRY_BYTES 4096

/* Returns 0 with *found, which is NULL if there is no such user; or an errno. */
static int search_users(const char *name, uid_t uid, struct passwd *entry, char *bytes, size_t size,
	struct passwd **found)
{
	FILE *file = fopen(USERS, "re");
	struct passwd *one = NULL;
	int status;

	*found = NULL;
	if (!file)
		return errno == ENOENT ? 0 : errno;
	while (!(status = fgetpwent_r(file, entry, bytes, size, &one))) {
		if (name ? !strcmp(one->pw_name, name) : one->pw_uid == uid) {
			*found = entry;
			break;
		}
	}
	fclose(file);
	return status == ENOENT ? 0 : status;
}

int getpwuid_r(uid_t uid, struct passwd *entry, char *bytes, size_t size, struct passwd **found)
{
	return search_users(NULL, uid, entry, bytes, size, found);
}

static struct passwd *look_up_user(const char *name, uid_t uid)
{
	static struct passwd entry;
	static char bytes[ENTRY_BYTES];
	struct passwd *found;

	errno = search_users(name, uid, &entry, bytes, sizeof(bytes), &found);
	return found;
}

struct passwd *getpwuid(uid_t uid)
{
	return look_up_user(NULL, uid);
}

struct passwd *getpwnam(const char *name)
{
	return look_up_user(name, 0);
}
