/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of resident memory: resident-peaks, lines of heap-lines, tracks of timeline. */
#include "shown.h"

#include "analyze/heap/heap_lines.h"
#include "probes/resident.h"

#define MS  1000000ull
#define MIB (1ull << 20)

static void put_begin(const char *selector)
{
	struct stream_target target = { .record = { .kind = STREAM_TARGET, .time_ns = 1 } };
	struct stream_begin begin = { .record = { .kind = STREAM_BEGIN, .time_ns = 1000 * MS } };
	struct record_tail tail[] = { { &target.selector, selector, strlen(selector) } };

	RECORD_APPEND(&records, &target, tail, 1);
	RECORD_APPEND(&records, &begin, NULL, 0);
}

/* A level of process `pid`: anonymous and file bytes, at `ms` after the begin. */
static struct resident_level level_of(uint32_t pid, uint64_t ms, uint64_t anonymous, uint64_t file)
{
	struct resident_level r = { .record = { .time_ns = (1000 + ms) * MS,
					    .start_ticks = 7,
					    .pid = pid,
					    .tid = pid,
					    .kind = RESIDENT_LEVEL },
		.at_ns = (1000 + ms) * MS,
		.kernel_error_bytes = MIB,
		.page_bytes = 4096,
		.cause = RESIDENT_CHANGED };

	r.bytes[RESIDENT_ANONYMOUS] = anonymous;
	r.bytes[RESIDENT_FILE] = file;
	r.peak_bytes = r.kernel_peak_bytes = anonymous + file;
	return r;
}

static void put_level(struct resident_level r)
{
	RECORD_APPEND(&records, &r, NULL, 0);
}

static void put_exec(uint32_t pid, uint64_t ms, const char *name)
{
	struct process_exec e = { .record = { .time_ns = (1000 + ms) * MS,
					  .start_ticks = 7,
					  .pid = pid,
					  .tid = pid,
					  .kind = PROCESS_EXEC } };

	strcpy(e.name, name);
	RECORD_APPEND(&records, &e, NULL, 0);
}

static void put_leave(uint32_t pid, uint64_t ms)
{
	struct process_leave l = { .record = { .time_ns = (1000 + ms) * MS,
					   .start_ticks = 7,
					   .pid = pid,
					   .tid = pid,
					   .kind = PROCESS_LEAVE } };

	RECORD_APPEND(&records, &l, NULL, 0);
}

/* The program with most counts, at the time of its highest value. */
static void test_peak(void **state)
{
	struct resident_level r = level_of(10, 1, 1 * MIB, 2 * MIB);
	const char *text;

	(void)state;
	put_begin("command");
	put_exec(10, 0, "first");
	r.cause = RESIDENT_FIRST;
	put_level(r);
	r = level_of(10, 30, 60 * MIB, 4 * MIB);
	r.at_ns = (1000 + 20) * MS; /* recorded when it fell */
	put_level(r);
	r = level_of(10, 31, 1 * MIB, 4 * MIB);
	r.peak_bytes = r.kernel_peak_bytes = 64 * MIB;
	put_level(r);
	r = level_of(10, 40, 5 * MIB, 4 * MIB);
	r.cause = RESIDENT_FIRST;
	put_level(r);
	put_exec(10, 41, "second");
	text = show_view("resident", "resident-peaks", NULL, "json");
	assert_true(
		has(text, "\"process\": \"second\",\n      \"peak_bytes\": 67108864,\n      "
			  "\"peak_after_ns\": 20000000,\n      \"rss_anonymous_bytes\": 62914560,\n"
			  "      \"rss_file_bytes\": 4194304"));
	assert_true(has(text, "\"kernel_peak_bytes\": 67108864"));
	assert_true(has(text, "\"difference\": null"));
}

static const char *shown_with(uint64_t kernel, uint64_t start)
{
	struct resident_level r = level_of(10, 1, 8 * MIB, 0);

	buffer_reset(&records);
	r.kernel_peak_bytes = kernel;
	r.start_peak_bytes = start;
	put_level(r);
	return show_view("resident", "resident-peaks", NULL, "json");
}

static void test_difference(void **state)
{
	(void)state;
	assert_true(has(shown_with(9 * MIB, 0), "\"difference\": null"));
	assert_true(has(shown_with(20 * MIB, 20 * MIB),
		"\"difference\": \"VmHWM is from before the recording\""));
	assert_true(has(shown_with(20 * MIB, 1 * MIB),
		"\"difference\": \"more than the kernel's batches explain\""));
}

static void test_lines(void **state)
{
	const struct heap_lines_options all = { .has_rss = true, .has_rmap = true }, none = { 0 };
	struct process_join join = { .record = { .time_ns = 1001 * MS,
					     .start_ticks = 7,
					     .pid = 11,
					     .tid = 11,
					     .kind = PROCESS_JOIN },
		.parent_pid = 10 };
	const char *text;

	(void)state;
	for (int i = 0; i < 2; i++) {
		buffer_reset(&records);
		RECORD_APPEND(&records, &join, NULL, 0);
		put_level(level_of(11, 2, 8192, 4096));
		put_level(level_of(11, 3, 4096, 4096));
		put_exec(11, 4, "next");
		put_leave(11, 5);
		put_level(level_of(11, 6, 12288, 4096)); /* from another ring, too late */
		text = show_view("resident", "heap-lines", i ? &none : &all, "json-rows");
		if (i) {
			assert_string_equal(text, "");
			continue;
		}
		assert_string_equal(text, "{\"pid\":11,\"tid\":11,\"timestamp\":1001000000,"
					  "\"addr\":0,\"type\":\"Fork\","
					  "\"parent_pid\":10}\n"
					  "{\"pid\":11,\"tid\":11,\"timestamp\":1002000000,"
					  "\"addr\":0,\"type\":\"Rss\","
					  "\"size\":4096,\"member\":0}\n"
					  "{\"pid\":11,\"tid\":11,\"timestamp\":1002000000,"
					  "\"addr\":0,\"type\":\"Rmap\","
					  "\"member\":0,\"delta\":1}\n"
					  "{\"pid\":11,\"tid\":11,\"timestamp\":1002000000,"
					  "\"addr\":0,\"type\":\"Rss\","
					  "\"size\":8192,\"member\":1}\n"
					  "{\"pid\":11,\"tid\":11,\"timestamp\":1002000000,"
					  "\"addr\":0,\"type\":\"Rmap\","
					  "\"member\":1,\"delta\":2}\n"
					  "{\"pid\":11,\"tid\":11,\"timestamp\":1003000000,"
					  "\"addr\":0,\"type\":\"Rss\","
					  "\"size\":4096,\"member\":1}\n"
					  "{\"pid\":11,\"tid\":11,\"timestamp\":1003000000,"
					  "\"addr\":0,\"type\":\"Rmap\","
					  "\"member\":1,\"delta\":-1}\n"
					  "{\"pid\":11,\"tid\":11,\"timestamp\":1004000000,"
					  "\"addr\":0,\"type\":\"Exec\"}\n"
					  "{\"pid\":11,\"tid\":11,\"timestamp\":1005000000,"
					  "\"addr\":0,\"type\":\"Exit\"}\n");
	}
}

/* A value holds until the next change, however long; the sum of a command is known from its start.
 */
static void test_timeline(void **state)
{
	const char *text;

	(void)state;
	put_begin("command");
	put_level(level_of(10, 1, 2 * MIB, 0));
	put_level(level_of(10, 2, 40 * MIB, 0));
	put_level(level_of(11, 3, 20 * MIB, 0));
	put_level(level_of(10, 4, 2 * MIB, 0));
	put_level(level_of(10, 9000, 3 * MIB, 0));
	put_leave(10, 9500);
	put_leave(11, 9500);
	text = show_view("resident", "timeline", NULL, "json");
	assert_true(has(text, "\"max_bytes\": 62914560")); /* both together */
	assert_true(has(text, "\"max_bytes\": 41943040"));
	assert_true(has(text, "\"track\": \"anonymous\""));
	assert_false(has(text, "\"track\": \"shared\""));
	assert_false(has(text, "        null,\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_peak),
		TEST(test_difference),
		TEST(test_lines),
		TEST(test_timeline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
