/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unwind information: a byte for the machine, then the section. Whatever stands there, the rows are
 * sorted, lie in the code, and name a rule.
 */
#include "fuzz.h"
#include "os/linux/profile/unwind_table.h"

#define CODE 0x1000u
#define SIZE 0x100000u

static void check_rows(const struct unwind_table *t)
{
	const struct unwind_row *rows = (const void *)t->rows.data;
	size_t rules = t->rules.size / sizeof(struct unwind_rule);

	CHECK(rules <= UNWIND_RULES_MAX);
	for (size_t i = 0; i < t->rows.size / sizeof(*rows); i++) {
		uint64_t entry;

		CHECK((rows[i].rule & ~UNWIND_IS_ENTRY) < rules);
		CHECK(rows[i].offset >= CODE && rows[i].offset <= CODE + SIZE);
		CHECK(!i || rows[i - 1].offset < rows[i].offset);
		if (unwind_table_entry(rows, t->rows.size / sizeof(*rows), rows[i].offset, &entry))
			CHECK(entry <= rows[i].offset);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unwind_input in = { .machine =
					   size && data[0] & 1 ? MACHINE_AARCH64 : MACHINE_X86_64,
		.frames = data + (size != 0),
		.size = size ? size - 1 : 0,
		.address = 0x2000,
		.segments = { { 0, CODE, SIZE } },
		.segment_count = 1 };
	struct unwind_table t;

	CHECK(unwind_table_make(&t, &in));
	check_rows(&t);
	unwind_table_fini(&t);
	return 0;
}
