/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds a text in .rodata, a lea of its address in .text, and the start of the function with the
 * lea; and jumps of a function into code that starts elsewhere. */
#include "symbols/elf_texts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parser.h"
#include "base/read_at.h"
#include "symbols/elf_sections.h"

#define SECTION_BYTES_MAX (UINT64_C(16) << 20)
#define LEA_BYTES	  7    /* REX.W, opcode, ModRM, the distance */
#define TABLE_ENCODING	  0x3b /* encoding of a table of 32-bit distances from the section */
#define TABLE_OFFSET	  12   /* version, three encodings, a pointer, a count */
#define START_BYTES	  8

#define JUMP_BYTES	   6
#define JUMPS_MIN	   2 /* a single one may be bytes that look like a jump */
#define RESTS_MAX	   16
#define FUNCTION_BYTES_MAX 65536
#define LOOKS_MAX                                                                                  \
	(UINT64_C(1) << 28) /* number of comparisons: each jump is compared with all starts */

enum { TEXTS, CODE, STARTS, SECTIONS };

struct part {
	unsigned char *data;
	size_t size;
	uint64_t address, offset;
};

static bool read_section_part(int fd, const struct elf_section *section, struct part *out)
{
	if (!section->size || section->size > SECTION_BYTES_MAX || section->is_compressed)
		return false;
	*out = (struct part){ malloc(section->size), section->size, section->address,
		section->offset };
	return out->data && read_all_at(fd, out->data, out->size, section->offset);
}

static int32_t number_at(const unsigned char *at)
{
	int32_t number;

	memcpy(&number, at, sizeof(number));
	return number;
}

/* Finds the address of a lea that loads `address`. */
static bool find_use(const struct part *code, uint64_t address, uint64_t *use)
{
	for (size_t i = 0; i + LEA_BYTES <= code->size; i++) {
		const unsigned char *at = code->data + i;
		uint64_t next = code->address + i + LEA_BYTES;

		if ((at[0] & 0xfb) != 0x48 || at[1] != 0x8d || (at[2] & 0xc7) != 0x05 ||
			next + (uint64_t)(int64_t)number_at(at + 3) != address)
			continue;
		*use = code->address + i;
		return true;
	}
	return false;
}

/* Finds the last start at or before an address, and the first after it; 0: none. The table should
 * be sorted, but may not be. */
static bool find_start(const struct part *starts, uint64_t address, uint64_t *start, uint64_t *next)
{
	*start = *next = 0;
	if (starts->size < TABLE_OFFSET || starts->data[0] != 1 ||
		starts->data[3] != TABLE_ENCODING)
		return false;
	for (size_t i = TABLE_OFFSET; i + START_BYTES <= starts->size; i += START_BYTES) {
		uint64_t one = starts->address + (uint64_t)(int64_t)number_at(starts->data + i);

		if (one <= address && one > *start)
			*start = one;
		if (one > address && (!*next || one < *next))
			*next = one;
	}
	return *start;
}

static bool find_user_of_text(
	const struct part parts[SECTIONS], const char *text, struct elf_function *out)
{
	const struct part *texts = &parts[TEXTS], *code = &parts[CODE];
	const unsigned char *at = memmem(texts->data, texts->size, text, strlen(text) + 1);
	uint64_t use, start, next;

	if (!at || !find_use(code, texts->address + (uint64_t)(at - texts->data), &use) ||
		!find_start(&parts[STARTS], use, &start, &next) || start < code->address)
		return false;
	*out = (struct elf_function){
		.address = start,
		.offset = code->offset + (start - code->address),
		.source = ELF_LOCAL,
	};
	return true;
}

/* --- the rest of a function --- */

struct rest {
	uint64_t start, end;
	uint32_t jumps;
};

/* Returns the target of a jump with a distance of 32 bits; 0: there is none. The bytes may be the
 * middle of another instruction. */
static uint64_t target_at(const struct part *code, uint64_t at)
{
	const unsigned char *byte = code->data + at;

	if (byte[0] == 0xe9)
		return code->address + at + 5 + (uint64_t)(int64_t)number_at(byte + 1);
	if (byte[0] == 0x0f && (byte[1] & 0xf0) == 0x80)
		return code->address + at + 6 + (uint64_t)(int64_t)number_at(byte + 2);
	return 0;
}

static void count_jump(struct rest rests[RESTS_MAX], uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < RESTS_MAX; i++) {
		if (rests[i].jumps && rests[i].start != start)
			continue;
		rests[i] = (struct rest){ start, end, rests[i].jumps + 1 };
		return;
	}
}

static void count_jumps(const struct part parts[SECTIONS], const struct elf_export *function,
	struct rest rests[RESTS_MAX])
{
	const struct part *code = &parts[CODE];
	uint64_t from = function->address - code->address;
	uint64_t start, next, looks = 0;

	for (uint64_t i = from; i + JUMP_BYTES <= from + function->size && looks < LOOKS_MAX; i++) {
		uint64_t target = target_at(code, i);

		if (target <= code->address || target >= code->address + code->size ||
			target - function->address < function->size)
			continue;
		looks += parts[STARTS].size / START_BYTES;
		if (find_start(&parts[STARTS], target, &start, &next) && start < target &&
			start != function->address && next > target)
			count_jump(rests, start, next);
	}
}

static bool find_rest_of_function(const struct part parts[SECTIONS],
	const struct elf_export *function, struct elf_export *out)
{
	const struct part *code = &parts[CODE];
	struct rest rests[RESTS_MAX] = { 0 };
	size_t most = 0;

	if (function->size > FUNCTION_BYTES_MAX || function->address < code->address ||
		function->address - code->address > code->size ||
		function->size > code->size - (function->address - code->address))
		return false;
	count_jumps(parts, function, rests);
	for (size_t i = 1; i < RESTS_MAX; i++) {
		if (rests[i].jumps > rests[most].jumps)
			most = i;
	}
	if (rests[most].jumps < JUMPS_MIN || rests[most].start < code->address)
		return false;
	*out = (struct elf_export){ .address = rests[most].start,
		.size = rests[most].end - rests[most].start,
		.offset = code->offset + (rests[most].start - code->address) };
	return true;
}

/* --- files --- */

/* Reads the parts from `first` on; the others stay empty. */
static bool read_parts(int fd, size_t first, struct part parts[SECTIONS])
{
	static const char *const names[SECTIONS] = { ".rodata", ".text", ".eh_frame_hdr" };
	struct elf_section sections[SECTIONS];
	bool is_read = !elf_sections_find(fd, names, SECTIONS, sections);

	for (size_t i = first; i < SECTIONS && is_read; i++)
		is_read = read_section_part(fd, &sections[i], &parts[i]);
	return is_read;
}

static void drop_parts(struct part parts[SECTIONS])
{
	for (size_t i = 0; i < SECTIONS; i++)
		free(parts[i].data);
}

struct texts_job {
	struct parser_names text;
	struct elf_function user; /* result for a text */
	struct elf_export function, rest;
};

static int parse_text(int fd, void *argument, struct buffer *more)
{
	struct texts_job *job = argument;
	struct part parts[SECTIONS] = { 0 };
	bool is_found = read_parts(fd, TEXTS, parts) &&
			find_user_of_text(parts, job->text.text, &job->user);

	(void)more;
	drop_parts(parts);
	return is_found ? 0 : -ENOENT;
}

static int parse_rest(int fd, void *argument, struct buffer *more)
{
	struct texts_job *job = argument;
	struct part parts[SECTIONS] = { 0 };
	bool is_found = read_parts(fd, CODE, parts) &&
			find_rest_of_function(parts, &job->function, &job->rest);

	(void)more;
	drop_parts(parts);
	return is_found ? 0 : -ENOENT;
}

bool elf_function_of_text(int fd, const char *text, struct elf_function *out)
{
	static const struct parser parser = { "code of an ELF file", parse_text };
	struct texts_job job = { 0 };
	bool is_found = parser_names_pack(&job.text, &text, 1) &&
			!parser_run(&parser, fd, &job, sizeof(job), NULL);

	if (is_found)
		*out = (struct elf_function){
			.address = job.user.address, .offset = job.user.offset, .source = ELF_LOCAL
		};
	return is_found;
}

bool elf_function_rest(int fd, const struct elf_export *function, struct elf_export *rest)
{
	static const struct parser parser = { "code of an ELF file", parse_rest };
	struct texts_job job = { .function = *function };
	bool is_found = !parser_run(&parser, fd, &job, sizeof(job), NULL);

	if (is_found)
		*rest = job.rest;
	return is_found;
}
