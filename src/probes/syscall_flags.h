/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of constants that system calls take, as the kernel's headers have them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flag_name {
	uint64_t value;
	const char *name;
};

struct flag_table {
	const char *name;
	const struct flag_name *names;
	size_t count;
	/* Bits that together hold one of several values; each other bit is a flag. All ones: no
	 * flags. */
	uint64_t one_of;
	/* The table for aarch64, if some values differ there; NULL: none differs. */
	const struct flag_table *aarch64;
};

#define END(id, one_of, aarch64) extern const struct flag_table flags_##id;
#include "probes/syscall_flags.def"

extern const struct flag_table *const flag_tables[]; /* NULL at the end */

/* Returns the name of exactly this value; NULL: there is none. */
const char *flag_name(const struct flag_table *table, uint64_t value);
