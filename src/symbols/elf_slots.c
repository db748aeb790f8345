/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads relocations with libelf; elf.c says why files are read and not mapped. */
#include "symbols/elf_slots.h"

#include <assert.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/parser.h"
#include "symbols/elf_handle.h"
#include "symbols/elf_sections.h"

#define SECTIONS_MAX	 65536
#define SECTION_SIZE_MAX (UINT64_C(64) << 20)
#define TABLES_MAX	 4   /* .rela.dyn, .rela.plt */
#define NAME_MAX_BYTES	 255 /* longer names are cut */
#define SLOTS_BYTES_MAX	 (64u << 20)

/* Relocations, and the symbols that they name. */
struct relocations {
	Elf_Data *entries, *symbols;
	size_t count;
	size_t names; /* index of the string section */
};

/* A slot in the answer of a parser. The names of all slots are behind the last one. */
struct slot {
	uint64_t place, address;
	uint32_t name; /* offset in the names */
	uint32_t is_defined;
};

struct elf_slots {
	size_t count;
	struct buffer bytes;
};

static const struct slot *slot_at(const struct elf_slots *s, size_t i)
{
	return (const struct slot *)s->bytes.data + i;
}

static const char *name_of(const struct elf_slots *s, const struct slot *slot)
{
	return (const char *)slot_at(s, s->count) + slot->name;
}

/* --- the parser --- */

struct search {
	Elf *elf;
	unsigned machine;
	struct relocations tables[TABLES_MAX];
	size_t count;
};

static void add_table(struct search *s, size_t index)
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

static int add_tables(struct search *s)
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

static bool is_slot_relocation(const struct search *s, uint64_t type)
{
	if (s->machine == EM_X86_64)
		return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT;
	return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT;
}

/* Appends the i-th entry of a table, unless the loader fills no slot for it. */
static void append_slot(const struct search *s, const struct relocations *table, size_t i,
	struct buffer *slots, struct buffer *names)
{
	struct slot slot = { .name = (uint32_t)names->size };
	const char *name;
	GElf_Rela rela;
	GElf_Sym symbol;

	if (!gelf_getrela(table->entries, (int)i, &rela) ||
		!is_slot_relocation(s, GELF_R_TYPE(rela.r_info)) ||
		!gelf_getsym(table->symbols, (int)GELF_R_SYM(rela.r_info), &symbol))
		return;
	name = elf_strptr(s->elf, table->names, symbol.st_name);
	slot.place = rela.r_offset;
	slot.address = symbol.st_value;
	slot.is_defined = symbol.st_shndx != SHN_UNDEF;
	buffer_append(slots, &slot, sizeof(slot));
	if (name)
		buffer_append(names, name, strnlen(name, NAME_MAX_BYTES));
	buffer_char(names, '\0');
}

static int parse_slots(int fd, void *user, struct buffer *more)
{
	struct search s = { 0 };
	_cleanup_(elf_cleanup) Elf *elf = NULL;
	struct buffer names = { .limit = more->limit };
	size_t *count = user;
	struct stat st;
	int status;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return -EINVAL;
	elf_version(EV_CURRENT);
	elf = s.elf = elf_begin(fd, ELF_C_READ, NULL);
	status = add_tables(&s);
	for (size_t i = 0; i < s.count && !status; i++) {
		for (size_t k = 0; k < s.tables[i].count && !names.failed; k++)
			append_slot(&s, &s.tables[i], k, more, &names);
	}
	*count = more->size / sizeof(struct slot);
	buffer_append(more, names.data, names.size);
	status = !status && (names.failed || more->failed) ? -ENOMEM : status;
	buffer_fini(&names);
	return status;
}

/* --- its answer --- */

static bool is_valid_index(const struct elf_slots *s)
{
	size_t size = s->bytes.size, names;

	if (s->count > size / sizeof(struct slot))
		return false;
	names = size - s->count * sizeof(struct slot);
	for (size_t i = 0; i < s->count; i++) {
		if (slot_at(s, i)->name >= names)
			return false;
	}
	return !s->count || !s->bytes.data[size - 1];
}

int elf_slots_open(int fd, struct elf_slots **out)
{
	static const struct parser parser = { "relocations of an ELF file", parse_slots };
	struct elf_slots *s = calloc(1, sizeof(*s));
	int status;

	if (!s)
		return -ENOMEM;
	s->bytes.limit = SLOTS_BYTES_MAX;
	status = parser_run(&parser, fd, &s->count, sizeof(s->count), &s->bytes);
	if (!status && !is_valid_index(s))
		status = -EINVAL;
	if (status)
		elf_slots_close(s);
	else
		*out = s;
	return status;
}

bool elf_slots_find(const struct elf_slots *s, uint64_t address, struct elf_slot *out)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct slot *slot = slot_at(s, i);

		if (slot->place != address)
			continue;
		*out = (struct elf_slot){ name_of(s, slot), slot->address, slot->is_defined };
		return true;
	}
	return false;
}

bool elf_slots_call(const struct elf_slots *s, bool (*is_wanted)(const char *name))
{
	assert(s);
	for (size_t i = 0; i < s->count; i++) {
		const struct slot *slot = slot_at(s, i);

		if (!slot->is_defined && is_wanted(name_of(s, slot)))
			return true;
	}
	return false;
}

void elf_slots_close(struct elf_slots *s)
{
	if (!s)
		return;
	buffer_fini(&s->bytes);
	free(s);
}
