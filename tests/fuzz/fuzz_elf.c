/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a file that a target has mapped: what is found stands inside it, in
 * order, under names that were asked for.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "symbols/elf.h"

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

		CHECK(f->names && f->names < UINT64_C(1) << NAMES);
		CHECK(f->offset < size);
		CHECK(i == 0 || f->offset > before);
		CHECK(f->source <= ELF_LOCAL);
		before = f->offset;
		got = elf_code(fd, f, code, sizeof(code));
		CHECK(got > 0 && (size_t)got <= sizeof(code) && (size_t)got <= size - f->offset);
		CHECK(!f->size || (uint64_t)got <= f->size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz-elf", MFD_CLOEXEC);
	struct sooth_error err = { 0 };
	struct elf_found found;
	int status;

	CHECK(fd >= 0);
	CHECK(write(fd, data, size) == (ssize_t)size);
	status = elf_functions(fd, names, NAMES, &found, &err);
	CHECK(status == 0 || (status < 0 && err.code == status));
	if (!status)
		check_found(fd, &found, size);
	close(fd);
	return 0;
}
