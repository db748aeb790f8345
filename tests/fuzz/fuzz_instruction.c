/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as code: the first byte says what is asked of a site, the rest is decoded
 * from every offset, and walked. An instruction is as long as it says: the same with
 * nothing behind it, none when a byte is missing.
 */
#include <string.h>

#include "fuzz.h"
#include "symbols/site.h"

static bool is_same(const struct instruction *a, const struct instruction *b)
{
	return a->length == b->length && a->kind == b->kind && a->target == b->target &&
	       a->arguments_written == b->arguments_written && a->is_refused == b->is_refused &&
	       a->emulated_since == b->emulated_since;
}

static void check_at(enum machine machine, const uint8_t *code, size_t size)
{
	struct instruction whole, exact;

	if (!instruction_decode(machine, code, size, &whole))
		return;
	CHECK(whole.length >= 1 && whole.length <= INSTRUCTION_LENGTH_MAX && whole.length <= size);
	CHECK(whole.length % instruction_step(machine) == 0);
	CHECK(instruction_decode(machine, code, whole.length, &exact) && is_same(&whole, &exact));
	CHECK(!instruction_decode(machine, code, whole.length - 1u, &exact));
	CHECK(whole.target >= INT32_MIN && whole.target <= (int64_t)INT32_MAX + 15);
	CHECK(whole.changes_return || !whole.changes_stack);
	CHECK((whole.kind == INSTRUCTION_BRANCH) == (whole.condition != CONDITION_NONE));
	CHECK(whole.emulated_since == KERNEL_NEVER || whole.kind != INSTRUCTION_PLAIN);
}

static void check_site(enum machine machine, const uint8_t *code, size_t size, uint8_t how)
{
	struct site_requirement want = { .arguments = how & 15,
		.needs_return = how & 16,
		.skips_null = how & 32,
		.kernel = how & 64 ? KERNEL_RELEASE(6, 18) : 0 };
	struct site site, again;

	memset(&site, 0, sizeof(site));
	memset(&again, 0, sizeof(again));
	site_choose(machine, code, size, &want, &site);
	site_choose(machine, code, size, &want, &again);
	CHECK(site.offset == again.offset && site.why == again.why && site.why);
	CHECK(site.offset == 0 || site.offset < size);
	CHECK(site.offset < SITE_REACH_MAX);
	CHECK(site.offset % instruction_step(machine) == 0);
	CHECK(site.is_once || site.offset == 0);
	CHECK(site.keeps_return || !want.needs_return);
	CHECK(site.sees_null || want.skips_null);
	CHECK(!site.is_emulated ||
		(site.instruction.length && site.instruction.emulated_since != KERNEL_NEVER));
	CHECK(!site.is_emulated || !site.is_refused);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t how;

	if (!size)
		return 0;
	how = *data++;
	size--;
	for (int machine = MACHINE_X86_64; machine <= MACHINE_AARCH64; machine++) {
		for (size_t at = 0; at < size && at < 256; at++)
			check_at((enum machine)machine, data + at, size - at);
		check_site((enum machine)machine, data, size, how);
	}
	return 0;
}
