/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a file with DWARF, from gcc and clang, DWARF 4 and 5, packed and not: what is found
 * are texts inside of their room, each with its end, and a place more than functions.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "symbols/elf_lines.h"

#define ADDRESSES 12

/* libdw keeps 32 bytes of a damaged file; the reader of such a file ends with it. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libdw";
}

static size_t check_texts(const char *texts, size_t size)
{
	size_t count = 0;

	CHECK(size <= ELF_LINE_TEXT_MAX);
	CHECK(!size || !texts[size - 1]);
	for (size_t i = 0; i < size; i++)
		count += !texts[i];
	return count;
}

static void check_line(const struct elf_line *line)
{
	size_t functions = check_texts(line->functions, line->functions_size);
	size_t places = check_texts(line->places, line->places_size);

	CHECK(functions <= ELF_LINE_INLINED_MAX);
	CHECK(!line->is_found || places);
	CHECK(!line->is_found || line->is_cut || places == functions + 1);
	CHECK(line->is_found || !functions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct elf_line lines[ADDRESSES];
	int fd = memfd_create("fuzz-elf-lines", MFD_CLOEXEC);
	struct elf_address addresses[ADDRESSES] = { 0 };

	CHECK(fd >= 0);
	CHECK(write(fd, data, size) == (ssize_t)size);
	memset(lines, 0, sizeof(lines));
	for (size_t i = 0; i < ADDRESSES; i++)
		addresses[i].offset = 0xb0 + 7 * i;
	if (!elf_addresses(fd, addresses, ADDRESSES)) {
		elf_lines(fd, addresses, lines, ADDRESSES);
		for (size_t i = 0; i < ADDRESSES; i++)
			check_line(&lines[i]);
	}
	close(fd);
	return 0;
}
