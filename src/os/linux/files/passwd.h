/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Homes from passwd(5), read as a file: the C library would ask the services in nsswitch.conf,
 * which may never answer and do not know the root of another process. Users known only to a
 * directory server have no home here.
 */
#ifndef SOOTH_OS_LINUX_PASSWD_H
#define SOOTH_OS_LINUX_PASSWD_H

#include <stdbool.h>

#include "base/cursor.h"

#define PASSWD_PATH "/etc/passwd"
#define PASSWD_MAX  (1u << 20)

/* An absolute path, borrowed from the bytes; if two users have that number, the first one's. */
bool passwd_home(struct span *home, const void *data, size_t size, uint32_t uid);

#endif
