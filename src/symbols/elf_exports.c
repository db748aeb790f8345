/* SPDX-License-Identifier: BSD-2-Clause */
/* Exported symbols, with libelf; elf.c says why files are read and not mapped. */
#include "symbols/elf_exports.h"

#include <assert.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parser.h"
#include "symbols/elf_handle.h"

#define HEADERS_MAX	 65536
#define SECTION_SIZE_MAX (UINT64_C(64) << 20)

static uint64_t offset_of(Elf *elf, size_t segments, uint64_t address)
{
	GElf_Phdr p;

	for (size_t i = 0; i < segments && i < HEADERS_MAX; i++) {
		if (gelf_getphdr(elf, (int)i, &p) && p.p_type == PT_LOAD && address >= p.p_vaddr &&
			address - p.p_vaddr < p.p_filesz)
			return p.p_offset + (address - p.p_vaddr);
	}
	return 0;
}

static bool find_code(Elf *elf, size_t segments, uint64_t *shift)
{
	GElf_Phdr p;

	for (size_t i = 0; i < segments && i < HEADERS_MAX; i++) {
		if (gelf_getphdr(elf, (int)i, &p) && p.p_type == PT_LOAD && p.p_flags & PF_X) {
			*shift = p.p_vaddr - p.p_offset;
			return true;
		}
	}
	return false;
}

static Elf_Data *get_bounded_section(Elf *elf, size_t index, GElf_Shdr *header)
{
	Elf_Scn *section = elf_getscn(elf, index);

	if (!section || !gelf_getshdr(section, header) || header->sh_size > SECTION_SIZE_MAX ||
		header->sh_flags & SHF_COMPRESSED)
		return NULL;
	return elf_getdata(section, NULL);
}

static bool is_same_name(const char *name, const char *wanted)
{
	size_t length = strlen(wanted);

	if (length && wanted[length - 1] == '*')
		return !strncmp(name, wanted, length - 1);
	return !strcmp(name, wanted);
}

/* Returns the symbols of a section; NULL: they cannot be read. */
static Elf_Data *symbols_of(Elf *elf, size_t index, GElf_Shdr *header)
{
	Elf_Data *symbols = get_bounded_section(elf, index, header), *names;
	GElf_Shdr strings;

	if (!symbols)
		return NULL;
	/* The names are read here to check their size and their end: elf_strptr() reads any size,
	 * and searches for the end of a name even if the last one has none. */
	names = get_bounded_section(elf, header->sh_link, &strings);
	return names && strings.sh_type == SHT_STRTAB && names->d_size &&
			       !((const char *)names->d_buf)[names->d_size - 1]
		       ? symbols
		       : NULL;
}

/* Returns the first section of a type; 0: there is none. A file with more of them is not normal,
 * and could make sooth read without an end. */
static size_t first_of_type(Elf *elf, size_t sections, uint32_t type)
{
	GElf_Shdr header;

	for (size_t i = 1; i < sections && i < HEADERS_MAX; i++) {
		Elf_Scn *section = elf_getscn(elf, i);

		if (section && gelf_getshdr(section, &header) && header.sh_type == type)
			return i;
	}
	return 0;
}

static void find_names_in_table(
	Elf *elf, size_t index, const char *const *names, size_t count, struct elf_export *found)
{
	GElf_Shdr header;
	Elf_Data *symbols = symbols_of(elf, index, &header);
	size_t entry = gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT);
	GElf_Sym symbol;

	if (!symbols || !entry)
		return;
	for (size_t k = 1; k < symbols->d_size / entry && k <= INT32_MAX; k++) {
		const char *name = gelf_getsym(symbols, (int)k, &symbol)
					   ? elf_strptr(elf, header.sh_link, symbol.st_name)
					   : NULL;

		for (size_t i = 0; name && symbol.st_shndx != SHN_UNDEF && i < count; i++) {
			if (*name == *names[i] && is_same_name(name, names[i]))
				found[i] =
					(struct elf_export){ symbol.st_value, symbol.st_size, 0 };
		}
	}
}

struct exports_job {
	struct parser_names names;
	uint32_t section_type;
	uint64_t code_shift;
	struct elf_export found[ELF_EXPORTS_MAX];
};

static int parse_exports(int fd, void *user, struct buffer *more)
{
	struct exports_job *job = user;
	_cleanup_(elf_cleanup) Elf *elf = NULL;
	const char *names[PARSER_NAMES_MAX];
	size_t sections, segments, index;

	(void)more;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF || elf_getphdrnum(elf, &segments) ||
		elf_getshdrnum(elf, &sections) || !find_code(elf, segments, &job->code_shift))
		return -EINVAL;
	parser_names_unpack(&job->names, names);
	index = first_of_type(elf, sections, job->section_type);
	if (index)
		find_names_in_table(elf, index, names, job->names.count, job->found);
	for (size_t i = 0; i < job->names.count; i++)
		job->found[i].offset = offset_of(elf, segments, job->found[i].address);
	return 0;
}

static bool find_in_sections(int fd, uint32_t section_type, const char *const *names, size_t count,
	struct elf_exports *out)
{
	static const struct parser parser = { "symbols of an ELF file", parse_exports };
	struct exports_job job = { .section_type = section_type };

	memset(out->found, 0, count * sizeof(*out->found));
	if (count > ELF_EXPORTS_MAX || !parser_names_pack(&job.names, names, count) ||
		parser_run(&parser, fd, &job, sizeof(job), NULL))
		return false;
	memcpy(out->found, job.found, count * sizeof(*out->found));
	out->code_shift = job.code_shift;
	return true;
}

bool elf_exports_find(int fd, const char *const *names, size_t count, struct elf_exports *out)
{
	return find_in_sections(fd, SHT_DYNSYM, names, count, out);
}

bool elf_symbols_find(int fd, const char *const *names, size_t count, struct elf_exports *out)
{
	return find_in_sections(fd, SHT_SYMTAB, names, count, out);
}

static void widen_range(Elf *elf, size_t index, const char *prefix, struct elf_export *range)
{
	GElf_Shdr header;
	Elf_Data *symbols = symbols_of(elf, index, &header);
	size_t entry = gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT), length = strlen(prefix);
	uint64_t from = range->address, to = range->address + range->size;
	GElf_Sym symbol;

	for (size_t k = 1; symbols && entry && k < symbols->d_size / entry && k <= INT32_MAX; k++) {
		const char *name = gelf_getsym(symbols, (int)k, &symbol)
					   ? elf_strptr(elf, header.sh_link, symbol.st_name)
					   : NULL;

		if (!name || GELF_ST_TYPE(symbol.st_info) != STT_FUNC ||
			symbol.st_shndx == SHN_UNDEF || strncmp(name, prefix, length) ||
			symbol.st_size > UINT64_MAX - symbol.st_value)
			continue;
		if (!to || symbol.st_value < from)
			from = symbol.st_value;
		if (symbol.st_value + symbol.st_size > to)
			to = symbol.st_value + symbol.st_size;
	}
	range->address = from;
	range->size = to - from;
}

static int parse_range(int fd, void *user, struct buffer *more)
{
	struct exports_job *job = user;
	_cleanup_(elf_cleanup) Elf *elf = NULL;
	struct elf_export *range = job->found;
	size_t sections, segments, index;

	(void)more;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF || elf_getphdrnum(elf, &segments) ||
		elf_getshdrnum(elf, &sections))
		return -EINVAL;
	index = first_of_type(elf, sections, SHT_SYMTAB);
	if (index)
		widen_range(elf, index, job->names.text, range);
	range->offset = offset_of(elf, segments, range->address);
	return 0;
}

bool elf_functions_range(int fd, const char *prefix, struct elf_export *range)
{
	static const struct parser parser = { "functions in an ELF file", parse_range };
	struct exports_job job = { 0 };

	assert(range);
	*range = (struct elf_export){ 0 };
	if (!parser_names_pack(&job.names, &prefix, 1) ||
		parser_run(&parser, fd, &job, sizeof(job), NULL))
		return false;
	*range = job.found[0];
	return range->offset != 0;
}
