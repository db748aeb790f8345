/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that a program gets from sooth when it starts. */
#pragma once

#include "preload/preload.h"

struct connection {
	const struct preload_page *sooth_page;
	unsigned char *segment;
};

/* Gets the memory from sooth. False: there is no sooth, or a seccomp filter that sooth does
 * not have. */
bool connect_to_sooth(struct connection *to);
/* Maps the file `fd`, or new memory if fd is -1. NULL: it failed. */
void *connect_map(size_t size, int fd, int protection);
/* Returns whether the program may read the time-stamp counter (prctl(2), PR_SET_TSC). */
bool connect_clock_is_on(void);
