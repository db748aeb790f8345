/* SPDX-License-Identifier: BSD-2-Clause */
/* Which growth of resident memory malloc explains. */
#include "support.h"

#include "analyze/heap/heap_elsewhere.h"
#include "analyze/heap/heap_resident.h"
#include "model/stream_records.h"
#include "probes/proc.h"

#define MIB (1024ull * 1024)

static void look(struct heap_resident *h, uint32_t pid, uint64_t bytes)
{
	struct proc_process p = { .record = { .kind = PROC_PROCESS,
					  .pid = pid,
					  .words = sizeof(p) / SOOTH_RECORD_WORD,
					  .fixed_words = sizeof(p) / SOOTH_RECORD_WORD },
		.rss_bytes = bytes };

	heap_resident_add_record(h, &p.record);
}

static void test_growth(void **state)
{
	struct sooth_record leave = {
		.kind = PROCESS_LEAVE, .pid = 3, .words = sizeof(leave) / SOOTH_RECORD_WORD
	};
	struct heap_resident_growth g;
	struct heap_resident h;

	(void)state;
	heap_resident_init(&h);
	g = heap_resident_growth(&h);
	assert_true(!g.pid && !heap_resident_is_elsewhere(&g, 0));
	look(&h, 1, 10 * MIB);
	look(&h, 2, 20 * MIB);
	look(&h, 3, 30 * MIB);
	look(&h, 1, 8 * MIB); /* less: no growth of another takes from it */
	look(&h, 2, 24 * MIB);
	look(&h, 3, 90 * MIB);
	heap_resident_add_record(&h, &leave); /* what it had is gone */
	g = heap_resident_growth(&h);
	assert_true(g.pid == 2 && g.grown_bytes == 4 * MIB);
	assert_true(g.before_bytes == 30 * MIB && g.bytes == 32 * MIB);
	assert_true(heap_resident_is_elsewhere(&g, 0));
	assert_true(heap_resident_is_elsewhere(&g, 2 * MIB));
	assert_true(!heap_resident_is_elsewhere(&g, 2 * MIB + 1));
	heap_resident_fini(&h);
}

static void test_little(void **state)
{
	struct heap_resident_growth g;
	struct heap_resident h;

	(void)state;
	heap_resident_init(&h);
	look(&h, 1, 10 * MIB);
	look(&h, 1, 11 * MIB - 1);
	g = heap_resident_growth(&h);
	assert_true(!heap_resident_is_elsewhere(&g, 0));
	look(&h, 1, 11 * MIB);
	g = heap_resident_growth(&h);
	assert_true(heap_resident_is_elsewhere(&g, 0));
	heap_resident_fini(&h);
}

/* The memory of a program when it starts is no growth, and its peak outlives it. */
static void test_started(void **state)
{
	struct sooth_record of = {
		.kind = PROCESS_EXEC, .pid = 1, .words = sizeof(of) / SOOTH_RECORD_WORD
	};
	struct heap_resident_growth g;
	struct heap_resident h;

	(void)state;
	heap_resident_init(&h);
	look(&h, 1, 2 * MIB);
	look(&h, 2, 90 * MIB);
	heap_resident_add_record(&h, &of);
	look(&h, 1, 60 * MIB);
	look(&h, 1, 40 * MIB);
	g = heap_resident_growth(&h);
	assert_int_equal(g.grown_bytes, 0);
	assert_int_equal(h.started_bytes, 60 * MIB);
	of.kind = PROCESS_LEAVE;
	heap_resident_add_record(&h, &of);
	assert_int_equal(h.started_bytes, 60 * MIB);
	heap_resident_fini(&h);
}

/* --- a Java heap --- */

/* Counters of a JVM, after so many collections of both kinds. */
static void collect(struct heap_elsewhere *e, uint32_t pid, uint64_t time_ns, uint64_t old,
	uint64_t collections)
{
	struct maps_managed_heap h = { .record = { .kind = MAPS_MANAGED_HEAP,
					       .pid = pid,
					       .time_ns = time_ns,
					       .words = sizeof(h) / SOOTH_RECORD_WORD,
					       .fixed_words = sizeof(h) / SOOTH_RECORD_WORD },
		.old_bytes = old,
		.collections = collections - collections / 3,
		.full_collections = collections / 3 };

	assert_int_equal(heap_elsewhere_add_record(e, &h.record), 0);
}

static struct heap_managed_growth kept_after(uint64_t first, uint64_t last, uint64_t collections)
{
	struct heap_managed_growth g;
	struct heap_elsewhere e = { 0 };

	heap_elsewhere_init(&e);
	collect(&e, 5, 100, first, 10);
	assert_false(heap_elsewhere_managed(&e, &g));
	collect(&e, 6, 150, 1000 * MIB, 90); /* of another process */
	collect(&e, 5, 200, last, 10 + collections);
	assert_true(heap_elsewhere_managed(&e, &g));
	assert_true(g.pid == 5 && g.first == first && g.last == last);
	assert_int_equal(g.collections, collections);
	heap_elsewhere_fini(&e);
	return g;
}

static void test_managed(void **state)
{
	(void)state;
	assert_true(kept_after(10 * MIB, 11 * MIB, 2).keeps_objects);
	assert_false(kept_after(10 * MIB, 11 * MIB - 1, 2).keeps_objects);
	assert_false(kept_after(10 * MIB, 11 * MIB, 1).keeps_objects);
	assert_true(kept_after(100 * MIB, 110 * MIB, 5).keeps_objects);
	assert_false(kept_after(100 * MIB, 109 * MIB, 5).keeps_objects);
	assert_false(kept_after(100 * MIB, 90 * MIB, 5).keeps_objects);
	assert_true(kept_after(0, MIB, 3).keeps_objects);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_little),
		cmocka_unit_test(test_started),
		cmocka_unit_test(test_managed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
