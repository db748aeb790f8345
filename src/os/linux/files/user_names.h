/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of users, each looked up once. The services behind nsswitch.conf(5) may wait for a server:
 * a name that does not come in time is not told, and no other is asked for then. */
#ifndef SOOTH_OS_LINUX_USER_NAMES_H
#define SOOTH_OS_LINUX_USER_NAMES_H

#include "base/map.h"

#define USER_NAME_SIZE 64

struct user_names {
	struct map names; /* uint32_t -> char[USER_NAME_SIZE] */
	unsigned late;	  /* how many did not come in time */
};

void user_names_init(struct user_names *u);
void user_names_fini(struct user_names *u);
/* "" when there is none, or it is not known. Good until the next call. */
const char *user_names_get(struct user_names *u, uint32_t uid);

#endif
