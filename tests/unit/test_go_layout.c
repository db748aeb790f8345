/* SPDX-License-Identifier: BSD-2-Clause */
/* Goroutines by made-up structures of two layouts, and by such that are none. */
#include "support.h"

#include "os/linux/runtimes/go/go_layout.h"

#define COUNT 4
#define MAIN  UINT64_C(0x438ea0)
#define NOW   UINT64_C(5000000000)

/* Where a version keeps what is read. */
struct places {
	size_t buffer, number, start;
};

static const struct places of_1_19 = { 56, 152, 312 }, of_later = { 56, 160, 336 };

static void put(struct go_goroutine *g, size_t at, uint64_t value)
{
	memcpy(g->bytes + at, &value, sizeof(value));
}

static void fill(struct go_goroutine *all, const struct places *p)
{
	memset(all, 0, COUNT * sizeof(*all));
	for (size_t i = 0; i < COUNT; i++) {
		struct go_goroutine *g = &all[i];
		uint64_t stack = UINT64_C(0xc000080000) + i * 0x1000;

		g->address = UINT64_C(0xc000002000) + i * 0x200;
		put(g, 0, stack);
		put(g, 8, stack + 0x1000);
		put(g, p->buffer, stack + 0x800);
		put(g, p->buffer + 16, g->address);
		put(g, p->buffer + 48, stack + 0x810);
		put(g, p->number - 8, GO_WAITING);
		put(g, p->number, i + 1);
		put(g, p->number + 16, NOW - 100);
		put(g, p->number + 24, 14);
		put(g, p->start, MAIN + i);
	}
}

static void expect(const struct places *p)
{
	struct go_goroutine all[COUNT];
	struct go_layout l;

	fill(all, p);
	assert_true(go_layout_find(&l, all, COUNT, MAIN, NOW));
	assert_int_equal(l.stack_pointer, p->buffer);
	assert_int_equal(l.frame, p->buffer + 48);
	assert_int_equal(l.status, p->number - 8);
	assert_int_equal(l.since, p->number + 16);
	assert_int_equal(l.reason, p->number + 24);
	assert_int_equal(l.start, p->start);
	assert_int_equal(go_status_of(&l, &all[1]), GO_WAITING);
	put(&all[1], p->number - 8, 0x1000 | GO_RUNNING);
	assert_int_equal(go_status_of(&l, &all[1]), GO_RUNNING);
}

static void test_two_layouts(void **state)
{
	(void)state;
	expect(&of_1_19);
	expect(&of_later);
}

/* One word of the second goroutine is another one. */
static bool is_found_with(size_t at, uint64_t value)
{
	struct go_goroutine all[COUNT];
	struct go_layout l;

	fill(all, &of_1_19);
	put(&all[1], at, value);
	return go_layout_find(&l, all, COUNT, MAIN, NOW);
}

static void test_what_does_not_fit_is_refused(void **state)
{
	struct go_goroutine all[COUNT];
	struct go_layout l;

	(void)state;
	assert_true(is_found_with(of_1_19.number, 7));
	assert_false(is_found_with(of_1_19.number, 1));
	assert_false(is_found_with(of_1_19.number, 0));
	assert_false(is_found_with(of_1_19.number, UINT64_MAX));
	assert_false(is_found_with(of_1_19.number - 8, 77));
	assert_false(is_found_with(of_1_19.number + 16, NOW + 1));
	assert_false(is_found_with(of_1_19.number + 24, 200));

	fill(all, &of_1_19);
	assert_false(go_layout_find(&l, all, COUNT, MAIN + 100, NOW));
	assert_false(go_layout_find(&l, all, COUNT, 0, NOW));
	assert_false(go_layout_find(&l, all, 1, MAIN, NOW));
	for (size_t i = 0; i < COUNT; i++)
		put(&all[i], of_1_19.buffer + 16, 0);
	assert_false(go_layout_find(&l, all, COUNT, MAIN, NOW));
	memset(all, 0, sizeof(all));
	assert_false(go_layout_find(&l, all, COUNT, MAIN, NOW));
}

static void test_reads_stay_inside(void **state)
{
	struct go_goroutine g;

	(void)state;
	memset(&g, 0xff, sizeof(g));
	assert_int_equal(go_number_at(&g, GO_BYTES - 8), UINT64_MAX);
	assert_int_equal(go_number_at(&g, GO_BYTES - 7), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_layouts),
		cmocka_unit_test(test_what_does_not_fit_is_refused),
		cmocka_unit_test(test_reads_stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
