/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds sections of an ELF file. The file is as untrusted as in elf.h. */
#pragma once

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_SECTIONS_MAX 64 /* names requested */

/* Sets bit i of *found if the name of a section begins with prefixes[i]. Returns 0, or
 * -EINVAL when it is no valid ELF file. */
int elf_sections(int fd, const char *const *prefixes, size_t count, uint64_t *found);

struct elf_section {
	uint64_t offset, size; /* place in the file; 0, 0: none, or no bytes */
	uint64_t address;      /* address as linked */
	bool is_compressed;
};

/* Returns the bytes of a section of that type and at most that size, and its header; NULL: there
 * are none. The bytes are valid until the file is closed. Read names with this function before
 * elf_strptr(), which reads any size. */
Elf_Data *elf_section_data(
	Elf *elf, size_t index, uint32_t type, uint64_t size_max, GElf_Shdr *header);
/* Finds the first section with each exact name. Returns 0, or -EINVAL as above. */
int elf_sections_find(int fd, const char *const *names, size_t count, struct elf_section *found);
