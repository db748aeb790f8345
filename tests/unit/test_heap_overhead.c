/* SPDX-License-Identifier: BSD-2-Clause */
/* The time of a process that observing took: when it is worth a line, and what the line says. */
#include "heap_records.h"

#include "analyze/heap/heap_table.h"
#include "base/units.h"
#include "collect/observer.h"
#include "os/fake/fake.h"
#include "shown.h"

static const char *show(const char *format)
{
	static const struct heap_table_options plain;

	return show_view("heap", "heap-table", &plain, format);
}

#define assert_shows(text, part)                                                                   \
	do {                                                                                       \
		if (!has(text, part))                                                              \
			fail_msg("no \"%s\" in:\n%s", part, text);                                 \
	} while (0)
#define assert_hides(text, part)                                                                   \
	do {                                                                                       \
		if (has(text, part))                                                               \
			fail_msg("\"%s\" in:\n%s", part, text);                                    \
	} while (0)

static struct heap_overhead overhead_of(uint32_t pid, uint64_t probes_ns, uint64_t cpu_ns)
{
	return (struct heap_overhead){ .record = heap_head(HEAP_OVERHEAD, 10 * NS_PER_S, pid),
		.from_ns = 1,
		.hits_ns = 10 * NS_PER_S,
		.cpu_ns = cpu_ns,
		.probes_ns = probes_ns,
		.entries = 12345678,
		.name = "python3" };
}

static void add_overhead(struct heap_overhead o)
{
	buffer_reset(&records);
	add_heap_source(&records);
	add_begin(&records, 1);
	RECORD_APPEND(&records, &o, NULL, 0);
	add_end(&records, 10 * NS_PER_S);
}

/* A tenth of the CPU time of the process, and a hundredth of the time. */
static void test_overhead(void **state)
{
	struct heap_overhead unmeasured = overhead_of(7, NS_PER_S, NS_PER_S);

	(void)state;
	add_overhead(overhead_of(7, 6 * NS_PER_S, 9 * NS_PER_S));
	assert_shows(show("table"),
		"observing slowed python3 7: some 67 % of its CPU time was spent at probes, at "
		"about 1200000 calls a second; for less: sooth heap --sample-bytes 512K -p 7\n");
	assert_shows(show("json"), "\"probes_percent\": 67,");
	add_overhead(overhead_of(7, 9 * NS_PER_S, 8 * NS_PER_S));
	assert_shows(show("table"), "some 99 % of its CPU time");
	add_overhead(overhead_of(7, NS_PER_S, 10 * NS_PER_S));
	assert_shows(show("table"), "some 10 % of its CPU time");
	add_overhead(overhead_of(7, NS_PER_S, 10 * NS_PER_S + 1000));
	assert_hides(show("table"), "observing slowed");
	add_overhead(overhead_of(7, NS_PER_S / 10, NS_PER_S / 10));
	assert_shows(show("table"), "observing slowed");
	add_overhead(overhead_of(7, NS_PER_S / 10 - 1000, NS_PER_S / 10));
	assert_hides(show("table"), "observing slowed");
	unmeasured.cost_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	add_overhead(unmeasured);
	assert_hides(show("table"), "observing slowed");
	assert_shows(show("json"), "\"probes_percent\": null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_overhead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
