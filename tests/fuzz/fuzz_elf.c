/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a file that a target has mapped: what is found stands inside it, in
 * order, under names that were asked for.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "symbols/code_paths.h"
#include "symbols/elf.h"
#include "symbols/elf_address.h"
#include "symbols/elf_sections.h"
#include "symbols/elf_texts.h"

static const char *const names[] = { "malloc", "free", "calloc", "f", "_start", "" };

#define NAMES (sizeof(names) / sizeof(names[0]))

static void check_found(int fd, const struct elf_found *found, size_t size)
{
	uint64_t before = 0;
	uint8_t code[64];

	CHECK(found->machine == MACHINE_X86_64 || found->machine == MACHINE_AARCH64);
	CHECK(found->count <= ELF_FUNCTIONS_MAX);
	for (size_t i = 0; i < found->count; i++) {
		const struct elf_function *f = &found->functions[i];
		ssize_t got;

		CHECK(elf_function_first(f) < NAMES);
		CHECK(f->offset < size);
		CHECK(i == 0 || f->offset > before);
		CHECK(f->source <= ELF_LOCAL);
		before = f->offset;
		got = elf_code(fd, f, code, sizeof(code));
		CHECK(got > 0 && (size_t)got <= sizeof(code) && (size_t)got <= size - f->offset);
		CHECK(!f->size || (uint64_t)got <= f->size);
	}
}

static void check_sections(int fd)
{
	static const char *const prefixes[] = { ".text", ".dyn", "" };
	uint64_t bits = 0;
	int status = elf_sections(fd, prefixes, 3, &bits);

	CHECK(status == 0 || !bits);
	CHECK(bits < 8);
	CHECK(!(bits & 3) || bits & 4); /* any name begins with nothing */
}

/* Places over the whole input, and one where a symbol was found by its name. */
static void check_addresses(int fd, size_t size, uint64_t known)
{
	struct elf_address places[8] = { { .offset = known }, { .offset = UINT64_MAX } };

	for (size_t i = 2; i < 8; i++)
		places[i].offset = size / 6 * (i - 2);
	elf_addresses_debug(fd, places, 8);
	if (elf_addresses(fd, places, 8))
		return;
	CHECK(!places[1].is_found);
	for (size_t i = 0; i < 8; i++) {
		size_t length = strnlen(places[i].name, sizeof(places[i].name));

		CHECK(!places[i].is_found || (length && length <= ELF_ADDRESS_NAME_MAX));
		CHECK(!places[i].is_cut || length == ELF_ADDRESS_NAME_MAX);
	}
}

static void check_texts(int fd, size_t size)
{
	struct elf_function found = { 0 };

	CHECK(!elf_function_of_text(fd, "a text", &found) || found.address || !size);
}

static enum code_target classify(void *user, uint64_t offset, bool is_defined, const char *name)
{
	(void)user;
	CHECK(is_defined || !*name || strlen(name) < SIZE_MAX);
	return offset % 7 == 0 ? CODE_TARGET_INSIDE : offset % 5 == 0 ? CODE_TARGET : CODE_OTHER;
}

static void check_paths(int fd, const struct elf_found *found, size_t size)
{
	struct elf_slots *slots;
	struct code_paths paths;

	if (elf_slots_open(fd, &slots))
		return;
	for (size_t i = 0; i < found->count && i < 2; i++) {
		CHECK(!code_paths_find(
			fd, found->machine, &found->functions[i], slots, classify, NULL, &paths));
		CHECK(paths.count <= CODE_RETURNS_MAX);
		for (size_t k = 0; k < paths.count; k++)
			CHECK(paths.returns[k] < size);
	}
	elf_slots_close(slots);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz-elf", MFD_CLOEXEC);
	struct elf_found found;
	int status;

	CHECK(fd >= 0);
	CHECK(write(fd, data, size) == (ssize_t)size);
	status = elf_functions(fd, names, NAMES, &found);
	CHECK(status <= 0);
	if (!status) {
		check_found(fd, &found, size);
		check_paths(fd, &found, size);
	}
	check_sections(fd);
	check_texts(fd, size);
	check_addresses(fd, size, !status && found.count ? found.functions[0].offset : 0);
	close(fd);
	return 0;
}
