/* SPDX-License-Identifier: BSD-2-Clause */
/* The output of the view "map-growth" for samples of several processes. */
#include "shown.h"

#include "model/stream_records.h"
#include "probes/maps.h"

#define MIB (1ull << 20)
#define S   1000000000ull

static void look(uint64_t time_ns, uint32_t pid, uint64_t heap, uint64_t file)
{
	struct maps_mapping m = {
		.record = { .time_ns = time_ns, .pid = pid, .kind = MAPS_MAPPING },
		.from = 0x10000,
		.to = 0x10000 + 256 * MIB,
		.rss_bytes = heap,
		.page_bytes = 4096
	};
	struct maps_runtime_found glibc = {
		.record = { .time_ns = time_ns, .pid = pid, .kind = MAPS_RUNTIME },
		.runtime = MAPS_GLIBC
	};
	struct maps_process end = {
		.record = { .time_ns = time_ns, .pid = pid, .kind = MAPS_PROCESS }, .mappings = 2
	};
	struct record_tail path[] = { { &m.path, "[heap]", 6 } };

	RECORD_APPEND(&records, &m, path, 1);
	m.from = 1ull << 40;
	m.to = m.from + 256 * MIB;
	m.inode = 7;
	m.rss_bytes = file;
	path[0].data = "/bin/x";
	RECORD_APPEND(&records, &m, path, 1);
	RECORD_APPEND(&records, &glibc, NULL, 0);
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void leave(uint64_t time_ns, uint32_t pid)
{
	struct sooth_record r = { .time_ns = time_ns, .pid = pid, .kind = PROCESS_LEAVE };

	record_append(&records, &r, sizeof(r), NULL, 0);
}

static const char *show(const char *format)
{
	return show_view("test", "map-growth", NULL, format);
}

static void test_growth(void **state)
{
	const char *text;

	(void)state;
	look(S, 1, 10 * MIB, 10 * MIB);
	look(9 * S, 1, 60 * MIB, 20 * MIB);
	text = show("table");
	assert_true(has(text,
		"75 % of the resident memory is the glibc heap: 60.0M of 80.0M; that grew "
		"by 50.0M, the whole by 60.0M"));
	assert_true(
		has(show("json"), "\"rss_bytes\": 62914560,\n      \"before_bytes\": 10485760"));
}

/* The most memory is not what grew. */
static void test_other_grew(void **state)
{
	(void)state;
	look(S, 1, 10 * MIB, 50 * MIB);
	look(9 * S, 1, 20 * MIB, 50 * MIB);
	assert_true(
		has(show("table"), "file pages: 50.0M of 70.0M; the glibc heap grew by 10.0M, the "
				   "whole by 10.0M"));
}

static void test_one_look(void **state)
{
	const char *json;

	(void)state;
	look(S, 1, 10 * MIB, 5 * MIB);
	json = show("json");
	assert_true(has(json, "\"before_bytes\": null"));
	assert_false(has(json, "grew"));
}

static void test_processes(void **state)
{
	const char *json;

	(void)state;
	look(S, 1, 10 * MIB, 0);
	look(S, 2, 90 * MIB, 0); /* it ends */
	leave(5 * S, 2);
	look(9 * S, 1, 10 * MIB, 0);
	look(6 * S, 3, 70 * MIB, 0); /* it began meanwhile, and was gone at the last look */
	look(9 * S, 4, 20 * MIB, 0); /* it began meanwhile */
	json = show("json");
	assert_true(has(json, "\"before_bytes\": 10485760"));
	assert_true(has(json, "\"rss_bytes\": 31457280"));
	assert_false(has(json, "94371840"));
}

static void test_nothing(void **state)
{
	(void)state;
	assert_true(has(show("json"), "\"memory_growth_by_class\": []"));
	assert_false(has(show("table"), "%"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_growth),
		TEST(test_other_grew),
		TEST(test_one_look),
		TEST(test_processes),
		TEST(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
