/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses to look up in one file. All is in one piece of memory, because a call with a timeout
 * has its own copy. */
#pragma once

#include "symbols/elf_address.h"
#include "symbols/elf_lines.h"

#define FILE_NAMES_MS 3000  /* some hundred megabytes of names, from a cold disk */
#define FILE_LINES_MS 15000 /* the same with DWARF */

struct file_names {
	size_t count; /* number of addresses, at most ELF_ADDRESSES_MAX */
	bool has_lines;
	bool is_refused; /* reading the lines exceeded a limit: it is not tried again */
	struct elf_address addresses[ELF_ADDRESSES_MAX];
	struct elf_line lines[]; /* lines of the same addresses, if has_lines */
};

static inline size_t file_names_size(const struct file_names *n)
{
	return sizeof(*n) + (n->has_lines ? n->count * sizeof(n->lines[0]) : 0);
}

static inline int file_names_ms(const struct file_names *n)
{
	return n->has_lines ? FILE_LINES_MS : FILE_NAMES_MS;
}
