/* SPDX-License-Identifier: BSD-2-Clause */
/* Exported symbols, with libelf; elf.c says why files are read and not mapped. */
#include "symbols/elf_exports.h"

#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
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

static Elf_Data *bounded(Elf *elf, size_t index, GElf_Shdr *header)
{
	Elf_Scn *section = elf_getscn(elf, index);

	if (!section || !gelf_getshdr(section, header) || header->sh_size > SECTION_SIZE_MAX ||
		header->sh_flags & SHF_COMPRESSED)
		return NULL;
	return elf_getdata(section, NULL);
}

static void look_through(Elf *elf, size_t index, const char *const *names, size_t count,
	struct elf_export *found)
{
	GElf_Shdr header, strings;
	Elf_Data *symbols = bounded(elf, index, &header);
	size_t entry = gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT);
	GElf_Sym symbol;

	/* The names are read here to check their size: elf_strptr() reads any size. */
	if (!symbols || !entry || !bounded(elf, header.sh_link, &strings) ||
		strings.sh_type != SHT_STRTAB)
		return;
	for (size_t k = 1; k < symbols->d_size / entry && k <= INT32_MAX; k++) {
		const char *name = gelf_getsym(symbols, (int)k, &symbol)
					   ? elf_strptr(elf, header.sh_link, symbol.st_name)
					   : NULL;

		for (size_t i = 0; name && symbol.st_shndx != SHN_UNDEF && i < count; i++) {
			if (!strcmp(name, names[i]))
				found[i] = (struct elf_export){ symbol.st_value, symbol.st_size,
					0 };
		}
	}
}

bool elf_exports_find(int fd, const char *const *names, size_t count, struct elf_exports *out)
{
	_cleanup_(elf_cleanup) Elf *elf = NULL;
	size_t sections, segments;
	GElf_Shdr header;

	memset(out->found, 0, count * sizeof(*out->found));
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF || elf_getphdrnum(elf, &segments) ||
		elf_getshdrnum(elf, &sections) || !find_code(elf, segments, &out->code_shift))
		return false;
	for (size_t i = 1; i < sections && i < HEADERS_MAX; i++) {
		Elf_Scn *section = elf_getscn(elf, i);

		if (section && gelf_getshdr(section, &header) && header.sh_type == SHT_DYNSYM)
			look_through(elf, i, names, count, out->found);
	}
	for (size_t i = 0; i < count; i++)
		out->found[i].offset = offset_of(elf, segments, out->found[i].address);
	return true;
}
