/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads with libelf and ELF_C_READ, because truncating a mapped file while it is read would end
 * sooth with a SIGBUS. libelf refuses sections outside of the file, but a file may be huge and
 * sparse, so sizes are limited here before a section is read.
 */
#include "symbols/elf.h"

#include <assert.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parser.h"
#include "base/read_at.h"
#include "symbols/elf_handle.h"

#define SECTIONS_MAX	 65536
#define SEGMENTS_MAX	 256
#define SECTION_SIZE_MAX (UINT64_C(256) << 20) /* bytes of symbols, and of their names */
#define VERSION_OLD	 0x8000		       /* the bit in .gnu.version that hides a symbol */
#define NAME_SLOTS	 1024		       /* a power of two, well above ELF_NAMES_MAX */

/* A symbol table, its names and, for .dynsym, its versions. */
struct table {
	Elf_Data *symbols;
	Elf_Data *versions;
	size_t names; /* index of the string section */
	bool is_dynamic;
};

struct search {
	Elf *elf;
	uint64_t file_size;
	const char *const *names;
	size_t count;
	size_t lengths[ELF_NAMES_MAX], longest;
	/* 1 + index of a name, at its hash or after it; 0: none. A hash table, as a file has up to
	 * a million symbols. */
	uint16_t slots[NAME_SLOTS];
	GElf_Phdr segments[SEGMENTS_MAX]; /* executable PT_LOAD */
	size_t segment_count;
	bool has_name[ELF_NAMES_MAX];
	enum elf_source sources[ELF_NAMES_MAX]; /* the best source found for each name */
	struct elf_found found;
};

static int find_machine(struct search *s)
{
	GElf_Ehdr header;

	if (elf_kind(s->elf) != ELF_K_ELF || !gelf_getehdr(s->elf, &header))
		return -EINVAL;
	if (gelf_getclass(s->elf) == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB) {
		if (header.e_machine == EM_X86_64) {
			s->found.machine = MACHINE_X86_64;
			return 0;
		}
		if (header.e_machine == EM_AARCH64) {
			s->found.machine = MACHINE_AARCH64;
			return 0;
		}
	}
	return -EOPNOTSUPP;
}

static void find_segments(struct search *s)
{
	size_t count;

	if (elf_getphdrnum(s->elf, &count))
		return;
	for (size_t i = 0; i < count && i < UINT16_MAX; i++) {
		GElf_Phdr segment;

		if (!gelf_getphdr(s->elf, (int)i, &segment))
			continue;
		s->found.has_interpreter |= segment.p_type == PT_INTERP;
		if (segment.p_type != PT_LOAD || !(segment.p_flags & PF_X))
			continue;
		if (s->segment_count == SEGMENTS_MAX) {
			s->found.is_cut = true;
			return;
		}
		s->segments[s->segment_count++] = segment;
	}
}

/* Finds the offset of an address in the file; false when no executable part of the file is mapped
 * there. */
static bool find_offset(const struct search *s, uint64_t address, uint64_t *offset)
{
	for (size_t i = 0; i < s->segment_count; i++) {
		const GElf_Phdr *segment = &s->segments[i];
		uint64_t inside = address - segment->p_vaddr;

		if (address < segment->p_vaddr || inside >= segment->p_filesz)
			continue;
		if (segment->p_offset >= s->file_size || inside >= s->file_size - segment->p_offset)
			continue;
		*offset = segment->p_offset + inside;
		return true;
	}
	return false;
}

/* Returns the FNV-1a hash of a name without its version, and its length. The symbol's name ends
 * with a NUL within its section; libelf made sure. At most `most` letters are read, as no searched
 * name is longer: a file may have many names of 256 MB. */
static size_t hash_name(const char *name, size_t most, size_t *length)
{
	uint32_t hash = 0x811c9dc5;
	size_t i = 0;

	for (; i <= most && name[i] && name[i] != '@'; i++)
		hash = (hash ^ (unsigned char)name[i]) * 0x01000193;
	*length = i;
	return hash & (NAME_SLOTS - 1);
}

static void request_names(struct search *s, const char *const *names, size_t count)
{
	s->names = names;
	s->count = count;
	for (size_t i = 0; i < count; i++) {
		size_t at = hash_name(names[i], SIZE_MAX - 1, &s->lengths[i]);

		if (s->longest < s->lengths[i])
			s->longest = s->lengths[i];
		while (s->slots[at])
			at = (at + 1) & (NAME_SLOTS - 1);
		s->slots[at] = (uint16_t)(i + 1);
	}
}

/* Returns the index of `name` among the requested names, or -1. *is_old is set for name@VERSION. */
static int match_name(const struct search *s, const char *name, bool *is_old)
{
	size_t length, at = hash_name(name, s->longest, &length);

	for (; s->slots[at]; at = (at + 1) & (NAME_SLOTS - 1)) {
		size_t i = s->slots[at] - 1U;

		if (s->lengths[i] != length || memcmp(name, s->names[i], length) != 0)
			continue;
		*is_old = name[length] && name[length + 1] != '@';
		return (int)i;
	}
	return -1;
}

static uint64_t bit_of(size_t name)
{
	return UINT64_C(1) << name % 64;
}

bool elf_function_has(const struct elf_function *function, size_t i)
{
	return function->names[i / 64] & bit_of(i);
}

size_t elf_function_first(const struct elf_function *function)
{
	size_t i = 0;

	while (i < ELF_NAMES_MAX && !elf_function_has(function, i))
		i++;
	return i;
}

/* Returns whether this source may provide the name. A better source replaces results of others. */
static bool prefer_source(struct search *s, unsigned which, enum elf_source source)
{
	if (s->has_name[which] && s->sources[which] < source)
		return false;
	if (s->has_name[which] && s->sources[which] > source)
		for (size_t i = 0; i < s->found.count; i++)
			s->found.functions[i].names[which / 64] &= ~bit_of(which);
	s->has_name[which] = true;
	s->sources[which] = source;
	return true;
}

static void add_function(struct search *s, const struct elf_function *function)
{
	for (size_t i = 0; i < s->found.count; i++) {
		struct elf_function *to = &s->found.functions[i];

		if (to->offset != function->offset)
			continue;
		for (size_t k = 0; k < ELF_NAMES_WORDS; k++)
			to->names[k] |= function->names[k];
		to->size = to->size ? to->size : function->size;
		to->is_ifunc |= function->is_ifunc;
		return;
	}
	if (s->found.count == ELF_FUNCTIONS_MAX)
		s->found.is_cut = true;
	else
		s->found.functions[s->found.count++] = *function;
}

static enum elf_source source_of(
	const struct table *table, size_t index, const GElf_Sym *symbol, bool is_old)
{
	GElf_Versym version;

	if (!table->is_dynamic)
		return GELF_ST_BIND(symbol->st_info) == STB_LOCAL ? ELF_LOCAL
		       : is_old					  ? ELF_DYNAMIC_OLD
								  : ELF_GLOBAL;
	if (table->versions && gelf_getversym(table->versions, (int)index, &version) &&
		(version & VERSION_OLD))
		is_old = true;
	return is_old ? ELF_DYNAMIC_OLD : ELF_DYNAMIC;
}

static void examine_symbol(struct search *s, const struct table *table, size_t index)
{
	struct elf_function function = { 0 };
	const char *name;
	GElf_Sym symbol;
	unsigned type;
	bool is_old;
	int which;

	if (!gelf_getsym(table->symbols, (int)index, &symbol))
		return;
	type = GELF_ST_TYPE(symbol.st_info);
	if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol.st_shndx == SHN_UNDEF)
		return;
	name = elf_strptr(s->elf, table->names, symbol.st_name);
	which = name ? match_name(s, name, &is_old) : -1;
	if (which < 0 || !find_offset(s, symbol.st_value, &function.offset))
		return;
	function.names[which / 64] = bit_of((size_t)which);
	function.address = symbol.st_value;
	function.size = symbol.st_size;
	function.is_ifunc = type == STT_GNU_IFUNC;
	if (prefer_source(s, (unsigned)which, source_of(table, index, &symbol, is_old)))
		add_function(s, &function);
}

static bool is_section_bounded(const GElf_Shdr *header)
{
	return header->sh_size <= SECTION_SIZE_MAX && !(header->sh_flags & SHF_COMPRESSED);
}

/* Returns a section's bytes, if it has this type and is within the size limit. */
static Elf_Data *section_data(struct search *s, size_t index, uint32_t type)
{
	Elf_Scn *section = elf_getscn(s->elf, index);
	GElf_Shdr header;

	if (!section || !gelf_getshdr(section, &header) || header.sh_type != type)
		return NULL;
	if (!is_section_bounded(&header)) {
		s->found.is_cut = true;
		return NULL;
	}
	return elf_getdata(section, NULL);
}

static size_t find_versions(struct search *s, size_t sections, size_t symbols)
{
	for (size_t i = 1; i < sections; i++) {
		Elf_Scn *section = elf_getscn(s->elf, i);
		GElf_Shdr header;

		if (section && gelf_getshdr(section, &header) && header.sh_type == SHT_GNU_versym &&
			header.sh_link == symbols)
			return i;
	}
	return 0;
}

static void search_table(struct search *s, size_t sections, size_t index, const GElf_Shdr *header)
{
	struct table table = { .names = header->sh_link,
		.is_dynamic = header->sh_type == SHT_DYNSYM };
	size_t versions = table.is_dynamic ? find_versions(s, sections, index) : 0;
	size_t entry = gelf_fsize(s->elf, ELF_T_SYM, 1, EV_CURRENT);
	const Elf_Data *names;

	/* The names are read here only to check their size and their end: elf_strptr() would read
	 * any size, and search for the end of a name even if the last one has none. */
	names = section_data(s, table.names, SHT_STRTAB);
	if (!names || !names->d_size || ((const char *)names->d_buf)[names->d_size - 1])
		return;
	table.symbols = section_data(s, index, header->sh_type);
	table.versions = versions ? section_data(s, versions, SHT_GNU_versym) : NULL;
	if (!table.symbols || !entry)
		return;
	for (size_t i = 1; i < table.symbols->d_size / entry; i++)
		examine_symbol(s, &table, i);
}

static void search_tables(struct search *s)
{
	bool has_dynamic = false, has_static = false;
	size_t sections;

	if (elf_getshdrnum(s->elf, &sections))
		return;
	s->found.is_cut |= sections > SECTIONS_MAX;
	sections = sections < SECTIONS_MAX ? sections : SECTIONS_MAX;
	for (size_t i = 1; i < sections; i++) {
		Elf_Scn *section = elf_getscn(s->elf, i);
		GElf_Shdr header;
		bool *has;

		if (!section || !gelf_getshdr(section, &header) ||
			(header.sh_type != SHT_DYNSYM && header.sh_type != SHT_SYMTAB))
			continue;
		/* Only one table of each type is read: a file with more is not normal, and could
		 * make this slow. */
		has = header.sh_type == SHT_DYNSYM ? &has_dynamic : &has_static;
		if (*has)
			s->found.is_cut = true;
		else
			search_table(s, sections, i, &header);
		*has = true;
	}
}

static int compare_by_offset(const void *a, const void *b)
{
	const struct elf_function *left = a, *right = b;

	return (left->offset > right->offset) - (left->offset < right->offset);
}

static enum elf_source best_source(const struct search *s, const struct elf_function *function)
{
	enum elf_source best = ELF_LOCAL;

	for (size_t i = 0; i < s->count; i++)
		if (elf_function_has(function, i) && s->sources[i] < best)
			best = s->sources[i];
	return best;
}

/* Removes functions whose names all belong to better sources. */
static void remove_worse_functions(struct search *s)
{
	struct elf_function *functions = s->found.functions;
	size_t kept = 0;

	for (size_t i = 0; i < s->found.count; i++) {
		if (elf_function_first(&functions[i]) == ELF_NAMES_MAX)
			continue;
		functions[kept] = functions[i];
		functions[kept].source = best_source(s, &functions[i]);
		kept++;
	}
	memset(&functions[kept], 0, (s->found.count - kept) * sizeof(*functions));
	s->found.count = kept;
	qsort(functions, kept, sizeof(*functions), compare_by_offset);
}

static int open_elf(struct search *s, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	s->file_size = (uint64_t)st.st_size;
	elf_version(EV_CURRENT);
	s->elf = elf_begin(fd, ELF_C_READ, NULL);
	return s->elf ? find_machine(s) : -EINVAL;
}

struct functions_job {
	struct parser_names names;
	struct elf_found found;
};

static int parse_functions(int fd, void *user, struct buffer *more)
{
	struct functions_job *job = user;
	_cleanup_free_ struct search *s = calloc(1, sizeof(*s));
	_cleanup_(elf_cleanup) Elf *elf = NULL;
	const char *names[PARSER_NAMES_MAX];
	int status;

	(void)more;
	if (!s)
		return -ENOMEM;
	parser_names_unpack(&job->names, names);
	request_names(s, names, job->names.count);
	status = open_elf(s, fd);
	elf = s->elf;
	if (status)
		return status;
	find_segments(s);
	search_tables(s);
	remove_worse_functions(s);
	job->found = s->found;
	return 0;
}

/* Returns whether the answer has only requested names, and functions in the order of elf.h. */
static bool is_valid_answer(const struct elf_found *found, size_t names)
{
	if (found->count > ELF_FUNCTIONS_MAX || found->machine > MACHINE_AARCH64)
		return false;
	for (size_t i = 0; i < found->count; i++) {
		const struct elf_function *f = &found->functions[i];

		if (elf_function_first(f) >= names || f->source > ELF_LOCAL ||
			(i && f->offset <= f[-1].offset))
			return false;
		for (size_t k = names; k < ELF_NAMES_MAX; k++) {
			if (elf_function_has(f, k))
				return false;
		}
	}
	return true;
}

int elf_functions(int fd, const char *const *names, size_t count, struct elf_found *out)
{
	static const struct parser parser = { "functions in an ELF file", parse_functions };
	_cleanup_free_ struct functions_job *job = calloc(1, sizeof(*job));
	int status;

	if (!job)
		return -ENOMEM;
	if (!parser_names_pack(&job->names, names, count))
		return -EINVAL;
	status = parser_run(&parser, fd, job, sizeof(*job), NULL);
	if (!status && !is_valid_answer(&job->found, count))
		status = -EBADMSG;
	if (!status)
		*out = job->found;
	return status;
}

ssize_t elf_code(int fd, const struct elf_function *function, void *out, size_t size)
{
	assert(function);
	if (function->size && function->size < size)
		size = (size_t)function->size;
	return read_at(fd, out, size, function->offset);
}
