/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of users, each looked up once. The services behind nsswitch.conf(5) may wait for a server:
 * a name that does not arrive in time is left empty, and after two of these no further name is
 * looked up. */
#ifndef SOOTH_OS_LINUX_USER_NAMES_H
#define SOOTH_OS_LINUX_USER_NAMES_H

#include "base/map.h"

#define USER_NAME_SIZE 64

struct user_names {
	struct map names; /* uint32_t -> char[USER_NAME_SIZE] */
	unsigned late;	  /* lookups that timed out */
};

void user_names_init(struct user_names *u);
void user_names_fini(struct user_names *u);
/* "" when there is none, or it is unknown. Valid until the next call. */
const char *user_names_get(struct user_names *u, uint32_t uid);

#endif
