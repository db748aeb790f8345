/* SPDX-License-Identifier: BSD-2-Clause */
/* Symbols that an ELF file exports, functions and data, by name. The file is as untrusted as in
 * elf.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_EXPORTS_MAX 128 /* names requested */

struct elf_export {
	uint64_t address, size; /* address and size as linked; 0, 0: not exported */
	uint64_t offset;	/* offset in the file; 0: the symbol has no bytes in the file */
};

struct elf_exports {
	struct elf_export *found; /* results, in the order of the names */
	uint64_t code_shift;	  /* address minus offset of the code */
};

/* Finds exported symbols. A name that ends in * is a prefix. False: no ELF file, or no code. */
bool elf_exports_find(int fd, const char *const *names, size_t count, struct elf_exports *out);
/* Finds any symbols of a file that is not stripped (.symtab). */
bool elf_symbols_find(int fd, const char *const *names, size_t count, struct elf_exports *out);
/* Finds the range from the first to the last function in .symtab whose name begins with `prefix`.
 * False: there is none. */
bool elf_functions_range(int fd, const char *prefix, struct elf_export *range);
