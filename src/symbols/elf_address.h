/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The function at an offset in an ELF file: the nearest symbol at or before it whose size covers
 * it. The symbol comes from .symtab, or else from .dynsym, from the symbol table in .gnu_debugdata,
 * from the table of a Go program (pclntab.h), or at last from a separate debug file. The file
 * belongs to the target, and is read as in elf.h.
 *
 * Not seen: functions of other stripped files, functions without a size. Names are not demangled.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_ADDRESS_NAME_MAX 1000 /* of C++ */
#define ELF_ADDRESSES_MAX    256

struct elf_address {
	uint64_t offset; /* offset in the file: the input */
	uint64_t inside; /* distance from the start of the function */
	uint64_t linked; /* the address as linked */
	bool is_linked;	 /* `linked` is known: the place is loaded as code */
	bool is_found;
	bool is_cut; /* the name is longer than `name` */
	char name[ELF_ADDRESS_NAME_MAX + 1];
};

/* Fills in `count` (at most ELF_ADDRESSES_MAX) addresses. Returns 0 even if none is found; -EINVAL:
 * no regular file or no valid ELF. On failure nothing is filled in. */
int elf_addresses(int fd, struct elf_address *addresses, size_t count);
/* Fills in addresses that were not found, later and from the debug file of the same program. */
int elf_addresses_debug(int fd, struct elf_address *addresses, size_t count);
/* Returns whether a parser's answers are about these addresses, and names end. */
bool elf_addresses_are_sound(
	const struct elf_address *answers, const struct elf_address *addresses, size_t count);
