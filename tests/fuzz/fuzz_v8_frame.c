/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of a process with V8: it may hold any bytes. */
#include "fuzz.h"
#include "os/linux/runtimes/v8/v8_frame.h"

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

static const struct v8_layout layout = {
	.shared = { .map_type = 12, .function_shared = 24, .shared_name = 16, .shared_script = 32,
		.shared = 262 },
	.tag = 1, .tag_mask = 3, .tagged_bytes = 8, .smi_shift = 31, .smi_value_shift = 1,
	.type_scope = 261, .type_script = 167, .type_debug = 153, .type_nonstring = 128,
	.string_mask = 7, .string_encoding = 8, .string_one_byte = 8, .string_cons = 1,
	.string_external = 2, .string_sliced = 3, .string_thin = 5, .string_length = 12,
	.string_letters = 16, .cons_first = 16, .cons_second = 24, .sliced_parent = 16,
	.sliced_offset = 24, .thin_actual = 16, .external_resource = 16, .scope_locals = 2,
	.scope_first = 3, .script_name = 16, .script_source = 8, .kind_regexp = 27, .kind_wasm = 4,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory memory = { data, size };
	struct v8_frame f = { .layout = layout };

	if (size < 1 + sizeof(f.raw))
		return 0;
	if (data[0] & 1)
		f.layout.scope_first = 5;
	memcpy(&f.raw, data + 1, sizeof(f.raw));
	v8_frame_read(&f, read_memory, &memory);
	v8_is_framed(read_memory, &memory, f.raw.block);
	CHECK(f.refusal < V8_REFUSALS && !f.refusal == (f.size != 0) && f.size <= sizeof(f.text));
	if (f.size) {
		size_t function = strnlen(f.text, f.size);

		CHECK(function + 1 < f.size);
		CHECK(function + 1 + strnlen(f.text + function + 1, f.size - function - 1) + 1 == f.size);
		for (size_t i = 0; i < f.size; i++)
			CHECK(!f.text[i] || (unsigned char)f.text[i] >= 0x20);
	}
	return 0;
}
