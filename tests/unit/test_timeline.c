/* SPDX-License-Identifier: BSD-2-Clause */
/* The view "timeline" on made records: what becomes of readings, counts, pauses, ends, losses. */
#include "shown.h"

#include <math.h>

#include "analyze/threads/thread_roles.h"
#include "base/units.h"
#include "probes/maps.h"
#include "probes/heap.h"
#include "probes/proc.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"
#include "probes/threads.h"
#include "sinks/raster.h"

#define BEGIN (50 * NS_PER_S)

static struct sooth_record head(uint16_t kind, uint64_t ms, uint32_t pid)
{
	return (struct sooth_record){ .time_ns = BEGIN + ms * NS_PER_MS,
		.kind = kind,
		.pid = pid,
		.tid = pid,
		.start_ticks = pid ? pid * 10u : 0 };
}

static void add_segment(void)
{
	struct stream_segment s = { .record = head(STREAM_SEGMENT, 0, 0), .ticks_per_s = 100 };

	RECORD_APPEND(&records, &s, NULL, 0);
}

static void add_begin(uint64_t ms)
{
	struct stream_begin b = { .record = head(STREAM_BEGIN, ms, 0) };

	RECORD_APPEND(&records, &b, NULL, 0);
}

static void add_end(uint64_t ms)
{
	struct stream_end e = {
		.record = head(STREAM_END, ms, 0), .reason = STREAM_END_DURATION, .child_status = -1
	};

	RECORD_APPEND(&records, &e, NULL, 0);
}

static void add_process(uint64_t ms, uint32_t pid, uint64_t cpu_ms, uint64_t rss)
{
	struct proc_process p = { .record = head(PROC_PROCESS, ms, pid),
		.cpu_ns = cpu_ms * NS_PER_MS,
		.rss_bytes = rss,
		.state = 'S' };
	struct record_tail tail[] = { { &p.name, "<b>\033[1m", 7 } };

	RECORD_APPEND(&records, &p, tail, 1);
}

static void add_snapshot(uint64_t ms)
{
	struct proc_snapshot s = { .record = head(PROC_SNAPSHOT, ms, 0) };

	RECORD_APPEND(&records, &s, NULL, 0);
}

static void add_thread(uint64_t ms, uint32_t tid, const char *name, uint64_t cpu_ms)
{
	struct threads_thread t = { .record = head(THREADS_THREAD, ms, 7),
		.thread_start_ticks = 70,
		.cpu_ns = cpu_ms * NS_PER_MS,
		.state = 'S',
		.io_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION) };
	struct record_tail tail[] = { { &t.name, name, strlen(name) } };

	t.record.tid = tid;
	RECORD_APPEND(&records, &t, tail, 1);
}

static void end_threads(uint64_t ms, uint32_t count)
{
	struct threads_process p = { .record = head(THREADS_PROCESS, ms, 7), .threads = count };

	RECORD_APPEND(&records, &p, NULL, 0);
}

static void add_call(uint64_t ms, const char *name, int64_t result)
{
	struct syscalls_call c = { .record = head(SYSCALLS_CALL, ms, 7),
		.number = (uint32_t)syscall_number(SYSCALL_ABI_X86_64, name, strlen(name)),
		.abi = SYSCALL_ABI_X86_64,
		.result = result };

	RECORD_APPEND(&records, &c, NULL, 0);
}

/* The text between the braces of the track of that name in that array. */
static const char *track_of(const char *json, const char *group, const char *lane)
{
	static char part[65536];
	char key[64];
	const char *at, *end;

	snprintf(key, sizeof(key), "\"%s\": [", group);
	at = strstr(json, key);
	assert_non_null(at);
	snprintf(key, sizeof(key), "\"track\": \"%s\"", lane);
	at = strstr(at, key);
	if (!at)
		return NULL;
	end = strchr(at, '}');
	snprintf(part, sizeof(part), "%.*s", (int)(end - at), at);
	return part;
}

static const char *show(void)
{
	return show_view("timeline", "timeline", NULL, "json");
}

static void test_cpu_and_memory(void **state)
{
	const char *json;

	(void)state;
	add_segment();
	add_process(0, 7, 100, 4096); /* the first reading stands before the begin */
	add_snapshot(1);
	add_begin(2);
	add_process(1000, 7, 600, 8192);
	add_snapshot(1001);
	add_end(1002);
	json = show();
	assert_true(has(track_of(json, "cpu", "all threads"), "\"mean_percent\": 50.0"));
	assert_true(has(track_of(json, "cpu", "all threads"), "\"max_gap_ns\": 1000000000"));
	assert_true(has(track_of(json, "memory", "resident"), "\"min_bytes\": 4096"));
	assert_true(has(track_of(json, "memory", "resident"), "\"last_bytes\": 8192"));
	/* A single process has no track for all together. */
	assert_false(has(json, "all together"));
}

/* A role that comes later used nothing before; one that has gone uses nothing after. */
static void test_roles(void **state)
{
	const char *json;

	(void)state;
	add_segment();
	add_begin(0);
	add_thread(1, 7, "node", 0);
	end_threads(1, 1);
	add_thread(1001, 7, "node", 250);
	end_threads(1001, 1);
	add_thread(2001, 7, "node", 500);
	add_thread(2001, 8, "nobody", 750);
	end_threads(2001, 2);
	add_thread(3001, 7, "node", 500);
	end_threads(3001, 1);
	json = show();
	assert_true(has(track_of(json, "cpu", "main"), "\"max_percent\": 25.0"));
	assert_true(has(track_of(json, "cpu", "main"), "\"last_percent\": 0.0"));
	assert_true(has(track_of(json, "cpu", "unknown"), "\"mean_percent\": 25.0"));
	assert_true(has(track_of(json, "cpu", "unknown"), "\"max_percent\": 75.0"));
	/* A value that could not be read has no track. */
	assert_null(track_of(json, "io", "read"));
}

static void test_calls(void **state)
{
	const char *json;

	(void)state;
	add_segment();
	add_begin(0);
	add_call(100, "read", 5);
	add_call(101, "openat", -2);
	add_call(900, "read", 0);
	add_end(1000);
	json = show();
	assert_true(has(track_of(json, "calls", "file"), "\"mean_per_s\": 3.0"));
	assert_true(has(track_of(json, "calls", "failed"), "\"mean_per_s\": 1.0"));
	assert_true(has(track_of(json, "calls", "failed"), "\"min_per_s\": 0.0"));
}

/* Two observations in one file: between them nothing was measured, and nothing is made up. */
static void test_pause(void **state)
{
	const char *json, *lane;

	(void)state;
	add_segment();
	add_begin(0);
	add_process(0, 7, 0, 4096);
	add_process(100, 7, 100, 4096);
	add_end(100);
	add_begin(1000);
	add_process(1000, 7, 900, 4096);
	add_process(1100, 7, 900, 4096);
	add_end(1100);
	json = show();
	lane = track_of(json, "cpu", "all threads");
	assert_true(has(lane, "null") && has(lane, "\"mean_percent\": 50.0"));
	assert_true(has(track_of(json, "memory", "resident"), "null"));
}

/* A level is not held over a pause that is much longer than usual. */
static void test_starved(void **state)
{
	const char *json;

	(void)state;
	add_segment();
	add_begin(0);
	for (uint64_t ms = 0; ms <= 1000; ms += 100)
		add_process(ms, 7, ms, 4096);
	add_process(9000, 7, 1000, 4096);
	json = show();
	assert_true(has(track_of(json, "memory", "resident"), "null"));
	/* The rate over that time is known. */
	assert_false(has(track_of(json, "cpu", "all threads"), "null,"));
}

static void test_several(void **state)
{
	const char *json;

	(void)state;
	add_segment();
	add_begin(0);
	for (uint64_t i = 0; i <= 10; i++) {
		add_process(i * 100, 7, i * 50, 1000);
		add_process(i * 100, 9, i * 25, 3000);
		add_snapshot(i * 100);
	}
	json = show();
	assert_true(has(json, "all together"));
	assert_true(has(track_of(json, "cpu", "all threads"), "\"mean_percent\": 75.0"));
	assert_true(has(track_of(json, "memory", "resident"), "\"max_bytes\": 4000"));
}

/* The next of the values of a lane; NAN: a gap. False: behind the last. */
static bool next_value(const char **at, double *value)
{
	char *end;

	*at += strspn(*at, " ,[\n");
	*value = strncmp(*at, "null", 4) ? strtod(*at, &end) : NAN;
	if (isnan(*value))
		end = (char *)(uintptr_t)*at + 4;
	if (**at == ']')
		return false;
	*at = end;
	return true;
}

/* In every stretch the first lane of that name, all together, is at least each that follows. */
static size_t assert_all_is_most(const char *json, const char *group, const char *lane)
{
	char key[64], first[65536];
	const char *part, *all = first;
	size_t parts = 0;

	snprintf(first, sizeof(first), "%s", track_of(json, group, lane));
	snprintf(key, sizeof(key), "\"%s\": [", group);
	part = strstr(strstr(json, key), "\"all together\"");
	assert_non_null(part);
	assert_non_null(all = strstr(first, "\"values_"));
	snprintf(key, sizeof(key), "\"track\": \"%s\"", lane);
	part = strstr(part, key);
	while ((part = strstr(part + 1, key))) {
		const char *of_all = strchr(all, '['), *of_time_range;
		double sum, value;

		of_time_range = strchr(strstr(part, "\"values_"), '[');
		for (size_t i = 0; next_value(&of_time_range, &value); i++) {
			assert_true(next_value(&of_all, &sum));
			if (!isnan(value) && !(sum >= value * 0.999999 - 0.1))
				fail_msg("%s %s: stretch %zu: all %f, one %f", group, lane, i, sum,
					value);
		}
		parts++;
	}
	return parts;
}

static void add_exit(uint64_t ms, uint32_t pid)
{
	struct process_leave leave = { .record = head(PROCESS_LEAVE, ms, pid) };

	RECORD_APPEND(&records, &leave, NULL, 0);
}

/*
 * A process that ends within a stretch, readings on both sides of a stretch's end, one that no
 * sample follows, one before the begin, and a reading without a figure.
 */
static void test_all_is_most(void **state)
{
	const char *json;

	(void)state;
	add_segment();
	add_process(0, 7, 0, 1000);
	add_process(1, 9, 0, 9000);
	add_snapshot(2);
	add_begin(3);
	for (uint64_t i = 1; i <= 1000; i++) {
		add_process(i * 5, 7, i * 2, i % 3 ? i * 100 : 0);
		if (i < 500)
			add_process(i * 5 + 1, 9, i * 4, 9000);
		add_call(i * 5 + 2, "read", 1);
		add_snapshot(i * 5 + 3);
		if (i == 500)
			add_exit(2503, 9);
	}
	add_process(5005, 7, 3000, 3000000);
	add_call(5006, "read", 1);
	add_call(5006, "openat", -2);
	add_exit(5007, 7);
	add_end(5050);
	json = show();
	assert_int_equal(assert_all_is_most(json, "cpu", "all threads"), 2);
	assert_int_equal(assert_all_is_most(json, "memory", "resident"), 2);
	assert_int_equal(assert_all_is_most(json, "calls", "file"), 1);
	assert_int_equal(assert_all_is_most(json, "calls", "failed"), 1);
	/* Without the one that is gone. */
	assert_true(has(track_of(json, "memory", "resident"), "\"last_bytes\": 3000000"));
}

static void test_events(void **state)
{
	struct stream_loss loss = {
		.record = head(STREAM_LOSS, 500, 0), .from_ns = BEGIN, .records = 10
	};
	struct record_tail tail[] = { { &loss.source, "syscalls", 8 },
		{ &loss.reason, "full", 4 } };
	struct process_leave leave = { .record = head(PROCESS_LEAVE, 800, 9), .status = 3 << 8 };
	struct process_join join = { .record = head(PROCESS_JOIN, 300, 9), .name = "child" };
	const char *json;

	(void)state;
	/* Born at 50.3 s by the clock of the host. */
	join.record.start_ticks = leave.record.start_ticks = 5030;
	add_segment();
	add_begin(0);
	RECORD_APPEND(&records, &join, NULL, 0);
	RECORD_APPEND(&records, &loss, tail, 2);
	RECORD_APPEND(&records, &leave, NULL, 0);
	add_end(1000);
	json = show();
	assert_true(has(json, "\"event\": \"start\"") && has(json, "\"event\": \"end\""));
	assert_true(has(json, "\"from_ns\": 300000000") && has(json, "\"to_ns\": 800000000"));
	assert_true(has(json, "exit status 3"));
	assert_true(has(json, "10 records of syscalls: full"));
	assert_true(has(track_of(json, "lost_records", "records"), "\"max_per_s\": 20.0"));
}

/* More processes than are kept: the ended ones that used least go, and it is said. */
static void test_many(void **state)
{
	const char *json;

	(void)state;
	add_segment();
	add_begin(0);
	for (uint32_t i = 0; i < 1000; i++) {
		struct process_leave leave = { .record = head(PROCESS_LEAVE, i + 2, 100 + i) };

		add_process(i, 100 + i, 0, 4096);
		add_process(i + 1, 100 + i, i == 5 ? 50 : 1, 4096);
		RECORD_APPEND(&records, &leave, NULL, 0);
	}
	json = show();
	assert_true(has(json, "\"pid\": 105,"));
	assert_true(has(json, "\"pid\": 1099,"));
	/* Its events are kept. */
	assert_true(strstr(json, "\"pid\": 106,") > strstr(json, "\"events\""));
	assert_true(has(json, "tracks of some ended processes"));
}

/* The kernel's sums: live bytes, and rates that are 0 where nothing came; samples have no weight
 * here. */
static void test_heap(void **state)
{
	struct heap_held held = {
		.record = head(HEAP_HELD, 1000, 7), .live_bytes = 4096, .program = 1
	};
	struct heap_sum sum = { .record = head(HEAP_SUM, 1000, 7),
		.from_ns = head(HEAP_SUM, 0, 7).time_ns + 2 * NS_PER_MS,
		.allocated_bytes = 9980,
		.freed_bytes = 998,
		.program = 1 };
	const char *json;

	(void)state;
	add_segment();
	add_begin(2);
	add_process(3, 7, 100, 4096);
	RECORD_APPEND(&records, &sum, NULL, 0);
	RECORD_APPEND(&records, &held, NULL, 0);
	held.live_bytes = 1000;
	held.record = head(HEAP_HELD, 1998, 7);
	RECORD_APPEND(&records, &held, NULL, 0);
	sum.sample_bytes = held.sample_bytes = 4096;
	sum.record.time_ns = held.record.time_ns;
	held.live_bytes = 1 << 30;
	RECORD_APPEND(&records, &sum, NULL, 0);
	RECORD_APPEND(&records, &held, NULL, 0);
	add_end(1998);
	json = show();
	assert_true(has(track_of(json, "heap", "live heap"), "\"max_bytes\": 4096"));
	assert_true(has(track_of(json, "heap", "live heap"), "\"last_bytes\": 1000"));
	assert_true(has(track_of(json, "heap_rates", "allocated"), "\"mean_bytes_per_s\": 5000"));
	assert_true(has(track_of(json, "heap_rates", "allocated"), "\"min_bytes_per_s\": 0"));
	assert_true(has(track_of(json, "heap_rates", "freed"), "\"mean_bytes_per_s\": 500"));
}

static void test_svg(void **state)
{
	struct buffer plain = { 0 };
	const char *svg;

	(void)state;
	test_several(NULL);
	svg = show_view("timeline", "timeline", NULL, "timeline-svg");
	assert_false(has(svg, "<b>") || has(svg, "\033"));
	assert_true(has(svg, "&lt;b&gt;") && has(svg, "\\u003cb\\u003e"));
	assert_true(has(svg, "fill: var(--k1)"));
	raster_put_variables(&plain, svg, strlen(svg));
	assert_true(has(buffer_cstr(&plain), "fill: #8fc1ee"));
	assert_false(has(strstr(buffer_cstr(&plain), "<style>"), "fill: var("));
	buffer_fini(&plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cpu_and_memory),
		TEST(test_roles),
		TEST(test_calls),
		TEST(test_pause),
		TEST(test_starved),
		TEST(test_several),
		TEST(test_all_is_most),
		TEST(test_events),
		TEST(test_many),
		TEST(test_heap),
		TEST(test_svg),
	};

	return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
