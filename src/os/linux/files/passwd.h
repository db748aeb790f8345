/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Homes by passwd(5), read as a file: the C library would ask whoever nsswitch.conf names,
 * who may never answer, and knows nothing of the root of another process. Users whom only a
 * directory server knows have no home here.
 */
#ifndef SOOTH_OS_LINUX_PASSWD_H
#define SOOTH_OS_LINUX_PASSWD_H

#include <stdbool.h>

#include "base/cursor.h"

#define PASSWD_PATH "/etc/passwd"
#define PASSWD_MAX  (1u << 20)

/* An absolute path, borrowed from the bytes; of two users of that number the first one's. */
bool passwd_home(struct span *home, const void *data, size_t size, uint32_t uid);

#endif
