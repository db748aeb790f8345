/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names in the environment of a process (proc_pid_environ(5)). The bytes are the
 * process's own memory: it may have written anything over them, and many write their
 * title there. What is told as a name has the shape of one and does not stand where
 * the rest of a value that was overwritten may stand.
 */
#ifndef SOOTH_OS_LINUX_ENVIRON_H
#define SOOTH_OS_LINUX_ENVIRON_H

#include <stdbool.h>

#include "base/cursor.h"

#define ENVIRON_NAME_MAX 255

struct environ_variable {
	struct span name;    /* empty: not told */
	uint64_t size_bytes; /* of the value; of all when the name is not told */
	bool is_redacted;    /* there may be a name, but it is not told */
};

struct environ_walk {
	struct cursor at;
	bool is_suspect; /* the entry before was no variable */
	bool is_cut;	 /* the bytes end before the environment does */
};

struct environ_walk environ_over(const void *data, size_t size, bool is_cut);
/* The next one, in the order they stand; false at the end. Entries without a byte are none. */
bool environ_next(struct environ_walk *walk, struct environ_variable *out);

#endif
