/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads with libelf and ELF_C_READ, for the reasons in symbols/elf.c: truncating a mapped file
 * would end sooth, and a sparse file may claim any size. Both classes are read, because a handler
 * may be in a 32-bit program.
 */
#include "symbols/elf_address.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/parser.h"
#include "base/read_at.h"
#include "symbols/elf_handle.h"
#include "symbols/elf_sections.h"
#include "symbols/pclntab.h"

/* --- a section that is packed with xz: .gnu_debugdata --- */

/* Uses liblzma. The file belongs to the target, so memory and size are bounded. */

#define ELF_PACKED_MAX (64u << 20) /* bytes, packed and not */

#define MEMORY_MAX  (UINT64_C(256) << 20) /* memory of the decoder: its window */
#define PIECE_BYTES (256u << 10)

static bool decode_stream(lzma_stream *stream, struct buffer *out)
{
	lzma_ret status = LZMA_OK;

	out->limit = ELF_PACKED_MAX;
	while (status == LZMA_OK) {
		stream->next_out = buffer_reserve(out, PIECE_BYTES);
		stream->avail_out = PIECE_BYTES;
		if (!stream->next_out)
			return false;
		status = lzma_code(stream, LZMA_FINISH);
		buffer_commit(out, PIECE_BYTES - stream->avail_out);
	}
	return status == LZMA_STREAM_END;
}

static bool unpack_section(const void *data, size_t size, struct buffer *out)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	bool is_whole;

	if (lzma_stream_decoder(&stream, MEMORY_MAX, 0) != LZMA_OK)
		return false;
	stream.next_in = data;
	stream.avail_in = size;
	is_whole = decode_stream(&stream, out);
	lzma_end(&stream);
	return is_whole && !buffer_failed(out);
}

/* Appends the unpacked bytes. False: they cannot be read, are damaged or too large. */
static bool elf_unpack(int fd, const struct elf_section *section, struct buffer *out)
{
	struct buffer packed = { .limit = ELF_PACKED_MAX };
	unsigned char *to = buffer_reserve(&packed, section->size);
	bool is_whole = to && read_all_at(fd, to, section->size, section->offset) &&
			unpack_section(to, section->size, out);

	buffer_fini(&packed);
	return is_whole;
}

#define SECTIONS_MAX	 65536
#define SEGMENTS_MAX	 65536
#define SECTION_SIZE_MAX (UINT64_C(256) << 20) /* bytes of symbols, and of their names */

/* The best symbol found for an address. */
struct match {
	uint64_t begin;
	size_t name; /* name in the table's string section */
	bool is_found;
	bool is_global;
};

struct lookup {
	Elf *elf;
	uint64_t file_size;
	struct elf_address *addresses;
	size_t count;
	struct match matches[ELF_ADDRESSES_MAX];
	size_t linked; /* addresses that are loaded as code */
	struct place {
		uint64_t linked;
		size_t index;
	} by_place[ELF_ADDRESSES_MAX]; /* these by place: a large file has very many symbols */
};

static void link_addresses(struct lookup *l)
{
	size_t count;

	if (elf_getphdrnum(l->elf, &count))
		return;
	for (size_t i = 0; i < count && i < SEGMENTS_MAX; i++) {
		GElf_Phdr segment;

		if (!gelf_getphdr(l->elf, (int)i, &segment) || segment.p_type != PT_LOAD)
			continue;
		for (size_t k = 0; k < l->count; k++) {
			struct elf_address *a = &l->addresses[k];
			uint64_t inside = a->offset - segment.p_offset;

			/* A header may claim more bytes than the file has. */
			if (a->is_linked || a->offset < segment.p_offset ||
				a->offset >= l->file_size || inside >= segment.p_filesz ||
				!(segment.p_flags & PF_X))
				continue;
			a->linked = segment.p_vaddr + inside;
			a->is_linked = true;
		}
	}
}

static int compare_places(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	return (a->linked > b->linked) - (a->linked < b->linked);
}

static void sort_addresses(struct lookup *l)
{
	l->linked = 0;
	for (size_t i = 0; i < l->count; i++) {
		if (l->addresses[i].is_linked)
			l->by_place[l->linked++] = (struct place){ l->addresses[i].linked, i };
	}
	qsort(l->by_place, l->linked, sizeof(l->by_place[0]), compare_places);
}

/* Returns the first address at `begin` or behind it. */
static size_t find_place(const struct lookup *l, uint64_t begin)
{
	size_t from = 0, to = l->linked;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (l->by_place[middle].linked < begin)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static void examine_symbol(struct lookup *l, const GElf_Sym *symbol)
{
	unsigned type = GELF_ST_TYPE(symbol->st_info);
	bool is_global = GELF_ST_BIND(symbol->st_info) != STB_LOCAL;

	if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol->st_shndx == SHN_UNDEF)
		return;
	for (size_t i = find_place(l, symbol->st_value);
		i < l->linked && l->by_place[i].linked - symbol->st_value < symbol->st_size; i++) {
		struct match *m = &l->matches[l->by_place[i].index];

		if (m->is_found &&
			(m->begin > symbol->st_value ||
				(m->begin == symbol->st_value && (m->is_global || !is_global))))
			continue;
		m->begin = symbol->st_value;
		m->name = symbol->st_name;
		m->is_found = true;
		m->is_global = is_global;
	}
}

static void set_names(struct lookup *l, size_t names)
{
	for (size_t i = 0; i < l->count; i++) {
		struct elf_address *a = &l->addresses[i];
		struct match *m = &l->matches[i];
		const char *name = m->is_found ? elf_strptr(l->elf, names, m->name) : NULL;
		size_t size;

		m->is_found = false; /* reset for the next table */
		if (!name || !name[0] || a->is_found)
			continue;
		size = strnlen(name, ELF_ADDRESS_NAME_MAX + 1);
		a->is_cut = size > ELF_ADDRESS_NAME_MAX;
		size = size < ELF_ADDRESS_NAME_MAX ? size : ELF_ADDRESS_NAME_MAX;
		memcpy(a->name, name, size);
		a->name[size] = '\0';
		a->inside = a->linked - m->begin;
		a->is_found = true;
	}
}

/* Searches the first table of that type; a file has one of each. */
static void search_table(struct lookup *l, uint32_t type)
{
	size_t entry = gelf_fsize(l->elf, ELF_T_SYM, 1, EV_CURRENT), sections;

	if (!entry || elf_getshdrnum(l->elf, &sections))
		return;
	for (size_t i = 1; i < sections && i < SECTIONS_MAX; i++) {
		Elf_Scn *section = elf_getscn(l->elf, i);
		GElf_Shdr header, names;
		Elf_Data *symbols;
		GElf_Sym symbol;

		if (!section || !gelf_getshdr(section, &header) || header.sh_type != type)
			continue;
		/* The names are read here to check their size: elf_strptr() reads any size. */
		symbols = elf_section_data(l->elf, i, type, SECTION_SIZE_MAX, &header);
		if (!symbols || !elf_section_data(l->elf, header.sh_link, SHT_STRTAB,
					SECTION_SIZE_MAX, &names))
			return;
		for (size_t k = 1; k < symbols->d_size / entry && k <= INT32_MAX; k++) {
			if (gelf_getsym(symbols, (int)k, &symbol))
				examine_symbol(l, &symbol);
		}
		set_names(l, header.sh_link);
		return;
	}
}

static bool are_all_found(const struct lookup *l)
{
	for (size_t i = 0; i < l->count; i++) {
		if (l->addresses[i].is_linked && !l->addresses[i].is_found)
			return false;
	}
	return true;
}

/* Searches the symbol table that distributions pack into a stripped file. */
static void search_packed(struct lookup *l, int fd)
{
	static const char *const name[] = { ".gnu_debugdata" };
	struct elf_section place;
	struct buffer bytes = { 0 };
	Elf *whole = l->elf;

	if (elf_sections_find(fd, name, 1, &place) || !place.size || place.size > ELF_PACKED_MAX)
		return;
	if (elf_unpack(fd, &place, &bytes)) {
		l->elf = elf_memory((char *)bytes.data, bytes.size);
		if (l->elf && elf_kind(l->elf) == ELF_K_ELF)
			search_table(l, SHT_SYMTAB);
		elf_end(l->elf);
		l->elf = whole;
	}
	buffer_fini(&bytes);
}

struct addresses_job {
	size_t count;
	bool is_debug;
	struct elf_address addresses[ELF_ADDRESSES_MAX];
};

static int parse_addresses(int fd, void *user, struct buffer *more)
{
	struct addresses_job *job = user;
	struct elf_address *addresses = job->addresses;
	size_t count = job->count;
	bool is_debug = job->is_debug;
	_cleanup_free_ struct lookup *l = calloc(1, sizeof(*l));
	_cleanup_(elf_cleanup) Elf *elf = NULL;
	struct stat st;

	(void)more;
	if (!l)
		return -ENOMEM;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		return -EINVAL;
	l->elf = elf;
	l->file_size = (uint64_t)st.st_size;
	l->addresses = addresses;
	l->count = count;
	for (size_t i = 0; i < count && !is_debug; i++)
		addresses[i].is_linked = addresses[i].is_found = addresses[i].is_cut = false;
	if (!is_debug)
		link_addresses(l);
	sort_addresses(l);
	search_table(l, SHT_SYMTAB);
	search_table(l, SHT_DYNSYM);
	if (!is_debug && !are_all_found(l))
		search_packed(l, fd);
	if (!is_debug && !are_all_found(l))
		pclntab_find(fd, addresses, count);
	return 0;
}

/* Returns whether an answer is about the address, and its name ends. */
static bool is_of_address(const struct elf_address *answer, const struct elf_address *address)
{
	return answer->offset == address->offset &&
	       memchr(answer->name, '\0', sizeof(answer->name)) &&
	       (!answer->is_found || (answer->is_linked && answer->inside <= answer->linked));
}

bool elf_addresses_are_sound(
	const struct elf_address *answers, const struct elf_address *addresses, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_of_address(&answers[i], &addresses[i]))
			return false;
	}
	return true;
}

static int run_parser(int fd, struct elf_address *addresses, size_t count, bool is_debug)
{
	static const struct parser parser = { "names of functions in an ELF file",
		parse_addresses };
	_cleanup_free_ struct addresses_job *job = calloc(1, sizeof(*job));
	size_t bytes = count * sizeof(*addresses);
	int status;

	if (!job)
		return -ENOMEM;
	if (count > ELF_ADDRESSES_MAX)
		return -EINVAL;
	job->count = count;
	job->is_debug = is_debug;
	memcpy(job->addresses, addresses, bytes);
	status = parser_run(
		&parser, fd, job, offsetof(struct addresses_job, addresses) + bytes, NULL);
	if (!status && !elf_addresses_are_sound(job->addresses, addresses, count))
		status = -EBADMSG;
	if (!status)
		memcpy(addresses, job->addresses, bytes);
	return status;
}

int elf_addresses(int fd, struct elf_address *addresses, size_t count)
{
	return run_parser(fd, addresses, count, false);
}

int elf_addresses_debug(int fd, struct elf_address *addresses, size_t count)
{
	return run_parser(fd, addresses, count, true);
}
