/* SPDX-License-Identifier: BSD-2-Clause */
/* Mappings by address, as they come and are replaced; samples of perf events, also broken ones. */
#include "support.h"

#include <linux/perf_event.h>
#include <string.h>

#include "os/linux/profile/perf_rings.h"
#include "os/linux/profile/stack_mappings.h"

static struct buffer mappings;

static void put(uint64_t from, uint64_t to, uint64_t inode)
{
	const struct stack_mapping m = {
		.from = from, .to = to, .offset = 0x100, .inode = inode, .is_code = true
	};

	stack_mappings_put(&mappings, &m);
}

/* The inode of the file at an address; 0: none. */
static uint64_t at(uint64_t address)
{
	const struct stack_mapping *m = stack_mappings_find(&mappings, address);

	return m ? m->inode : 0;
}

static size_t count(void)
{
	return mappings.size / sizeof(struct stack_mapping);
}

static void test_order(void **state)
{
	(void)state;
	buffer_reset(&mappings);
	assert_int_equal(at(0x1000), 0);
	put(0x5000, 0x6000, 5);
	put(0x1000, 0x2000, 1);
	put(0x3000, 0x4000, 3);
	put(0x2000, 0x2000, 9); /* nothing */
	assert_int_equal(count(), 3);
	assert_int_equal(at(0xfff), 0);
	assert_int_equal(at(0x1000), 1);
	assert_int_equal(at(0x1fff), 1);
	assert_int_equal(at(0x2000), 0);
	assert_int_equal(at(0x3000), 3);
	assert_int_equal(at(0x5fff), 5);
	assert_int_equal(at(0x6000), 0);
}

static void test_replaced(void **state)
{
	const struct stack_mapping *m;

	(void)state;
	buffer_reset(&mappings);
	put(0x1000, 0x9000, 1);
	put(0x3000, 0x4000, 2); /* in the middle: what was there is in two parts */
	assert_int_equal(count(), 3);
	assert_int_equal(at(0x2fff), 1);
	assert_int_equal(at(0x3000), 2);
	assert_int_equal(at(0x4000), 1);
	m = stack_mappings_find(&mappings, 0x4000);
	assert_int_equal(m->from, 0x4000);
	assert_int_equal(m->offset, 0x100 + 0x3000);
	put(0x2000, 0x8000, 3); /* over several */
	assert_int_equal(count(), 3);
	assert_int_equal(at(0x1fff), 1);
	assert_int_equal(at(0x3000), 3);
	assert_int_equal(at(0x8000), 1);
	assert_int_equal(stack_mappings_find(&mappings, 0x8000)->offset, 0x100 + 0x7000);
	put(0x1000, 0x9000, 4);
	assert_int_equal(count(), 1);
	put(0x9000, 0xa000, 5); /* beside it */
	assert_int_equal(count(), 2);
	assert_int_equal(at(0x8fff), 4);
	assert_int_equal(at(0x9000), 5);
}

static void test_parsed(void **state)
{
	static const char text[] = "00400000-00401000 r-xp 00002000 08:01 77 /bin/tool\n"
				   "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 [stack]\n"
				   "broken\n"
				   "7fff00000000-7fff00001000 r-xp 00000000 00:00 0 [vdso]\n";
	const struct stack_mapping *m;

	(void)state;
	buffer_reset(&mappings);
	stack_mappings_parse(&mappings, text, strlen(text));
	assert_int_equal(count(), 3);
	m = stack_mappings_find(&mappings, 0x400fff);
	assert_int_equal(m->inode, 77);
	assert_int_equal(m->offset, 0x2000);
	assert_true(m->is_code);
	assert_int_not_equal(m->file, 0);
	assert_false(stack_mappings_find(&mappings, 0x7f0000000000)->is_code);
	m = stack_mappings_find(&mappings, 0x7fff00000000);
	assert_true(m->is_vdso);
	assert_int_not_equal(m->file, 0);
}

/* --- samples --- */

static struct {
	struct perf_event_header header;
	uint64_t words[64];
} record;

static size_t words;

static void add(uint64_t word)
{
	record.words[words++] = word;
	record.header.size = (uint16_t)(sizeof(record.header) + words * sizeof(word));
}

static void begin(uint32_t type)
{
	memset(&record, 0, sizeof(record));
	words = 0;
	record.header.type = type;
	add(7 | UINT64_C(8) << 32); /* pid, tid */
	add(1234);		    /* time */
	add(3);			    /* CPU */
}

static void add_registers(void)
{
	add(PERF_SAMPLE_REGS_ABI_64);
	add(0xf0);
#if !defined(__x86_64__)
	add(0x11);
#endif
	add(0x50);
	add(0xc0);
}

static void test_sample(void **state)
{
	const struct perf_rings rings = { .has_kernel = true };
	struct perf_sample s;

	(void)state;
	begin(PERF_RECORD_SAMPLE);
	add(4); /* callchain */
	add((uint64_t)PERF_CONTEXT_KERNEL);
	add(0xffffffff81000001);
	add(0xffffffff81000002);
	add((uint64_t)PERF_CONTEXT_USER);
	add_registers();
	add(16); /* stack */
	add(1);
	add(2);
	add(8); /* of which this much was copied */
	assert_true(perf_sample_parse(&rings, &record.header, &s));
	assert_int_equal(perf_record_time(&record.header), 1234);
	assert_int_equal(s.pid, 7);
	assert_int_equal(s.tid, 8);
	assert_int_equal(s.cpu, 3);
	assert_int_equal(s.kernel_frames, 2);
	assert_int_equal(s.kernel[1], 0xffffffff81000002);
	assert_true(s.has_registers);
	assert_false(s.is_foreign);
	assert_int_equal(s.fp, 0xf0);
	assert_int_equal(s.sp, 0x50);
	assert_int_equal(s.pc, 0xc0);
	assert_int_equal(s.stack_size, 8);
	/* No part of it is a sample. */
	for (uint16_t size = record.header.size; size > sizeof(record.header); size--) {
		record.header.size = (uint16_t)(size - 1);
		assert_false(perf_sample_parse(&rings, &record.header, &s));
	}
}

static void test_without_user(void **state)
{
	const struct perf_rings rings = { 0 };
	struct perf_sample s;

	(void)state;
	begin(PERF_RECORD_SAMPLE);
	add(PERF_SAMPLE_REGS_ABI_NONE);
	add(0); /* no stack */
	assert_true(perf_sample_parse(&rings, &record.header, &s));
	assert_false(s.has_registers);
	assert_int_equal(s.stack_size, 0);
	assert_int_equal(s.kernel_frames, 0);
}

/* Numbers that would lead out of the record. */
static void test_hostile(void **state)
{
	const struct perf_rings rings = { .has_kernel = true };
	struct perf_sample s;

	(void)state;
	begin(PERF_RECORD_SAMPLE);
	add(UINT64_MAX); /* frames */
	add(1);
	assert_false(perf_sample_parse(&rings, &record.header, &s));
	begin(PERF_RECORD_SAMPLE);
	add(0);
	add_registers();
	add(UINT64_MAX); /* bytes of the stack */
	assert_false(perf_sample_parse(&rings, &record.header, &s));
	begin(PERF_RECORD_SAMPLE);
	add(0);
	add_registers();
	add(8);
	add(1);
	add(UINT64_MAX); /* copied */
	assert_true(perf_sample_parse(&rings, &record.header, &s));
	assert_int_equal(s.stack_size, 8);
}

static int fini(void **state)
{
	(void)state;
	buffer_fini(&mappings);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_parsed),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_without_user),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, fini);
}
