/* SPDX-License-Identifier: BSD-2-Clause */
/* The version of a system package, from the system's own list. */
#ifndef SOOTH_OS_LINUX_PACKAGE_VERSION_H
#define SOOTH_OS_LINUX_PACKAGE_VERSION_H

#include "base/buffer.h"
#include "base/cursor.h"

#define PACKAGE_VERSION_SIZE 64

struct package_versions {
	struct buffer list; /* dpkg's or apk's; read at the first use */
	bool is_read;
	bool is_apk;
};

/* A field's state; with a value `version` is filled. Only files below /usr, /bin or /sbin, but not
 * below /usr/local, belong to packages. */
uint8_t package_versions_find(struct package_versions *v, const char *path, const char *package,
	char version[PACKAGE_VERSION_SIZE]);
void package_versions_fini(struct package_versions *v);

/* Of /var/lib/dpkg/status: the version of an installed package. */
bool package_list_dpkg(struct span *version, struct span package, const void *data, size_t size);
/* Of /lib/apk/db/installed. */
bool package_list_apk(struct span *version, struct span package, const void *data, size_t size);

#endif
