/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads relocations with libelf; elf.c says why files are read and not mapped. */
#include "symbols/elf_slots.h"

#include <assert.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "symbols/elf_sections.h"

#define SECTIONS_MAX	 65536
#define SECTION_SIZE_MAX (UINT64_C(64) << 20)
#define TABLES_MAX	 4 /* .rela.dyn, .rela.plt */

/* Relocations, and the symbols that they name. */
struct relocations {
	Elf_Data *entries, *symbols;
	size_t count;
	size_t names; /* index of the string section */
};

struct elf_slots {
	Elf *elf;
	unsigned machine;
	struct relocations tables[TABLES_MAX];
	size_t count;
};

static void add_table(struct elf_slots *s, size_t index)
{
	size_t entry = gelf_fsize(s->elf, ELF_T_RELA, 1, EV_CURRENT);
	struct relocations table = { 0 };
	GElf_Shdr header, symbols, names;

	table.entries = elf_section_data(s->elf, index, SHT_RELA, SECTION_SIZE_MAX, &header);
	if (!table.entries || !entry)
		return;
	table.symbols =
		elf_section_data(s->elf, header.sh_link, SHT_DYNSYM, SECTION_SIZE_MAX, &symbols);
	if (!table.symbols ||
		!elf_section_data(s->elf, symbols.sh_link, SHT_STRTAB, SECTION_SIZE_MAX, &names))
		return;
	table.names = symbols.sh_link;
	table.count = table.entries->d_size / entry;
	s->tables[s->count++] = table;
}

static int add_tables(struct elf_slots *s)
{
	GElf_Ehdr header;
	size_t sections;

	if (!s->elf || elf_kind(s->elf) != ELF_K_ELF || !gelf_getehdr(s->elf, &header) ||
		gelf_getclass(s->elf) != ELFCLASS64 || elf_getshdrnum(s->elf, &sections))
		return -EINVAL;
	s->machine = header.e_machine;
	for (size_t i = 1; i < sections && i < SECTIONS_MAX && s->count < TABLES_MAX; i++) {
		Elf_Scn *section = elf_getscn(s->elf, i);
		GElf_Shdr found;

		if (section && gelf_getshdr(section, &found) && found.sh_type == SHT_RELA)
			add_table(s, i);
	}
	return 0;
}

int elf_slots_open(int fd, struct elf_slots **out)
{
	struct elf_slots *s;
	struct stat st;
	int status;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	elf_version(EV_CURRENT);
	s->elf = elf_begin(fd, ELF_C_READ, NULL);
	status = add_tables(s);
	if (status)
		elf_slots_close(s);
	else
		*out = s;
	return status;
}

static bool is_slot_relocation(const struct elf_slots *s, uint64_t type)
{
	if (s->machine == EM_X86_64)
		return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT;
	return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT;
}

/* Reads the i-th entry of a table; false: the loader fills no slot for it. */
static bool read_slot(const struct elf_slots *s, const struct relocations *table, size_t i,
	uint64_t *place, struct elf_slot *out)
{
	const char *name;
	GElf_Rela rela;
	GElf_Sym symbol;

	if (!gelf_getrela(table->entries, (int)i, &rela) ||
		!is_slot_relocation(s, GELF_R_TYPE(rela.r_info)) ||
		!gelf_getsym(table->symbols, (int)GELF_R_SYM(rela.r_info), &symbol))
		return false;
	name = elf_strptr(s->elf, table->names, symbol.st_name);
	*place = rela.r_offset;
	*out = (struct elf_slot){ .name = name ? name : "",
		.address = symbol.st_value,
		.is_defined = symbol.st_shndx != SHN_UNDEF };
	return true;
}

bool elf_slots_find(const struct elf_slots *s, uint64_t address, struct elf_slot *out)
{
	for (size_t i = 0; i < s->count; i++) {
		for (size_t k = 0; k < s->tables[i].count; k++) {
			struct elf_slot slot;
			uint64_t place;

			if (!read_slot(s, &s->tables[i], k, &place, &slot) || place != address)
				continue;
			*out = slot;
			return true;
		}
	}
	return false;
}

bool elf_slots_call(const struct elf_slots *s, bool (*is_wanted)(const char *name))
{
	assert(s);
	for (size_t i = 0; i < s->count; i++) {
		for (size_t k = 0; k < s->tables[i].count; k++) {
			struct elf_slot slot;
			uint64_t place;

			if (read_slot(s, &s->tables[i], k, &place, &slot) && !slot.is_defined &&
				is_wanted(slot.name))
				return true;
		}
	}
	return false;
}

void elf_slots_close(struct elf_slots *s)
{
	if (!s)
		return;
	elf_end(s->elf);
	free(s);
}
