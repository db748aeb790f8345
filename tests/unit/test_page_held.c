/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages that remain: what is given back, in part, moved, at the end of the heap, by exec and at the
 * end. */
#include "support.h"

#include "analyze/profile/page_held.h"
#include "model/stream_records.h"

#define PAGE  4096ull
#define BEGIN 0x10000ull
#define PID   7

static struct page_held live;

static struct sooth_record head(uint16_t kind, uint32_t pid, size_t size)
{
	return (struct sooth_record){ .kind = kind,
		.pid = pid,
		.start_ticks = 1,
		.words = (uint16_t)(size / 8),
		.fixed_words = (uint16_t)(size / 8) };
}

static void touch_for(uint32_t pid, uint64_t from, uint64_t count, uint32_t stack, uint32_t faults)
{
	for (uint64_t i = 0; i < count; i++) {
		struct profile_page p = { .record = head(PROFILE_PAGE, pid, sizeof(p)),
			.address = from + i * PAGE + 5,
			.stack = stack,
			.faults = faults };

		page_held_add_record(&live, &p.record);
	}
}

static void touch(uint32_t pid, uint64_t from, uint64_t count, uint32_t stack)
{
	touch_for(pid, from, count, stack, 0);
}

static void give(enum profile_release_kind how, uint64_t from, uint64_t bytes, uint64_t to,
	uint64_t to_bytes)
{
	struct profile_release r = { .record = head(PROFILE_RELEASE, PID, sizeof(r)),
		.from = from,
		.bytes = bytes,
		.moved_to = to,
		.moved_bytes = to_bytes,
		.how = (uint8_t)how };

	page_held_add_record(&live, &r.record);
}

static uint64_t remains(uint32_t stack)
{
	const struct page_sum *sum = map_get(&live.stacks, &stack);

	return sum ? sum->remaining.pages : 0;
}

static int begin(void **state)
{
	(void)state;
	page_held_init(&live);
	touch(PID, BEGIN, 10, 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	page_held_fini(&live);
	return 0;
}

static void test_touched(void **state)
{
	(void)state;
	assert_int_equal(remains(1), 10);
	/* It is there, whatever touches it again. */
	touch(PID, BEGIN, 3, 2);
	assert_int_equal(remains(1), 10);
	assert_int_equal(remains(2), 0);
	assert_int_equal(live.again, 3);
	/* The same address of another process is another page. */
	touch(PID + 1, BEGIN, 3, 2);
	assert_int_equal(remains(2), 3);
	assert_int_equal(live.remaining.pages, 13);
	assert_int_equal(live.peak.pages, 13);
}

static void test_given_back(void **state)
{
	(void)state;
	give(PROFILE_UNMAPPED, BEGIN + 2 * PAGE, 3 * PAGE, 0, 0);
	assert_int_equal(remains(1), 7);
	/* The kernel rounds a length up. */
	give(PROFILE_ADVISED, BEGIN, PAGE + 1, 0, 0);
	assert_int_equal(remains(1), 5);
	give(PROFILE_UNMAPPED, BEGIN, 2 * PAGE, 0, 0); /* they are gone already */
	assert_int_equal(live.released, 5);
	give(PROFILE_UNMAPPED, 0, UINT64_MAX, 0, 0);
	assert_int_equal(remains(1), 0);
	give(PROFILE_UNMAPPED, UINT64_MAX - 2, UINT64_MAX, 0, 0);
	give(PROFILE_UNMAPPED, BEGIN, 0, 0, 0);
	assert_int_equal(live.released, 10);
}

static void test_moved(void **state)
{
	(void)state;
	give(PROFILE_MOVED, BEGIN, 10 * PAGE, 64 * BEGIN, 20 * PAGE);
	assert_int_equal(remains(1), 10);
	give(PROFILE_UNMAPPED, BEGIN, 10 * PAGE, 0, 0);
	assert_int_equal(remains(1), 10);
	/* Smaller, in its place. */
	give(PROFILE_MOVED, 64 * BEGIN, 20 * PAGE, 64 * BEGIN, 4 * PAGE);
	assert_int_equal(remains(1), 4);
	give(PROFILE_UNMAPPED, 64 * BEGIN, 4 * PAGE, 0, 0);
	assert_int_equal(live.remaining.pages, 0);
	/* No kernel does that: what is moved lies in its own way. */
	touch(PID, BEGIN, 10, 1);
	give(PROFILE_MOVED, BEGIN, 10 * PAGE, BEGIN + 3 * PAGE, 10 * PAGE);
	assert_true(live.remaining.pages <= 10);
	give(PROFILE_MOVED, 0, UINT64_MAX, UINT64_MAX, UINT64_MAX);
	assert_true(live.remaining.pages <= 10);
}

static void test_break(void **state)
{
	(void)state;
	give(PROFILE_BREAK, BEGIN + 10 * PAGE, 0, 0, 0);
	assert_int_equal(remains(1), 10);
	give(PROFILE_BREAK, BEGIN + 4 * PAGE, 0, 0, 0);
	assert_int_equal(remains(1), 4);
	give(PROFILE_BREAK, BEGIN + 8 * PAGE, 0, 0, 0);
	assert_int_equal(remains(1), 4);
}

static void test_ends(void **state)
{
	struct sooth_record exec = head(PROCESS_EXEC, PID, sizeof(exec));
	struct sooth_record leave = head(PROCESS_LEAVE, PID, sizeof(leave));

	(void)state;
	touch(PID + 1, BEGIN, 2, 1);
	page_held_add_record(&live, &exec);
	assert_int_equal(remains(1), 2);
	assert_int_equal(live.ended, 10);
	touch(PID, BEGIN, 4, 3);
	page_held_add_record(&live, &leave);
	assert_int_equal(remains(3), 0);
	assert_int_equal(live.remaining.pages, 2);
	assert_int_equal(
		live.touched - live.again - live.released - live.ended, live.remaining.pages);
}

/* A page that stands for several takes all of them with it, and its part of the error. */
static void test_estimate(void **state)
{
	const struct page_sum *sum;
	uint32_t stack = 2;

	(void)state;
	assert_false(page_held_is_estimate(&live));
	touch_for(PID, 64 * BEGIN, 4, stack, 100);
	assert_true(page_held_is_estimate(&live));
	assert_int_equal(live.recorded, 14);
	assert_int_equal(live.touched, 410);
	assert_int_equal(remains(2), 400);
	sum = map_get(&live.stacks, &stack);
	assert_non_null(sum);
	assert_int_equal(sum->remaining.variance, 4 * 100 * 99);
	assert_int_equal(live.remaining.variance, sum->remaining.variance);
	give(PROFILE_UNMAPPED, 64 * BEGIN + PAGE, 2 * PAGE, 0, 0);
	assert_int_equal(remains(2), 200);
	assert_int_equal(sum->remaining.variance, 2 * 100 * 99);
	assert_int_equal(sum->touched_variance, 4 * 100 * 99);
	assert_int_equal(live.released, 200);
	give(PROFILE_MOVED, 64 * BEGIN, 4 * PAGE, 96 * BEGIN, PAGE);
	assert_int_equal(remains(2), 100);
	assert_int_equal(live.released, 300);
	give(PROFILE_UNMAPPED, 96 * BEGIN, PAGE, 0, 0);
	assert_int_equal(live.remaining.variance, 0);
	assert_int_equal(remains(1), 10);
	assert_int_equal(live.peak.pages, 410);
}

static uint64_t at_peak(uint32_t stack)
{
	const struct page_sum *sum = map_get(&live.stacks, &stack);

	return sum ? page_held_at_peak(&live, sum).pages : 0;
}

/* The pages of each stack when most were there, whatever came and went since. */
static void test_peak(void **state)
{
	struct sooth_record leave = head(PROCESS_LEAVE, PID, sizeof(leave));

	(void)state;
	assert_false(page_held_is_over(&live));
	touch(PID, 64 * BEGIN, 5, 2);
	assert_int_equal(at_peak(1), 10);
	assert_int_equal(at_peak(2), 5);
	give(PROFILE_UNMAPPED, BEGIN, 8 * PAGE, 0, 0);
	touch(PID, 96 * BEGIN, 3, 2);
	touch(PID, 128 * BEGIN, 1, 3);
	assert_int_equal(live.peak.pages, 15);
	assert_int_equal(at_peak(1), 10);
	assert_int_equal(at_peak(2), 5);
	assert_int_equal(at_peak(3), 0);
	/* A higher one. */
	touch_for(PID, 160 * BEGIN, 1, 3, 100);
	assert_int_equal(live.peak.pages, 111);
	assert_int_equal(live.peak.variance, 100 * 99);
	assert_int_equal(at_peak(1), 2);
	assert_int_equal(at_peak(2), 8);
	assert_int_equal(at_peak(3), 101);
	page_held_add_record(&live, &leave);
	assert_true(page_held_is_over(&live));
	assert_int_equal(at_peak(1) + at_peak(2) + at_peak(3), 111);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_touched, begin, end),
		cmocka_unit_test_setup_teardown(test_given_back, begin, end),
		cmocka_unit_test_setup_teardown(test_moved, begin, end),
		cmocka_unit_test_setup_teardown(test_break, begin, end),
		cmocka_unit_test_setup_teardown(test_ends, begin, end),
		cmocka_unit_test_setup_teardown(test_estimate, begin, end),
		cmocka_unit_test_setup_teardown(test_peak, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
