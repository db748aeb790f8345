/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source line of an address, and the functions that the compiler inlined there, from DWARF, by
 * libdw. The file belongs to the target: it is read, never mapped, and what one address may have is
 * bounded. libdw's time and memory are not bounded here, and it may crash: it runs only in a
 * process made for that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/elf_address.h"

#define ELF_LINE_INLINED_MAX 16
#define ELF_LINE_TEXT_MAX    2048

/* Texts, the innermost first. A NUL ends each. */
struct elf_line {
	bool is_found;
	bool is_cut;	 /* the outermost inlined functions are missing */
	bool is_refused; /* not found, because a limit was exceeded */
	uint16_t functions_size, places_size;
	char functions[ELF_LINE_TEXT_MAX]; /* the inlined ones, by the names of their symbols */
	/* "hot.c:17": the line in each inlined function, and at the end the line in the function
	 * that contains them. */
	char places[ELF_LINE_TEXT_MAX];
};

/* Fills in lines that were not found yet, for addresses that were looked up. A file without DWARF,
 * or one that is not ELF, has none. */
void elf_lines(int fd, const struct elf_address *addresses, struct elf_line *lines, size_t count);
