/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of users, each looked up once. The services behind nsswitch.conf(5) may wait for a server:
 * a name that does not arrive in time is left empty, and after two of these no further name is
 * looked up. */
#pragma once

#include <stdbool.h>

#include "base/cursor.h"
#include "base/map.h"

struct user_names {
	struct map names; /* uint32_t -> char[USER_NAME_SIZE] */
	unsigned late;	  /* lookups that timed out */
};

void user_names_init(struct user_names *u);
void user_names_fini(struct user_names *u);
/* Returns the name; "" if there is none, or it is unknown. Valid until the next call. */
const char *user_names_get(struct user_names *u, uint32_t uid);

#define PASSWD_PATH "/etc/passwd"
#define PASSWD_MAX  (1u << 20)

/*
 * Homes from passwd(5), read as a file: the C library would ask the services in nsswitch.conf,
 * which may never answer and do not know the root of another process. Users known only to a
 * directory server have no home here. An absolute path, borrowed from the bytes; if two
 * users have that number, the first one's.
 */
bool passwd_home(struct span *home, const void *data, size_t size, uint32_t uid);
