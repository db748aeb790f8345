/* SPDX-License-Identifier: BSD-2-Clause */
/* Resident against live memory of an allocator: the lines of `sooth heap`, and heap-fragmented at
 * both sides of its thresholds. */
#include "check_records.h"
#include "shown.h"

#include "collect/observer.h"
#include "os/fake/fake.h"
#include "probes/malloc.h"

#define LAST_S (LOOKS - 1)
#define MB     ((uint64_t)1 << 20)

static const char changed[] = "it changed while sooth read it";

static void put_heap(struct malloc_heap h, uint32_t pid, const char *reason)
{
	struct record_tail tail[] = { put_text(&h.reason, reason) };

	h.record = head_of(LAST_S, pid, MALLOC_HEAP);
	h.reason_state = reason ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	RECORD_APPEND(&records, &h, tail, 1);
}

/* Megabytes resident, live, and in pages without a live block. */
static struct malloc_heap heap_of(uint64_t resident, uint64_t live, uint64_t pages)
{
	return (struct malloc_heap){ .resident_bytes = resident * MB,
		.live_resident_bytes = live * MB,
		.live_bytes = live * MB,
		.live_blocks = 1000,
		.free_page_bytes = pages * MB,
		.read_ns = 5 * NS_PER_MS,
		.arenas = 1 };
}

/* --- heap-fragmented --- */

static void has_resident(double megabytes)
{
	for (int i = 0; i <= LAST_S; i++) {
		process_at(
			i, (struct proc_process){ .rss_bytes = (uint64_t)megabytes * MB }, "thing");
		all_reported(i);
	}
	add_source("malloc");
}

static void has_heap(struct malloc_heap h, const char *reason)
{
	has_resident(300);
	put_heap(h, PID, reason);
}

static void keeps_free(double megabytes)
{
	has_heap(heap_of(70, 70 - (uint64_t)megabytes, 1), NULL);
}

static void keeps_share(double percent)
{
	has_heap(heap_of(200, 200 - (uint64_t)(2 * percent), 1), NULL);
}

static void keeps_pages(double megabytes)
{
	has_heap(heap_of(110, 10, (uint64_t)megabytes), NULL);
}

static void has_arenas(double count)
{
	struct malloc_heap h = heap_of(110, 10, 1);

	h.arenas = (uint32_t)count;
	h.arena_bytes = 55 * MB;
	has_heap(h, NULL);
}

static void has_in_arenas(double megabytes)
{
	struct malloc_heap h = heap_of(110, 10, 1);

	h.arenas = 5;
	h.arena_bytes = (uint64_t)megabytes * MB;
	has_heap(h, NULL);
}

static void has_unread(double megabytes)
{
	struct malloc_heap h = heap_of(90, 60, 1);

	h.unread_bytes = (uint64_t)megabytes * MB;
	has_heap(h, changed);
}

static void has_much_unread(double megabytes)
{
	struct malloc_heap h = heap_of(200, 50, 1);

	h.unread_bytes = (uint64_t)megabytes * MB;
	has_heap(h, changed);
}

static void is_young(double age_s)
{
	started_s = FROM_S + LAST_S - age_s;
	keeps_free(70);
}

static void has_bounds(double is_upper_bound)
{
	struct malloc_heap h = heap_of(100, 10, 1);

	h.is_upper_bound = is_upper_bound != 0;
	has_heap(h, NULL);
}

static void allocates_otherwise(double reason)
{
	has_heap((struct malloc_heap){ .state = SOOTH_NOT_MEASURED((unsigned)reason) },
		"it allocates with jemalloc");
}

static void is_small(double megabytes)
{
	has_resident(megabytes);
	put_heap((struct malloc_heap){ .state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED) }, PID,
		changed);
}

static void test_fragmented(void **state)
{
	static const struct check_case cases[] = {
		{ "heap-fragmented", keeps_free, 64, NULL,
			"medium/medium: keeps 64.0 MiB that it has freed: 70.0 MiB resident in the "
			"heap of malloc, 6.0 MiB live (fragmentation)|[free inside the "
			"allocator: " },
		{ "heap-fragmented", keeps_free, 63, NULL,
			"fine: 70.0 MiB resident in the heap of malloc, 7.0 MiB live" },
		{ "heap-fragmented", keeps_share, 50, NULL, "medium/medium: keeps 100 MiB" },
		{ "heap-fragmented", keeps_share, 49, NULL, "fine: 200 MiB resident" },
		{ "heap-fragmented", keeps_share, 49, "heap-fragmented.min-share=49",
			"medium/medium: keeps 98.0 MiB" },
		{ "heap-fragmented", is_young, 59, NULL, "low/medium: keeps 70.0 MiB" },
		{ "heap-fragmented", is_young, 61, NULL, "medium/medium: keeps 70.0 MiB" },
		{ "heap-fragmented", has_bounds, 1, NULL, "|, at most 10.0 MiB live" },
		{ "heap-fragmented", has_bounds, 0, NULL,
			"|resident in the heap of malloc, 10.0 MiB" },
		{ "heap-fragmented", has_unread, 10, NULL, "fine: 90.0 MiB resident" },
		{ "heap-fragmented", has_unread, 11, NULL,
			"blind: it changed while sooth read it" },
		{ "heap-fragmented", has_much_unread, 100, NULL,
			"medium/medium: keeps 150 MiB|[not read: 100M]" },
		{ "heap-fragmented", has_much_unread, 101, NULL, "blind: it changed while" },
		{ "heap-fragmented", allocates_otherwise, SOOTH_REASON_UNSUPPORTED, NULL,
			"blind: it allocates with jemalloc" },
		{ "heap-fragmented", allocates_otherwise, SOOTH_REASON_PERMISSION, NULL,
			"blind: it allocates with jemalloc" },
		{ "heap-fragmented", is_small, 63, NULL, "fine: 63.0 MiB resident in all" },
		{ "heap-fragmented", is_small, 64, NULL, "blind: it changed while" },
		{ "heap-fragmented", has_resident, 300, NULL, "blind: the heap of its allocator" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* What helps depends on where the free memory is. */
static void test_remedies(void **state)
{
	static const struct check_case cases[] = {
		{ "heap-fragmented", keeps_pages, 50, NULL,
			"|malloc_trim(0) in the program returns 50.0 MiB" },
		{ "heap-fragmented", keeps_pages, 49, NULL,
			"|malloc_trim(0) returns only whole pages (49.0 MiB)" },
		{ "heap-fragmented", has_arenas, 5, NULL,
			"|MALLOC_ARENA_MAX=2 at the start: 5 arenas" },
		{ "heap-fragmented", has_arenas, 4, NULL, "|or restart the program>" },
		{ "heap-fragmented", has_in_arenas, 55, NULL, "|MALLOC_ARENA_MAX=2" },
		{ "heap-fragmented", has_in_arenas, 54, NULL, "|or restart the program>" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- the lines of `sooth heap` --- */

static void begin_heaps(void)
{
	struct stream_segment segment = { .record = head_of(0, 0, STREAM_SEGMENT),
		.ticks_per_s = 100 };

	buffer_reset(&records);
	started_s = 10;
	RECORD_APPEND(&records, &segment, NULL, 0);
	add_source("malloc");
}

static const char *show(const char *format)
{
	return show_view("malloc", "malloc-heaps", NULL, format);
}

static void test_line_of_one(void **state)
{
	(void)state;
	begin_heaps();
	put_heap(heap_of(100, 6, 60), PID, NULL);
	assert_true(has(show("table"),
		"100 MiB resident in the glibc heap, 6.0 MiB live: fragmentation, 94 % is free "
		"inside the allocator\n  malloc_trim(0) in the program returns 60.0 MiB\n"));
	assert_true(has(show("json"), "\"free_bytes\": 98566144,"));
	begin_heaps();
	put_heap(heap_of(100, 51, 40), PID, NULL);
	assert_true(has(show("table"), "100 MiB resident in the glibc heap, 51.0 MiB live\n"));
	begin_heaps();
	put_heap(heap_of(7, 1, 4), PID, NULL); /* too little for an advice */
	assert_true(has(show("table"), "7.0 MiB resident in the glibc heap, 1.0 MiB live\n"));
}

/* Those with most free memory come first, and small ones have no line. */
static void test_lines_of_several(void **state)
{
	(void)state;
	begin_heaps();
	put_heap(heap_of(10, 9, 0), 11, NULL);
	put_heap(heap_of(100, 90, 0), 12, NULL);
	put_heap(heap_of(0, 0, 0), 13, NULL);
	assert_true(has(show("table"),
		"process 12: 100 MiB resident in the glibc heap, 90.0 MiB live\n"
		"process 11: 10.0 MiB resident in the glibc heap, 9.0 MiB live\n"));
	assert_false(has(show("table"), "process 13"));
}

static void test_not_measured(void **state)
{
	struct malloc_heap part = heap_of(100, 90, 0);

	(void)state;
	begin_heaps();
	put_heap((struct malloc_heap){ .state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED) }, PID,
		"it allocates with jemalloc");
	assert_true(has(show("table"),
		"not measured: live memory of the allocator of 99: it allocates with jemalloc\n"));
	assert_false(has(show("table"), "resident in the glibc heap"));
	begin_heaps();
	part.unread_bytes = 5 * MB;
	put_heap(part, PID, changed);
	assert_true(has(show("table"),
		"not measured: 5.0 MiB of the glibc heap of 99: it changed while sooth read it\n"));
	begin_heaps();
	assert_false(has(show("json"), "malloc_heaps"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fragmented),
		cmocka_unit_test(test_remedies),
		cmocka_unit_test(test_line_of_one),
		cmocka_unit_test(test_lines_of_several),
		cmocka_unit_test(test_not_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
