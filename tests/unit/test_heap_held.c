/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live set as the kernel adds it up: what a process holds and by which stack, when the last
 * sums come after its exec or its end, and of several processes.
 */
#include "heap_records.h"

#include "analyze/heap/heap_live.h"

#define STACK 7

static struct buffer records;
static struct heap_live live;

static int setup(void **state)
{
	(void)state;
	buffer_reset(&records);
	heap_live_init(&live, HEAP_BLOCKS_MAX);
	add_target(&records, "command");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buffer_fini(&records);
	heap_live_fini(&live);
	return 0;
}

static void take_all(void)
{
	struct batch all = { records.data, records.size };

	batch_for_each (r, &all) {
		if (r->kind == HEAP_SUM)
			heap_held_add_sum(&live, (const void *)r);
		else if (r->kind == HEAP_HELD)
			heap_held_add(&live, (const void *)r);
		else
			heap_live_add_record(&live, r);
	}
	buffer_reset(&records);
}

/* So many blocks of 10 bytes were allocated, and of them so many freed. */
static void add_sum(
	uint64_t time_ns, uint32_t pid, uint32_t program, uint64_t calls, uint64_t freed)
{
	struct heap_sum sum = { .record = { .time_ns = time_ns,
					.start_ticks = TICKS,
					.pid = pid,
					.kind = HEAP_SUM },
		.from_ns = time_ns - 10,
		.calls = calls,
		.allocated_bytes = 10 * calls,
		.freed_blocks = freed,
		.freed_bytes = 10 * freed,
		.program = program,
		.stack = STACK };

	RECORD_APPEND(&records, &sum, NULL, 0);
}

static void add_held(
	uint64_t time_ns, uint32_t pid, uint32_t program, uint64_t blocks, uint64_t peak_blocks)
{
	struct heap_held held = { .record = { .time_ns = time_ns,
					  .start_ticks = TICKS,
					  .pid = pid,
					  .kind = HEAP_HELD },
		.live_bytes = 10 * blocks,
		.live_blocks = blocks,
		.peak_bytes = 10 * peak_blocks,
		.program = program };

	RECORD_APPEND(&records, &held, NULL, 0);
}

static void assert_held(uint64_t blocks, uint64_t exec_blocks)
{
	const uint32_t stack = STACK;
	const struct heap_stack_sum *sum;
	uint64_t live_bytes, live_blocks;

	take_all();
	heap_live_total(&live, &live_bytes, &live_blocks);
	sum = map_get(&live.stacks, &stack);
	assert_non_null(sum);
	assert_int_equal(live_blocks, blocks);
	assert_int_equal(live_bytes, 10 * blocks);
	assert_int_equal(sum->live_blocks, blocks);
	assert_int_equal(sum->live_bytes, 10 * blocks);
	assert_int_equal(live.exec_blocks, exec_blocks);
	assert_int_equal(live.exec_bytes, 10 * exec_blocks);
}

/* A child ended before anything was read of it; and what it freed before its exec were copies. */
static void test_all_comes_late(void **state)
{
	struct heap_held held = { .record = heap_head(HEAP_HELD, 300, 2),
		.live_bytes = 50,
		.live_blocks = 5,
		.freed_bytes = 30,
		.frees_unknown = 3,
		.program = 1,
		.is_forked = 1 };

	(void)state;
	add_join(&records, 100, 1, 2, "child");
	add_exec(&records, 150, 2, "next");
	add_leave(&records, 200, 2, TICKS);
	RECORD_APPEND(&records, &held, NULL, 0);
	held.program = 2;
	held.is_forked = 0;
	held.frees_unknown = 1;
	held.live_blocks = 2;
	held.live_bytes = 20;
	RECORD_APPEND(&records, &held, NULL, 0);
	take_all();
	assert_int_equal(live.frees_inherited, 3);
	assert_int_equal(live.frees_unknown, 1);
	assert_int_equal(live.exec_blocks, 5);
	assert_int_equal(live.exec_bytes, 50);
	assert_int_equal(heap_live_at_end(&live), 20);
}

static void test_plain(void **state)
{
	(void)state;
	add_sum(100, 1, 1, 8, 3);
	add_held(100, 1, 1, 5, 6);
	assert_held(5, 0);
	assert_int_equal(live.peak_bytes, 60);
	add_sum(200, 1, 1, 0, 4);
	add_held(200, 1, 1, 1, 6);
	assert_held(1, 0);
	assert_int_equal(live.bytes, 10);
	assert_int_equal(heap_live_at_end(&live), 10);
}

/* The last sums of the earlier program come after the exec, before those of the next. */
static void test_exec(void **state)
{
	(void)state;
	add_sum(100, 1, 1, 8, 3);
	add_held(100, 1, 1, 5, 5);
	add_exec(&records, 150, 1, "next");
	add_sum(200, 1, 1, 4, 2);
	add_held(200, 1, 1, 7, 7);
	assert_held(0, 7);
	add_sum(200, 1, 2, 2, 0);
	add_held(200, 1, 2, 2, 2);
	assert_held(2, 7);
	assert_int_equal(live.bytes, 20);
}

/* Nothing was read before the exec. */
static void test_early_exec(void **state)
{
	(void)state;
	add_exec(&records, 50, 1, "next");
	add_sum(100, 1, 1, 8, 3);
	add_held(100, 1, 1, 5, 5);
	add_sum(100, 1, 2, 2, 0);
	add_held(100, 1, 2, 2, 2);
	assert_held(2, 5);
	assert_int_equal(live.bytes, 20);
}

/* The last sums of a process come after its end. */
static void test_leave(void **state)
{
	(void)state;
	add_sum(100, 1, 1, 8, 3);
	add_held(100, 1, 1, 5, 5);
	add_join(&records, 110, 1, 2, "child");
	add_sum(120, 2, 1, 3, 0);
	add_held(120, 2, 1, 3, 3);
	add_leave(&records, 130, 2, TICKS);
	assert_held(8, 0);
	assert_int_equal(live.bytes, 50);
	add_sum(200, 2, 1, 2, 0);
	add_held(200, 2, 1, 5, 5);
	assert_held(10, 0);
	assert_int_equal(live.bytes, 50);
	assert_int_equal(heap_live_at_end(&live), 50);
	add_leave(&records, 210, 1, TICKS);
	add_sum(300, 1, 1, 0, 5);
	add_held(300, 1, 1, 0, 5);
	assert_held(5, 0);
	assert_int_equal(heap_live_at_end(&live), 0);
}

/* The peak of several processes is that of the moments of sampling. */
static void test_peak(void **state)
{
	(void)state;
	add_sum(100, 1, 1, 9, 8);
	add_held(100, 1, 1, 1, 9);
	add_join(&records, 110, 1, 2, "child");
	add_sum(200, 2, 1, 9, 8);
	add_held(200, 2, 1, 1, 9);
	assert_held(2, 0);
	assert_int_equal(live.peak_bytes, 90);
	add_sum(300, 2, 1, 20, 0);
	add_held(300, 2, 1, 21, 21);
	assert_held(22, 0);
	assert_int_equal(live.peak_bytes, 220);
	assert_int_equal(live.peak_ns, 300);
}

static struct heap_sum sum_of_samples(uint64_t time_ns, uint64_t calls, uint64_t freed)
{
	/* At this rate each block is one. */
	return (struct heap_sum){ .record = heap_head(HEAP_SUM, time_ns, 1),
		.calls = calls,
		.allocated_bytes = 1000 * calls,
		.freed_blocks = freed,
		.freed_bytes = 1000 * freed,
		.program = 1,
		.stack = STACK,
		.sample_bytes = 10,
		.sampled_size = 1000 };
}

/* All blocks at first, then samples: what was there stays, block by block. */
static void test_samples_follow(void **state)
{
	struct heap_held held = { .record = heap_head(HEAP_HELD, 200, 1),
		.live_bytes = 123456, /* of samples and all others, unweighted */
		.frees_unknown = 9,
		.program = 1,
		.sample_bytes = 10 };
	struct heap_sum samples = sum_of_samples(200, 4, 1);
	uint64_t live_bytes, live_blocks;

	(void)state;
	add_sum(100, 1, 1, 8, 3);
	add_held(100, 1, 1, 6, 6); /* one more was allocated between the two looks */
	take_all();
	assert_int_equal(live.bytes, 60);
	add_sum(200, 1, 1, 1, 2);
	RECORD_APPEND(&records, &samples, NULL, 0);
	RECORD_APPEND(&records, &held, NULL, 0);
	take_all();
	heap_live_total(&live, &live_bytes, &live_blocks);
	assert_int_equal(live_blocks, 4 + 3);
	assert_int_equal(live_bytes, 4 * 10 + 3 * 1000);
	assert_int_equal(live.bytes, live_bytes);
	assert_int_equal(live.freed_bytes, 5 * 10 + 1000);
	assert_int_equal(live.frees_from_before + live.frees_unknown, 9);
	samples = sum_of_samples(300, 0, 2);
	RECORD_APPEND(&records, &samples, NULL, 0);
	add_sum(300, 1, 1, 0, 4);
	take_all();
	heap_live_total(&live, &live_bytes, &live_blocks);
	assert_int_equal(live_blocks, 1);
	assert_int_equal(live_bytes, 1000);
	assert_int_equal(live.freed_bytes, 9 * 10 + 3 * 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_plain), TEST(test_exec),
		TEST(test_all_comes_late), TEST(test_early_exec), TEST(test_leave),
		TEST(test_samples_follow), TEST(test_peak) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
