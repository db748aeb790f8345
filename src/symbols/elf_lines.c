/* SPDX-License-Identifier: BSD-2-Clause */
/* Uses libdw, over a file that libelf reads (ELF_C_READ): see elf_address.c. */
#include "symbols/elf_lines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "symbols/pclntab.h"
#include "symbols/elf_handle.h"

#define UNITS_MAX  (1u << 20)
#define SCOPES_MAX 128

static void dwarf_cleanup(Dwarf **dwarf)
{
	dwarf_end(*dwarf);
}

/* --- one address --- */

static bool put_text(char *texts, uint16_t *used, const char *text, size_t size)
{
	if (*used + size + 1 > ELF_LINE_TEXT_MAX)
		return false;
	memcpy(texts + *used, text, size);
	texts[*used + size] = '\0';
	*used = (uint16_t)(*used + size + 1);
	return true;
}

static bool put_line(struct elf_line *line, const char *path, int number)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	char place[300];
	int size = snprintf(place, sizeof(place), "%.255s:%d",
		slash  ? slash + 1
		: path ? path
		       : "?",
		number);

	return put_text(line->places, &line->places_size, place, (size_t)size);
}

/* Returns the name as a symbol, so that a function has the same name from both sources. */
static const char *symbol_of(Dwarf_Die *function)
{
	static const unsigned names[] = { DW_AT_linkage_name, DW_AT_MIPS_linkage_name };
	Dwarf_Attribute attribute;
	const char *name = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !name; i++)
		name = dwarf_formstring(dwarf_attr_integrate(function, names[i], &attribute));
	return name ? name : dwarf_diename(function);
}

static int number_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	return dwarf_formudata(dwarf_attr(die, name, &attribute), &value) || value > INT32_MAX
		       ? 0
		       : (int)value;
}

/* Writes the place where an inlined function is called. */
static bool put_call(struct elf_line *line, Dwarf_Die *unit, Dwarf_Die *inlined)
{
	int file = number_of(inlined, DW_AT_call_file);
	const char *path = NULL;
	Dwarf_Files *files;
	size_t count;

	if (!dwarf_getsrcfiles(unit, &files, &count) && file >= 0 && (size_t)file < count)
		path = dwarf_filesrc(files, (size_t)file, NULL, NULL);
	return put_line(line, path, number_of(inlined, DW_AT_call_line));
}

/* The entries around an address, the outermost first. */
struct scopes {
	Dwarf_Die all[SCOPES_MAX];
	int count;
	bool is_cut; /* the entries are nested too deeply */
};

/* Returns whether an entry has no addresses, but may contain functions. */
static bool is_container(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_structure_type ||
	       tag == DW_TAG_class_type || tag == DW_TAG_union_type ||
	       tag == DW_TAG_enumeration_type || tag == DW_TAG_module;
}

/* Finds the entries around an address. dwarf_getscopes() finds none in the units of Rust. */
static bool find_scopes(struct scopes *s, Dwarf_Die *above, uint64_t address)
{
	Dwarf_Die *die = &s->all[s->count];
	bool is_found = false;

	s->is_cut |= s->count == SCOPES_MAX;
	if (s->is_cut || dwarf_child(above, die))
		return false;
	do {
		int tag = dwarf_tag(die);
		bool is_around = (tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block ||
					 tag == DW_TAG_inlined_subroutine) &&
				 dwarf_haspc(die, address) > 0;

		if (!is_around && !is_container(tag))
			continue;
		s->count++;
		is_found = find_scopes(s, die, address) || is_around;
		if (is_found)
			return true;
		s->count--;
	} while (!s->is_cut && !dwarf_siblingof(die, die));
	return false;
}

/* Writes the inlined functions around an address, and where each is called. */
static void put_inlined(struct elf_line *line, Dwarf_Die *unit, struct scopes *found)
{
	Dwarf_Die *scopes = found->all;
	size_t depth = 0;

	for (int i = found->count; i-- > 0;) {
		const char *name;

		if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram)
			return;
		if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine)
			continue;
		name = symbol_of(&scopes[i]);
		if (!name)
			name = "[inlined function]";
		line->is_cut =
			depth++ == ELF_LINE_INLINED_MAX ||
			!put_text(line->functions, &line->functions_size, name, strlen(name)) ||
			!put_call(line, unit, &scopes[i]);
		if (line->is_cut)
			return;
	}
}

/* Returns whether libdw failed for lack of memory. It has no public number for this error, and its
 * texts may be translated. */
static bool is_memory_missing(void)
{
	const char *text = dwarf_errmsg(-1);

	return text && !strcmp(text, "out of memory");
}

static void find_line(struct elf_line *line, uint64_t address, Dwarf_Die *unit)
{
	struct scopes scopes = { .count = 0 };
	Dwarf_Line *source = dwarf_getsrc_die(unit, address);
	int number = 0;

	line->is_refused |= !source && is_memory_missing();
	if (!source || dwarf_lineno(source, &number) || number < 0)
		return;
	line->is_found = put_line(line, dwarf_linesrc(source, NULL, NULL), number);
	if (find_scopes(&scopes, unit, address) && !scopes.is_cut)
		put_inlined(line, unit, &scopes);
	line->is_cut |= scopes.is_cut;
}

/* --- the file --- */

static bool is_missing(const struct elf_address *address, const struct elf_line *line)
{
	return address->is_linked && !line->is_found;
}

/* Searches units that the index of addresses leaves out: clang writes no index. */
static void search_units(
	Dwarf *dwarf, const struct elf_address *addresses, struct elf_line *lines, size_t count)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;
	uint8_t kind;

	for (unsigned i = 0; i < UNITS_MAX; i++) {
		if (dwarf_get_units(dwarf, unit, &unit, NULL, &kind, &die, NULL))
			return;
		if (kind != DW_UT_compile && kind != DW_UT_skeleton)
			continue;
		for (size_t k = 0; k < count; k++) {
			if (is_missing(&addresses[k], &lines[k]) &&
				dwarf_haspc(&die, addresses[k].linked) > 0)
				find_line(&lines[k], addresses[k].linked, &die);
		}
	}
}

void elf_lines(int fd, const struct elf_address *addresses, struct elf_line *lines, size_t count)
{
	_cleanup_(elf_cleanup) Elf *elf = NULL;
	_cleanup_(dwarf_cleanup) Dwarf *dwarf = NULL;
	bool is_complete = true;
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	for (size_t i = 0; dwarf && i < count; i++) {
		Dwarf_Die unit;

		if (!is_missing(&addresses[i], &lines[i]))
			continue;
		if (dwarf_addrdie(dwarf, addresses[i].linked, &unit))
			find_line(&lines[i], addresses[i].linked, &unit);
		is_complete &= lines[i].is_found;
	}
	if (!is_complete)
		search_units(dwarf, addresses, lines, count);
	pclntab_lines(fd, addresses, lines, count);
}
