/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that a program gets from sooth when it starts. */
#ifndef SOOTH_PRELOAD_CONNECT_H
#define SOOTH_PRELOAD_CONNECT_H

#include "preload/preload.h"

struct connection {
	const struct preload_page *sooth_page;
	unsigned char *segment;
};

/* False: there is no sooth, or a seccomp filter is set. */
bool connect_to_sooth(struct connection *to);
/* New memory if fd is -1; NULL: there is none. */
void *connect_map(size_t size, int fd, int protection);
/* Whether reading the time-stamp counter does not end the program (prctl(2), PR_SET_TSC). */
bool connect_clock_is_on(void);

#endif
