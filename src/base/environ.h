/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names in the environment of a process (proc_pid_environ(5)). The bytes are the process's own
 * memory: the process may have overwritten them, and many write a title there. A reported name
 * looks like a name and is not where the rest of an overwritten value may be.
 */
#pragma once

#include <stdbool.h>

#include "base/cursor.h"

#define ENVIRON_NAME_MAX 255

struct environ_variable {
	struct span name;    /* empty: redacted */
	uint64_t size_bytes; /* size of the value, or of the whole entry if the name is redacted */
	bool is_redacted;    /* the entry may have a name, but the name is not reported */
};

struct environ_walk {
	struct cursor at;
	bool is_suspect; /* the previous entry was no variable */
	bool is_cut;	 /* the bytes end before the environment does */
};

struct environ_walk environ_over(const void *data, size_t size, bool is_cut);
/* Reads the next variable in order; false at the end. Empty entries are skipped. */
bool environ_next(struct environ_walk *walk, struct environ_variable *out);
