/* SPDX-License-Identifier: BSD-2-Clause */
/* The text in .rodata, a lea of its address in .text, and the start of that function. */
#include "symbols/elf_texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/read_at.h"
#include "symbols/elf_sections.h"

#define SECTION_BYTES_MAX (UINT64_C(16) << 20)
#define LEA_BYTES	  7    /* REX.W, opcode, ModRM, the distance */
#define TABLE_ENCODING	  0x3b /* of 32-bit distances from the section */
#define TABLE_OFFSET	  12   /* version, three encodings, a pointer, a count */

enum { TEXTS, CODE, STARTS, SECTIONS };

struct part {
	unsigned char *data;
	size_t size;
	uint64_t address, offset;
};

static bool read_part(int fd, const struct elf_section *section, struct part *out)
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

/* The address of a lea of this address. */
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

/* The last start at or before an address; 0: none. The table may not be sorted, as it should. */
static bool find_start(const struct part *starts, uint64_t address, uint64_t *start)
{
	if (starts->size < TABLE_OFFSET || starts->data[0] != 1 ||
		starts->data[3] != TABLE_ENCODING)
		return false;
	for (size_t i = TABLE_OFFSET; i + 8 <= starts->size; i += 8) {
		uint64_t one = starts->address + (uint64_t)(int64_t)number_at(starts->data + i);

		if (one <= address && one > *start)
			*start = one;
	}
	return *start;
}

static bool find(const struct part parts[SECTIONS], const char *text, struct elf_function *out)
{
	const struct part *texts = &parts[TEXTS], *code = &parts[CODE];
	const unsigned char *at = memmem(texts->data, texts->size, text, strlen(text) + 1);
	uint64_t use, start = 0;

	if (!at || !find_use(code, texts->address + (uint64_t)(at - texts->data), &use) ||
		!find_start(&parts[STARTS], use, &start) || start < code->address)
		return false;
	*out = (struct elf_function){
		.address = start,
		.offset = code->offset + (start - code->address),
		.source = ELF_LOCAL,
	};
	return true;
}

bool elf_function_of_text(int fd, const char *text, struct elf_function *out)
{
	static const char *const names[SECTIONS] = { ".rodata", ".text", ".eh_frame_hdr" };
	struct elf_section sections[SECTIONS];
	struct part parts[SECTIONS] = { 0 };
	bool is_read = !elf_sections_find(fd, names, SECTIONS, sections);

	for (size_t i = 0; i < SECTIONS && is_read; i++)
		is_read = read_part(fd, &sections[i], &parts[i]);
	is_read = is_read && find(parts, text, out);
	for (size_t i = 0; i < SECTIONS; i++)
		free(parts[i].data);
	return is_read;
}
