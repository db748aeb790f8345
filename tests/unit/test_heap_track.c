/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations as heaptrack's own file: what is defined once, the order of events, and names of
 * targets that would be lines. */
#include "heap_records.h"
#include "shown.h"

#include "base/units.h"
#include "probes/profile.h"

static void add_frame(uint32_t number, const char *function, const char *file, uint64_t offset)
{
	struct profile_frame f = { .record = heap_head(HEAP_FRAME, 9, 7),
		.frame = number,
		.offset = offset,
		.frame_kind = PROFILE_USER,
		.build_id_state = SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { { &f.function, function, strlen(function) },
		{ &f.file, file, strlen(file) } };

	RECORD_APPEND(&records, &f, tail, 2);
}

static void add_stack(uint32_t number, const uint32_t *frames, size_t count)
{
	struct profile_stack d = {
		.record = heap_head(HEAP_STACK, 1, 7), .stack = number, .end = PROFILE_WHOLE
	};
	struct record_tail tail[] = { { &d.frames, frames, count * sizeof(*frames) } };

	RECORD_APPEND(&records, &d, tail, 1);
}

static void add_at(uint64_t ms, uint32_t stack, uint64_t address, uint64_t size)
{
	struct heap_call c = malloc_call(ms * NS_PER_MS, 7, address, size);

	c.stack = stack;
	RECORD_APPEND(&records, &c, NULL, 0);
}

static void add_names(const char *function)
{
	static const uint32_t one[] = { 1, 2, 4 }, two[] = { 1, 3, 4 };

	add_heap_source(&records);
	add_begin(&records, NS_PER_MS);
	add_stack(1, one, 3);
	add_stack(2, two, 3);
	add_frame(1, "malloc", "/lib/libc.so", 0x10);
	add_frame(2, function, "/bin/thing", 0x20);
	add_frame(3, "other", "/bin/thing", 0x30);
	add_frame(4, "main", "/bin/thing", 0x40);
}

static const char *show(void)
{
	return show_view("heap", "heap-track", NULL, "heaptrack");
}

static void test_whole(void **state)
{
	(void)state;
	add_names("makes");
	add_at(1, 1, 0x1000, 100);
	add_at(1, 2, 0x2000, 100);
	add_at(3, 1, 0x3000, 100);
	add_heap_call(&records, free_call(3 * NS_PER_MS, 7, 0x2000));
	add_heap_call(&records, realloc_call(4 * NS_PER_MS, 7, 0x1000, 0x4000, 200));
	add_heap_call(&records, failed_call(5 * NS_PER_MS, 7, 1 << 30));
	add_heap_call(&records, free_call(5 * NS_PER_MS, 7, 0x9000)); /* of before */
	assert_string_equal(show(), "v 10400 3\nX sooth heap\nI 1000 0\n"
				    "s 5 thing\ns 4 main\ni 40 1 2\nt 1 0\n"
				    "s 5 makes\ni 20 1 3\nt 2 1\na 64 2\n"
				    "s 5 other\ni 30 1 4\nt 3 1\na 64 3\n"
				    "a c8 0\n"
				    "+ 0\n+ 1\nc 2\n+ 0\n- 1\nc 3\n- 0\n+ 2\nc 4\n");
}

/* The source file is a text of its own, the line a number. */
static void test_lines(void **state)
{
	static const char line[] = "thing.c:300";
	struct profile_frame f = { .record = heap_head(HEAP_FRAME, 9, 7),
		.frame = 2,
		.offset = 0x20,
		.frame_kind = PROFILE_USER,
		.build_id_state = SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { { &f.function, "makes", 5 }, { &f.file, "/bin/thing", 10 },
		{ &f.lines, line, sizeof(line) } };

	(void)state;
	add_names("makes");
	RECORD_APPEND(&records, &f, tail, 3);
	add_at(1, 1, 0x1000, 100);
	assert_true(has(show(), "s 7 thing.c\ni 20 1 3 4 12c\nt 2 1\na 64 2\n"));
}

/* A realloc that fails keeps its block, one to nothing gives it back; so does an exec. */
static void test_what_is_gone(void **state)
{
	(void)state;
	add_names("makes");
	add_at(1, 1, 0x1000, 100);
	add_at(1, 1, 0x2000, 100);
	add_heap_call(&records, realloc_call(1 * NS_PER_MS, 7, 0x1000, 0, 500));
	add_heap_call(&records, realloc_call(1 * NS_PER_MS, 7, 0x1000, 0, 0));
	add_exec(&records, 2 * NS_PER_MS, 7, "next");
	add_heap_call(&records, free_call(2 * NS_PER_MS, 7, 0x2000));
	assert_true(has(show(), "a 64 2\n+ 0\n+ 0\n- 0\n- 0\nc 1\n"));
}

static void test_hostile_names(void **state)
{
	(void)state;
	add_names("makes\n+ 0\n- 0");
	add_at(1, 1, 0x1000, 100);
	assert_true(has(show(), "s d makes + 0 - 0\n"));
	assert_true(has(shown.data, "\n+ 0\n"));
	assert_false(has(shown.data, "\n- 0\n"));
}

static void test_only_sums(void **state)
{
	struct heap_held held = { .record = heap_head(HEAP_HELD, 5, 7), .program = 1 };

	(void)state;
	RECORD_APPEND(&records, &held, NULL, 0);
	assert_true(has(show_view("heap", "heap-track", NULL, "table"),
		"not measured: every allocation: the kernel aggregated the calls"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_whole), TEST(test_lines),
		TEST(test_what_is_gone), TEST(test_hostile_names), TEST(test_only_sums) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
