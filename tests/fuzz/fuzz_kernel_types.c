/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BTF, what a compiler notes of a program, and the program: two lengths of 16 bits, then those.
 * The types stand for the kernel's as well. Whatever they say, nothing outside of them is read
 * and nothing outside of the program written.
 */
#include <string.h>

#include "fuzz.h"
#include "os/linux/bpf/bpf_fit.h"

#define INSTRUCTIONS_MAX 512

static void look_at_all(const struct kernel_types *t)
{
	struct kernel_type type;

	for (uint32_t id = 0; id <= t->count && id < 1000; id++) {
		struct kernel_path path;
		struct kernel_place place;
		struct span name;

		if (!kernel_types_get(t, id, &type))
			continue;
		CHECK(id && id < t->count);
		name = kernel_types_name(t, type.name);
		CHECK(!name.size || (name.data >= (const char *)t->strings &&
					    name.data + name.size <=
						    (const char *)t->strings + t->strings_size));
		if (kernel_path_from(&path, t, id, span_of("0:1:0", 5)))
			kernel_types_find(t, id, &path, &place);
	}
}

static void fit(const struct bpf_unfitted *program)
{
	struct kernel_name names[KERNEL_NAMES_MAX];
	struct kernel_types t;
	struct sooth_error err;
	size_t count;

	if (!bpf_list_relocated_types(program, names, KERNEL_NAMES_MAX, &count) &&
		!kernel_types_over(&t, program->types.data, program->types.size, names, count)) {
		bpf_relocate(program, &t, names, count, &err);
		kernel_types_close(&t);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	size_t types = cursor_u16(&c), notes = cursor_u16(&c);
	struct bpf_unfitted program = { .section = span_of("iter/task", 9) };
	struct kernel_types t;
	size_t bytes;

	program.types = cursor_bytes(&c, types);
	program.notes = cursor_bytes(&c, notes);
	if (c.failed)
		return 0;
	if (!kernel_types_over(&t, program.types.data, program.types.size, NULL, 0))
		look_at_all(&t);
	kernel_types_close(&t);
	program.count = cursor_left(&c) / sizeof(struct bpf_insn);
	program.count = program.count < INSTRUCTIONS_MAX ? program.count : INSTRUCTIONS_MAX;
	bytes = program.count * sizeof(struct bpf_insn);
	program.instructions = malloc(bytes + 1);
	if (!program.instructions)
		return 0;
	memcpy(program.instructions, c.at, bytes);
	fit(&program);
	free(program.instructions);
	return 0;
}
