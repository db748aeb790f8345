/* SPDX-License-Identifier: BSD-2-Clause */
/* Sections by name, with libelf; elf.c says why files are read and not mapped. */
#include "symbols/elf_sections.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/parser.h"
#include "symbols/elf_handle.h"

#define SECTIONS_MAX   65536
#define NAMES_SIZE_MAX (1u << 20) /* size of all section names together */

/* Returns whether section names have a bounded size, for which they are read: elf_strptr() would
 * read any size. */
static bool names_are_bounded(Elf *elf, size_t index)
{
	Elf_Scn *section = elf_getscn(elf, index);
	GElf_Shdr header;

	return section && gelf_getshdr(section, &header) && header.sh_type == SHT_STRTAB &&
	       header.sh_size <= NAMES_SIZE_MAX && !(header.sh_flags & SHF_COMPRESSED);
}

/* Called with each section that has a name. */
typedef void (*section_visit)(void *user, const char *name, const GElf_Shdr *header);

static int visit_sections(int fd, section_visit visit, void *user)
{
	_cleanup_(elf_cleanup) Elf *elf = NULL;
	size_t sections, names;
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return -EINVAL;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF || elf_getshdrnum(elf, &sections) ||
		elf_getshdrstrndx(elf, &names))
		return -EINVAL;
	if (!names_are_bounded(elf, names))
		return 0;
	for (size_t i = 1; i < sections && i < SECTIONS_MAX; i++) {
		Elf_Scn *section = elf_getscn(elf, i);
		GElf_Shdr header;
		const char *name = section && gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;

		if (name)
			visit(user, name, &header);
	}
	return 0;
}

Elf_Data *elf_section_data(
	Elf *elf, size_t index, uint32_t type, uint64_t size_max, GElf_Shdr *header)
{
	Elf_Scn *section = elf_getscn(elf, index);

	if (!section || !gelf_getshdr(section, header) || header->sh_type != type ||
		header->sh_size > size_max || header->sh_flags & SHF_COMPRESSED)
		return NULL;
	return elf_getdata(section, NULL);
}

struct section_search {
	const char *const *names;
	size_t count;
	uint64_t bits;
	struct elf_section *found;
};

static void note_prefix(void *user, const char *name, const GElf_Shdr *header)
{
	struct section_search *w = user;

	(void)header;
	for (size_t i = 0; i < w->count; i++) {
		if (!strncmp(name, w->names[i], strlen(w->names[i])))
			w->bits |= UINT64_C(1) << i;
	}
}

static void note_place(void *user, const char *name, const GElf_Shdr *header)
{
	struct section_search *w = user;

	for (size_t i = 0; i < w->count; i++) {
		if (!w->found[i].size && header->sh_type != SHT_NOBITS &&
			!strcmp(name, w->names[i]))
			w->found[i] = (struct elf_section){ .offset = header->sh_offset,
				.size = header->sh_size,
				.address = header->sh_addr,
				.is_compressed = header->sh_flags & SHF_COMPRESSED };
	}
}

struct sections_job {
	struct parser_names names;
	bool is_prefix;
	uint64_t bits;
	struct elf_section found[ELF_SECTIONS_MAX];
};

static int parse_sections(int fd, void *user, struct buffer *more)
{
	struct sections_job *job = user;
	const char *names[PARSER_NAMES_MAX];
	struct section_search w = { names, job->names.count, 0, job->found };
	int status;

	(void)more;
	parser_names_unpack(&job->names, names);
	status = visit_sections(fd, job->is_prefix ? note_prefix : note_place, &w);
	job->bits = w.bits;
	return status;
}

static int run_parser(
	int fd, const char *const *names, size_t count, bool is_prefix, struct sections_job *job)
{
	static const struct parser parser = { "sections of an ELF file", parse_sections };

	*job = (struct sections_job){ .is_prefix = is_prefix };
	if (count > ELF_SECTIONS_MAX || !parser_names_pack(&job->names, names, count))
		return -EINVAL;
	return parser_run(&parser, fd, job, sizeof(*job), NULL);
}

int elf_sections(int fd, const char *const *prefixes, size_t count, uint64_t *found)
{
	struct sections_job job;
	int status = run_parser(fd, prefixes, count, true, &job);

	if (!status)
		*found = job.bits;
	return status;
}

int elf_sections_find(int fd, const char *const *names, size_t count, struct elf_section *found)
{
	struct sections_job job;
	int status = run_parser(fd, names, count, false, &job);

	memset(found, 0, count * sizeof(*found));
	if (!status)
		memcpy(found, job.found, count * sizeof(*found));
	return status;
}
