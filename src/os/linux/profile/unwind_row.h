/* SPDX-License-Identifier: BSD-2-Clause */
/* The unwind rule for one address of a file, found by the sorted index of its functions
 * (.eh_frame_hdr): only some pages of a file of hundreds of megabytes are read. */
#pragma once

#include "bpf/profile.h"
#include "os/linux/files/timeout.h"

struct unwind_found {
	struct unwind_rule rule;
	uint64_t entry;	   /* start of the function in the file */
	uint8_t end;	   /* enum profile_end: PROFILE_WHOLE when there is a rule */
	uint8_t has_entry; /* the start of the function is known */
	uint8_t unused[6];
};

/* Finds the row in an open file that may not answer. `*rows`: the descriptor of its parser,
 * negative before the first call; the caller closes it. Returns 0, also if there is no rule for the
 * address; -ENOENT: the file has no index of a known form; or another negative errno. */
int unwind_row_find(
	struct timeout *timeout, int file, int *rows, uint64_t offset, struct unwind_found *found);
/* Finds the row in the rules and rows of a table, as unwind_table_make() makes them. */
struct unwind_table;
void unwind_row_choose(
	const struct unwind_table *table, uint64_t offset, struct unwind_found *found);
