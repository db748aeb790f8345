/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads notes and a section with libelf; elf.c says why files are read and not mapped. */
#include "symbols/debug_identity.h"

#include <assert.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parser.h"
#include "symbols/elf_handle.h"
#include "symbols/elf_sections.h"

#define HEADERS_MAX 65536
#define NOTES_MAX   64
#define NOTES_BYTES (64u << 10) /* of one section or segment of notes */

static void put_build_id(struct debug_identity *d, const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size && i < (sizeof(d->build_id) - 1) / 2; i++)
		snprintf(d->build_id + 2 * i, 3, "%02x", bytes[i]);
}

static void search_notes(struct debug_identity *d, Elf_Data *data)
{
	size_t at = 0, name, contents;
	GElf_Nhdr note;

	for (int i = 0; data && i < NOTES_MAX && !d->build_id[0]; i++) {
		at = gelf_getnote(data, at, &note, &name, &contents);
		if (!at)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
			!memcmp((char *)data->d_buf + name, "GNU", sizeof("GNU")))
			put_build_id(d, (unsigned char *)data->d_buf + contents, note.n_descsz);
	}
}

static void search_segments(struct debug_identity *d, Elf *elf)
{
	size_t count;
	GElf_Phdr p;

	if (elf_getphdrnum(elf, &count))
		return;
	for (size_t i = 0; i < count && i < HEADERS_MAX; i++) {
		if (gelf_getphdr(elf, (int)i, &p) && p.p_type == PT_NOTE &&
			p.p_filesz <= NOTES_BYTES)
			search_notes(d, elf_getdata_rawchunk(
						elf, (int64_t)p.p_offset, p.p_filesz, ELF_T_NHDR));
	}
}

/* Searches the sections: a debug file has the notes, but its segments may point to other bytes. */
static void search_sections(struct debug_identity *d, Elf *elf)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	for (int i = 0; i < HEADERS_MAX && (section = elf_nextscn(elf, section)); i++) {
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE &&
			header.sh_size <= NOTES_BYTES)
			search_notes(d, elf_getdata(section, NULL));
	}
}

/* Reads the debug link: a name, zeros up to a multiple of 4, the checksum. */
static void read_link(int file, struct debug_identity *d)
{
	static const char *const name[] = { ".gnu_debuglink" };
	char bytes[DEBUG_LINK_SIZE + 8] = { 0 };
	struct elf_section place;
	size_t size;

	if (elf_sections_find(file, name, 1, &place) || place.size > sizeof(bytes) ||
		pread(file, bytes, place.size, (off_t)place.offset) != (ssize_t)place.size)
		return;
	size = strnlen(bytes, sizeof(d->link));
	if (!size || size == sizeof(d->link) || memchr(bytes, '/', size) ||
		(size / 4 + 1) * 4 + sizeof(d->link_crc) > place.size)
		return;
	memcpy(&d->link_crc, bytes + (size / 4 + 1) * 4, sizeof(d->link_crc));
	memcpy(d->link, bytes, size + 1);
}

static int parse_identity(int file, void *job, struct buffer *more)
{
	struct debug_identity *out = job;
	_cleanup_(elf_cleanup) Elf *elf = NULL;
	struct stat st;

	(void)more;
	if (fstat(file, &st) || !S_ISREG(st.st_mode))
		return -EINVAL;
	out->owner = st.st_uid;
	elf_version(EV_CURRENT);
	elf = elf_begin(file, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		return -EINVAL;
	search_segments(out, elf);
	if (!out->build_id[0])
		search_sections(out, elf);
	read_link(file, out);
	return 0;
}

bool debug_identity_is_sound(const struct debug_identity *d)
{
	return memchr(d->build_id, '\0', sizeof(d->build_id)) &&
	       !d->build_id[strspn(d->build_id, "0123456789abcdef")] &&
	       memchr(d->link, '\0', sizeof(d->link)) && !strchr(d->link, '/');
}

bool debug_identity_read(int file, struct debug_identity *out)
{
	static const struct parser parser = { "build id of an ELF file", parse_identity };
	struct debug_identity job = { 0 };
	struct stat st = { 0 };
	bool is_read = !fstat(file, &st) && !parser_run(&parser, file, &job, sizeof(job), NULL) &&
		       debug_identity_is_sound(&job);

	assert(out);
	*out = is_read ? job : (struct debug_identity){ 0 };
	out->owner = st.st_uid;
	return is_read;
}
