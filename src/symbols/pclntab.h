/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of a Go program, from the table that its runtime needs for stack traces and that no
 * linker option removes (.gopclntab, of Go 1.16 and later; src/runtime/symtab.go). So a stripped
 * program has names too. The file is as untrusted as in elf.h.
 */
#pragma once

#include "symbols/elf_lines.h"

/* Fills in addresses that are linked and were not found. */
void pclntab_find(int fd, struct elf_address *addresses, size_t count);
/* Fills in lines that were not found, of addresses that are linked. Only lines of the function's
 * own file: code that was inlined from another file has the name of the function around it. */
void pclntab_lines(
	int fd, const struct elf_address *addresses, struct elf_line *lines, size_t count);
