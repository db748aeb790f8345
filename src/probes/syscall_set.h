/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which system calls are selected: names, categories and classes, separated by commas.
 *
 *   openat,close       these; recv and other functions of the C library: the call they make
 *   file,network       categories, see enum syscall_category; time is one and includes the call
 *   %path,%desc        every call that takes a path, a descriptor
 *   %bytes             every call that moves bytes between descriptors or memory
 *   %connections       connect, and the question for its error
 *   %exits             the end of a process
 *   %api               what moves bytes on a connection, and what says which one a descriptor is
 *   !futex,poll        all but these
 */
#pragma once

#include <sooth/probe_options.h>

#include "base/error.h"
#include "probes/syscall_names.h"

#define SYSCALL_SET_ROWS 2048

struct syscall_set {
	uint64_t rows[SYSCALL_SET_ROWS / 64]; /* a bit each, by position in the table */
	bool is_all;
};

/* Parses `text`; NULL selects all calls. -EINVAL: `err` has the wrong word and similar names. */
int syscall_set_parse(struct syscall_set *s, const char *text, struct sooth_error *err);
/* Does so with the calls of the options. */
int syscall_set_of(
	struct syscall_set *s, const struct sooth_calls_options *options, struct sooth_error *err);
/* Returns whether the set has a call. `row` NULL: the table does not know the call. */
bool syscall_set_has(const struct syscall_set *s, const struct syscall_row *row);
/* Sets a bit for each number of the ABI below `count` whose call is known and selected. */
void syscall_set_numbers(const struct syscall_set *s, unsigned abi, uint64_t *bits, uint32_t count);
