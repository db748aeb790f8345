/* SPDX-License-Identifier: BSD-2-Clause */
/* Which sections an ELF file has, and where. The file is as untrusted as in elf.h. */
#ifndef SOOTH_SYMBOLS_ELF_SECTIONS_H
#define SOOTH_SYMBOLS_ELF_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bit i of *found: a section whose name begins with prefixes[i], at most 64. 0, or -EINVAL when it
 * is no valid ELF file. */
int elf_sections(int fd, const char *const *prefixes, size_t count, uint64_t *found);

struct elf_section {
	uint64_t offset, size; /* in the file; 0, 0: none, or without bytes in the file */
	uint64_t address;      /* as linked */
	bool is_compressed;
};

/* The first section with each exact name. Returns as above. */
int elf_sections_find(int fd, const char *const *names, size_t count, struct elf_section *found);

#endif
