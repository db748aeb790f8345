/* SPDX-License-Identifier: BSD-2-Clause */
/* Marks of an executable. */
#include "os/linux/programs/program_marks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "symbols/bun.h"
#include "symbols/elf_sections.h"

#define TEXTS_MAX    2
#define SCAN_MAX     (32u << 20) /* per text: more than an entry module or .rodata has */
#define PIECE_SIZE   (64u << 10)
#define OVERLAP	     128  /* no mark is longer */
#define NEARBY_SIZE  1024 /* distance from a mark within which a version is looked for */
#define BUN_SECTION  ".bun"
#define TEXT_SECTION ".rodata"

struct program_file {
	int fd;
	struct elf_section bun[TEXTS_MAX], read_only;
	bool has_bun; /* searched */
};

static bool read_exactly(int fd, void *out, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, (char *)out + done, size - done, (off_t)(offset + done));

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* --- place of the program's own text --- */

static bool is_module(int fd, uint64_t begin, const struct bun_place *name)
{
	char text[sizeof(BUN_NAME_BEGIN) - 1];

	return name->size > sizeof(text) &&
	       read_exactly(fd, text, sizeof(text), begin + name->offset) &&
	       !memcmp(text, BUN_NAME_BEGIN, sizeof(text));
}

static bool find_entry(struct elf_section *entry, int fd, const struct elf_section *s,
	const struct bun_places *places)
{
	for (unsigned size = BUN_ROW_LEAST; size <= BUN_ROW_MOST; size += BUN_ROW_STEP) {
		unsigned char row[BUN_ROW_LEAST];
		struct bun_place name, contents;
		uint64_t at = s->offset + places->modules.offset + (uint64_t)places->entry * size;

		if (!bun_may_be_row(places, size) || !read_exactly(fd, row, sizeof(row), at) ||
			!bun_parse_row(&name, &contents, row, sizeof(row), s->size) ||
			!is_module(fd, s->offset, &name))
			continue;
		*entry = (struct elf_section){ s->offset + contents.offset, contents.size };
		return true;
	}
	return false;
}

/* The built-in options and the entry script; in an unknown layout the start of the section. */
static void find_bun_texts(struct program_file *f, const struct elf_section *s)
{
	unsigned char head[BUN_HEAD_SIZE], end[BUN_END_SIZE];
	struct bun_places places;
	uint64_t at;

	f->bun[0] = *s;
	if (!read_exactly(f->fd, head, sizeof(head), s->offset))
		return;
	at = bun_end(head, sizeof(head), s->size);
	if (!at || !read_exactly(f->fd, end, sizeof(end), s->offset + at) ||
		!bun_parse_end(&places, end, sizeof(end), s->size))
		return;
	f->bun[1] = (struct elf_section){ s->offset + places.options.offset, places.options.size };
	find_entry(&f->bun[0], f->fd, s, &places);
}

/* --- searching for a text --- */

/* Its offset in the file; 0: not found. */
static uint64_t find_text(int fd, const struct elf_section *s, const char *text)
{
	size_t length = strlen(text), kept = 0;
	uint64_t end = s->size < SCAN_MAX ? s->size : SCAN_MAX;
	char piece[OVERLAP + PIECE_SIZE];

	for (uint64_t at = 0; at < end;) {
		size_t want = end - at < PIECE_SIZE ? (size_t)(end - at) : PIECE_SIZE;
		ssize_t n = pread(fd, piece + kept, want, (off_t)(s->offset + at));
		const char *found;

		if (n <= 0)
			return 0;
		found = memmem(piece, kept + (size_t)n, text, length);
		if (found)
			return s->offset + at - kept + (uint64_t)(found - piece);
		at += (uint64_t)n;
		n += (ssize_t)kept;
		kept = (size_t)n < length - 1 ? (size_t)n : length - 1;
		memmove(piece, piece + n - kept, kept);
	}
	return 0;
}

static void read_version(struct program_marks *m, int fd, uint64_t at, const char *behind)
{
	static const char legal[] =
		"0123456789.-+abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char near[NEARBY_SIZE + 1];
	ssize_t n = pread(fd, near, NEARBY_SIZE, (off_t)at);
	const char *text;
	size_t size;

	if (n <= 0)
		return;
	near[n] = '\0'; /* so that the span of valid characters ends */
	text = behind[0] ? memmem(near, (size_t)n, behind, strlen(behind)) : near;
	if (!text)
		return;
	text += strlen(behind);
	size = strspn(text, legal);
	if (size < sizeof(m->version)) {
		memcpy(m->version, text, size);
		m->version[size] = '\0';
	}
}

static void add_mark(struct program_marks *m, const struct agent_program *p)
{
	size_t room = sizeof(m->marks) - m->marks_size;
	int size = snprintf(m->marks + m->marks_size, room, "%s %s", p->section, p->holds);

	if (size > 0 && (size_t)size < room)
		m->marks_size = (uint16_t)(m->marks_size + size + 1);
}

/* --- rules --- */

static bool begins(int fd, const struct elf_section *s, const char *text)
{
	char bytes[64];
	size_t size = text ? strlen(text) + 1 : 0;

	if (!text)
		return true;
	return size <= sizeof(bytes) && size <= s->size &&
	       read_exactly(fd, bytes, size, s->offset) && !memcmp(bytes, text, size);
}

static void try_rule(struct program_marks *m, struct program_file *f, const struct agent_program *p,
	const struct elf_section *section)
{
	const struct elf_section *texts = &f->read_only;
	size_t count = 1;
	uint64_t at = 0;

	if (!section->size || !begins(f->fd, section, p->begins))
		return;
	if (!strcmp(p->section, BUN_SECTION)) {
		if (!f->has_bun)
			find_bun_texts(f, section);
		f->has_bun = true;
		texts = f->bun;
		count = TEXTS_MAX;
	}
	for (size_t i = 0; i < count && !at; i++)
		at = find_text(f->fd, &texts[i], p->holds);
	if (!at)
		return;
	add_mark(m, p);
	if (p->version_behind)
		read_version(m, f->fd, at + strlen(p->holds), p->version_behind);
}

static size_t list_programs(
	const struct agent_program **programs, const struct agent_set *agents, struct span name)
{
	const struct agent *agent;
	size_t position = 0, count = 0;

	while ((agent = agent_set_next(agents, &position))) {
		for (size_t k = 0; k < agent_rule_count(agent); k++) {
			const struct agent_rule *rule = &agent->rules[k];

			if (rule->kind == AGENT_RULE_PROGRAM && count < AGENT_PROGRAMS_MAX &&
				(!rule->called || span_equal(name, rule->called)))
				programs[count++] = &rule->program;
		}
	}
	return count;
}

int program_marks_read(
	struct program_marks *marks, const struct agent_set *agents, int fd, struct span name)
{
	const struct agent_program *programs[AGENT_PROGRAMS_MAX];
	const char *sections[AGENT_PROGRAMS_MAX + 1];
	struct elf_section found[AGENT_PROGRAMS_MAX + 1];
	struct program_file f = { .fd = fd };
	size_t count;
	int status;

	*marks = (struct program_marks){ 0 };
	count = list_programs(programs, agents, name);
	for (size_t i = 0; i < count; i++)
		sections[i] = programs[i]->section;
	sections[count] = TEXT_SECTION;
	status = elf_sections_find(fd, sections, count + 1, found);
	if (status)
		return status;
	f.read_only = found[count];
	for (size_t i = 0; i < count; i++)
		try_rule(marks, &f, programs[i], &found[i]);
	return 0;
}
