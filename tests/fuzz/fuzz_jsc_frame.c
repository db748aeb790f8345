/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of a process with JavaScriptCore: it may hold any bytes. */
#include "fuzz.h"
#include "os/linux/runtimes/jsc/jsc_frame.h"

#include <string.h>

#define BASE 0x1000

struct memory {
	const uint8_t *data;
	size_t size;
};

/* Addresses wrap around, so that nearly all of them are there. */
static bool read_memory(void *user, uint64_t address, void *out, size_t size)
{
	const struct memory *m = user;
	size_t at = m->size ? (size_t)(address % m->size) : 0;

	if (address < BASE || size > m->size - at)
		return false;
	memcpy(out, m->data + at, size);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const builds[] = { "a9a0d18db4f98a86ad4778800c5fa46943f81b2e",
		"a9ea3707c32f242dc5ec7fee3c5fdd9bc99893b3" };
	struct memory memory = { data, size };
	struct jsc_frame f = { 0 };

	if (size < 1 + sizeof(f.raw))
		return 0;
	f.layout = *jsc_layout_of(builds[data[0] & 1]);
	f.is_top = data[0] & 2;
	memcpy(&f.raw, data + 1, sizeof(f.raw));
	f.pc = data[0] & 4 ? 0 : f.raw.name ^ f.raw.of.detail;
	jsc_frame_read(&f, read_memory, &memory);
	CHECK(f.refusal < JSC_REFUSALS && !f.refusal == (f.size != 0) && f.size <= sizeof(f.text));
	if (f.size) {
		size_t function = strnlen(f.text, f.size);

		CHECK(function && function + 1 < f.size);
		CHECK(function + 1 + strnlen(f.text + function + 1, f.size - function - 1) + 1 == f.size);
		for (size_t i = 0; i < f.size; i++)
			CHECK(!f.text[i] || (unsigned char)f.text[i] >= 0x20);
	}
	return 0;
}
