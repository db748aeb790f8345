/* SPDX-License-Identifier: BSD-2-Clause */
/* Second programs. */
#include "os/linux/bpf/again.h"

#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "os/linux/rights/needs.h"
#include "symbols/instruction.h"

#define SUFFIX	       "_again"
#define NAME_MAX_BYTES 64

static bool is_second(const struct bpf_program *program)
{
	const char *name = bpf_program__name(program);
	size_t length = strlen(name), suffix = strlen(SUFFIX);

	return length > suffix && !strcmp(name + length - suffix, SUFFIX);
}

void again_prepare(struct bpf_object *object)
{
	bool is_needed = needs_kernel_release() >= KERNEL_RELEASE(7, 0);
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		if (is_second(program))
			bpf_program__set_autoload(program, is_needed);
	}
}

const struct bpf_program *again_program(const struct bpf_object *object, const char *program)
{
	char name[NAME_MAX_BYTES];
	const struct bpf_program *second;

	snprintf(name, sizeof(name), "%s" SUFFIX, program);
	second = bpf_object__find_program_by_name(object, name);
	return second && bpf_program__autoload(second) ? second : NULL;
}

static uint64_t misses_of(const struct bpf_program *program)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size)
		       ? 0
		       : info.recursion_misses;
}

static uint64_t missed_by_both(const struct bpf_object *object)
{
	struct bpf_program *program;
	uint64_t sum = 0;

	bpf_object__for_each_program(program, object)
	{
		const struct bpf_program *second =
			again_program(object, bpf_program__name(program));
		uint64_t first = is_second(program) ? 0 : misses_of(program);
		uint64_t both = second ? misses_of(second) : first;

		sum += both < first ? both : first;
	}
	return sum;
}

void again_emit(const struct bpf_object *object, struct backend_run *run, const char *reason)
{
	uint64_t missed = missed_by_both(object);

	if (missed)
		backend_loss(run, missed, 0, reason);
}
