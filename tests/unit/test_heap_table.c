/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The view "heap-table": tallies and single calls of the same allocations give
 * the same table, and how it says what it does not know.
 */
#include "heap_records.h"

#include "analyze/heap/heap_emit.h"
#include "analyze/heap/heap_table.h"
#include "base/units.h"
#include "collect/observer.h"
#include "os/fake/fake.h"
#include "probes/pause.h"
#include "probes/proc.h"
#include "shown.h"

static const char *show(const struct heap_table_options *options, const char *format)
{
	static const struct heap_table_options plain;

	return show_view("heap", "heap-table", options ? options : &plain, format);
}

#define assert_shows(text, part)                                                                   \
	do {                                                                                       \
		if (!has(text, part))                                                              \
			fail_msg("no \"%s\" in:\n%s", part, text);                                 \
	} while (0)

/* --- the same from single calls and from tallies --- */

#define CALLS	4000
#define THREADS 3

static struct heap_call random_call(uint64_t *seed, uint64_t time_ns)
{
	uint64_t size = random_next(seed) >> 20 >> random_below(seed, 44);
	struct heap_call c = malloc_call(time_ns, 1 + (uint32_t)random_below(seed, THREADS),
		(1 + random_below(seed, 100)) << 4, size);

	c.duration_ns = random_below(seed, 5000);
	c.function = (uint8_t)random_below(seed, HEAP_FUNCTIONS);
	if (c.function == HEAP_FREE) {
		c.size = c.duration_ns = 0;
		c.size_state = SOOTH_STATE_ABSENT;
	} else if (random_below(seed, 50) == 0) {
		c.address = 0;
		c.is_overflow = (uint8_t)random_below(seed, 2);
		c.size = c.is_overflow ? UINT64_MAX : size;
	}
	return c;
}

static void add_random_calls(struct heap_call calls[CALLS], uint64_t seed)
{
	for (size_t i = 0; i < CALLS; i++)
		calls[i] = random_call(&seed, 1000 + i * 10);
}

static void add_aggregates(const struct heap_call *calls, size_t count, uint64_t end_ns)
{
	for (uint32_t pid = 1; pid <= THREADS; pid++) {
		for (uint32_t function = 0; function < HEAP_FUNCTIONS; function++) {
			struct heap_count sum = { .record = heap_head(HEAP_COUNT, end_ns, pid) };

			for (size_t i = 0; i < count; i++) {
				if (calls[i].record.pid == pid && calls[i].function == function)
					count_call(&sum, &calls[i]);
			}
			if (sum.count)
				RECORD_APPEND(&records, &sum, NULL, 0);
		}
	}
}

/* The part that both reports have: from heap_by_function up to the processes. */
static char *common_part(const char *json)
{
	const char *from = strstr(json, "\"heap_by_function\""),
		   *to = strstr(json, "\"heap_processes\": [");

	assert_true(from && to && from < to);
	return strndup(from, (size_t)(to - from));
}

/* Single calls do not tell who is still inside: those lines, and why, are left out. */
static void forget_unfinished(char *json)
{
	static const char *const parts[] = {
		"      \"unfinished\": null,\n", "      \"unfinished\": 0,\n",
		",\n      \"not_measured\": {\n        \"unfinished\": \"not requested\"\n      }"
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		size_t size = strlen(parts[i]);

		for (char *at = json; (at = strstr(at, parts[i]));)
			memmove(at, at + size, strlen(at + size) + 1);
	}
}

static void test_tallies_and_calls_agree(void **state)
{
	struct heap_call *calls = calloc(CALLS, sizeof(*calls));

	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		char *by_calls, *by_aggregates, *by_both;

		add_random_calls(calls, seed);
		buffer_reset(&records);
		for (size_t i = 0; i < CALLS; i++)
			add_heap_call(&records, calls[i]);
		by_calls = common_part(show(NULL, "json"));
		assert_shows(by_calls, "\"unfinished\": null");
		forget_unfinished(by_calls);
		add_aggregates(calls, CALLS, 1000 + CALLS * 10);
		by_both = common_part(show(NULL, "json"));
		/* Random calls take addresses that were never freed. */
		assert_shows(shown.data, " blocks whose free was not seen\"");
		assert_shows(shown.data, "\"calls\": 4000,");
		buffer_reset(&records);
		add_aggregates(calls, 1000, 20000);
		add_aggregates(calls + 1000, CALLS - 1000, 1000 + CALLS * 10);
		by_aggregates = common_part(show(NULL, "json"));
		assert_true(strlen(by_calls) > 1000);
		assert_same_text(by_aggregates, by_both);
		forget_unfinished(by_aggregates);
		assert_same_text(by_calls, by_aggregates);
		free(by_calls);
		free(by_aggregates);
		free(by_both);
	}
	free(calls);
}

/* --- what is known, and how well --- */

static void three_calls(void)
{
	add_heap_source(&records);
	add_target(&records, "command");
	add_begin(&records, NS_PER_S);
	add_heap_call(&records, malloc_call(NS_PER_S + 10, 1, 0x1000, 1000));
	add_heap_call(&records, malloc_call(NS_PER_S + 20, 1, 0x2000, 48));
	add_heap_call(&records, free_call(NS_PER_S + 30, 1, 0x1000));
}

static void aggregate_of(uint64_t count, uint64_t bytes)
{
	struct heap_count c = { .record = heap_head(HEAP_COUNT, 2 * NS_PER_S, 1),
		.function = HEAP_MALLOC,
		.count = count,
		.bytes = bytes,
		.histogram = { [6] = (uint32_t)count } };

	RECORD_APPEND(&records, &c, NULL, 0);
}

static void test_totals(void **state)
{
	const char *json;

	(void)state;
	three_calls();
	add_end(&records, 3 * NS_PER_S);
	json = show(NULL, "json");
	assert_shows(json, "\"calls\": 3,");
	assert_shows(json, "\"allocated_bytes\": 1048,");
	assert_shows(json, "\"freed_bytes\": 1000,");
	assert_shows(json, "\"live_bytes\": 48,");
	assert_shows(json, "\"live_blocks\": 1,");
	assert_shows(json, "\"peak_bytes\": 1048,");
	assert_shows(json, "\"peak_after_ns\": 20,");
	assert_shows(json, "\"rate_per_s\": 1.5,");
	assert_shows(json, "\"inexact\": null");
	assert_shows(json, "\"heap_by_function\": {\n    \"malloc\": {\n      \"count\": 2,");
	assert_shows(json, "\"free\": {\n      \"count\": 1,");
	assert_shows(json, "\"mean_bytes\": 524,");
	assert_shows(json, "\"limits\": []");
	json = show(NULL, "table");
	assert_shows(json, "3 calls, 1.5 per second: 1.0K allocated, 1000B freed, 0 failed\n"
			   "live at the end: 48B in 1 block; peak 1.0K after 20ns\n");
	assert_false(has(json, "PID"));
	assert_false(has(json, "not exact"));
}

static void test_only_counted(void **state)
{
	const char *json;

	(void)state;
	add_heap_source(&records);
	aggregate_of(10, 700);
	json = show(NULL, "json");
	assert_shows(json, "\"calls\": 10,");
	assert_shows(json, "\"allocated_bytes\": 700,");
	assert_shows(json, "\"live_bytes\": null,");
	assert_shows(json, "\"peak_bytes\": null,");
	assert_shows(json, "\"freed_bytes\": null,");
	assert_shows(json, "\"live_bytes\": \"not requested\"");
	assert_shows(json, "\"what\": \"freed, live and peak bytes\"");
	json = show(NULL, "table");
	assert_shows(json, "10 calls: 700B allocated, 0 failed");
	assert_false(has(json, "live at the end"));
}

static void test_lost(void **state)
{
	const char *json;

	(void)state;
	three_calls();
	add_loss(&records, NS_PER_S + 40, "heap", 5);
	add_loss(&records, NS_PER_S + 40, "syscalls", 100);
	add_loss(&records, NS_PER_S + 40, "process", 1); /* a lost exit is no lost call */
	aggregate_of(8, 5000);
	json = show(NULL, "json");
	assert_shows(json, "\"calls\": 8,");
	assert_shows(json, "\"allocated_bytes\": 5000,");
	assert_shows(json, "\"live_bytes\": 48,");
	assert_shows(json, "\"lost\": 5,");
	assert_shows(json, "\"inexact\": \"5 calls were lost; "
			   "1 process start, exec or exit was lost\"");
	assert_shows(json, "\"what\": \"freed, live and peak bytes, exactly\"");
	assert_shows(show(NULL, "table"), "not exact: 5 calls were lost; "
					  "1 process start, exec or exit was lost\n");
}

/* Nobody told of a loss, but the tallies know of more calls than there are. */
static void test_missing(void **state)
{
	(void)state;
	three_calls();
	aggregate_of(10, 5000);
	assert_shows(show(NULL, "json"), "\"inexact\": \"7 calls were lost\"");
}

/* A cut capture has calls of threads whose tallies were still to come. */
static void test_aggregates_to_come(void **state)
{
	(void)state;
	three_calls();
	aggregate_of(1, 48);
	assert_shows(show(NULL, "json"), "\"calls\": 3,");
	assert_shows(shown.data, "\"allocated_bytes\": 1048,");
}

static void test_not_observed(void **state)
{
	(void)state;
	add_begin(&records, NS_PER_S);
	assert_shows(show(NULL, "json"), "\"calls\": null,");
	assert_shows(shown.data, "\"what\": \"heap-table (heap)\"");
}

static void test_nothing_happened(void **state)
{
	(void)state;
	add_heap_source(&records);
	add_begin(&records, NS_PER_S);
	add_end(&records, 2 * NS_PER_S);
	assert_shows(show(NULL, "json"), "\"calls\": 0,");
	assert_shows(shown.data, "\"live_bytes\": 0,");
	assert_shows(shown.data, "\"heap_by_function\": {}");
	assert_shows(show(NULL, "table"), "nothing was allocated or freed");
}

static void add_resident(uint64_t time_ns, uint64_t bytes)
{
	struct proc_process p = { .record = heap_head(PROC_PROCESS, time_ns, 1),
		.rss_bytes = bytes };

	RECORD_APPEND(&records, &p, NULL, 0);
}

/* No call is an answer only as long as memory does not grow without one. */
static void test_grows_unseen(void **state)
{
	(void)state;
	add_heap_source(&records);
	add_resident(NS_PER_S, 4 << 20);
	add_resident(2 * NS_PER_S, 24 << 20);
	assert_shows(show(NULL, "json"), "\"calls\": null,");
	assert_shows(shown.data,
		"\"inexact\": \"resident memory grew by 20.0M, and no allocator call was seen\"");
	add_heap_call(&records, malloc_call(2 * NS_PER_S, 1, 0x1000, 100));
	assert_shows(show(NULL, "json"), "\"inexact\": null");
}

static void test_from_before(void **state)
{
	(void)state;
	add_heap_source(&records);
	add_target(&records, "pid");
	add_heap_call(&records, free_call(NS_PER_S, 1, 0x1000));
	assert_shows(show(NULL, "json"), "\"frees_from_before\": 1,");
	assert_shows(shown.data, "\"what\": \"blocks allocated before attach\"");
}

/* The remedy for losses depends on which backend wrote into which buffer. */
static void test_loss_remedy(void **state)
{
	static const struct {
		const char *target, *backend, *remedy;
	} cases[] = {
		{ "pid", "multi", "or launch the command" },
		{ "command", "multi", "\"use a larger buffer: --buffer 128M\"" },
		{ "command", "mixed", "\"observe it in the kernel: --engine bpf --buffer 128M\"" },
		{ "command", "preload", "\"run the program again on a host with less load\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		add_heap_source_of(&records, cases[i].backend);
		add_target(&records, cases[i].target);
		add_heap_call(&records, malloc_call(NS_PER_S, 1, 0x1000, 100));
		add_loss(&records, NS_PER_S + 40, "heap", 5);
		assert_shows(show(NULL, "json"), cases[i].remedy);
		buffer_reset(&records);
	}
}

/* A block of that address, at the second free, cannot be from before. */
static void test_missed_when_attached(void **state)
{
	(void)state;
	add_heap_source(&records);
	add_target(&records, "pid");
	add_heap_call(&records, free_call(NS_PER_S, 1, 0x1000));
	add_heap_call(&records, malloc_call(NS_PER_S + 1, 1, 0x1000, 100));
	add_heap_call(&records, free_call(NS_PER_S + 2, 1, 0x1000));
	add_heap_call(&records, free_call(NS_PER_S + 3, 1, 0x1000));
	assert_shows(show(NULL, "json"), "\"frees_from_before\": 1,");
	assert_shows(shown.data, "\"frees_unknown\": 1,");
	assert_shows(shown.data, "1 free of a block whose allocation was not seen");
}

static void test_processes(void **state)
{
	const char *text;

	(void)state;
	three_calls();
	add_join(&records, NS_PER_S + 40, 1, 2, "a child");
	add_heap_call(&records, malloc_call(NS_PER_S + 50, 2, 0x1000, 5000));
	add_leave(&records, NS_PER_S + 60, 2, TICKS);
	text = show(NULL, "table");
	assert_shows(text, "PID NAME    CALLS ALLOCATED LIVE BLOCKS PEAK\n"
			   "  2 a child     1      4.9K 4.9K      1 4.9K\n"
			   "  1 -           3      1.0K  48B      1 1.0K\n");
	assert_shows(show(NULL, "json"), "\"live_bytes\": 5048,");
	assert_shows(shown.data, "\"has_ended\": true");
	assert_shows(shown.data, "\"processes\": 2,");
}

/* People see the largest, a program all. */
static void test_many_processes(void **state)
{
	(void)state;
	add_heap_source(&records);
	for (uint32_t pid = 1; pid <= 100; pid++)
		add_heap_call(&records, malloc_call(NS_PER_S + pid, pid, 0x1000, 1000 + pid));
	assert_shows(show(NULL, "table"), "and 60 more (-j lists all)\n");
	assert_shows(show(NULL, "json"), "\"pid\": 1,");
	assert_shows(shown.data, "\"pid\": 100,");
}

/* --- notes --- */

static void add_gap(uint64_t from_ns, uint64_t to_ns, const char *path)
{
	struct heap_gap g = { .record = heap_head(HEAP_GAP, to_ns, 1), .from_ns = from_ns };
	struct record_tail tail[] = { { &g.path, path, strlen(path) } };

	RECORD_APPEND(&records, &g, tail, 1);
}

static void test_gaps(void **state)
{
	const char *json;

	(void)state;
	three_calls();
	add_gap(NS_PER_S, NS_PER_S + 300, "/lib/a.so");
	add_gap(NS_PER_S + 500, NS_PER_S + 600, "/lib/a.so");
	add_gap(NS_PER_S, NS_PER_S + 50, "/lib/b\033[2J.so");
	json = show(NULL, "json");
	assert_shows(json, "\"path\": \"/lib/a.so\",\n      \"unseen_ns\": 400");
	assert_shows(json, "\"unseen_ns\": 50");
	assert_shows(json,
		"\"inexact\": \"calls of newly loaded libraries were missed for up to 300ns\"");
	assert_shows(show(NULL, "table"), "/lib/b\\x1b[2J.so");
}

static void add_hold(uint64_t asked_ns, uint64_t stopped_ns, uint64_t end_ns, uint64_t lost)
{
	struct pause_event h = { .record = heap_head(HEAP_PAUSE, end_ns, 1),
		.asked_ns = asked_ns,
		.stopped_ns = stopped_ns,
		.reserve_ns = 100,
		.threads = 2,
		.lost = lost };

	RECORD_APPEND(&records, &h, NULL, 0);
}

static void test_holds(void **state)
{
	(void)state;
	three_calls();
	add_hold(1000, 1050, 2000, 0);
	add_hold(3000, 3070, 5000, 0);
	assert_shows(show(NULL, "table"),
		"pauses: 2, 3.00us in total; stopping all threads took up to 70ns; the event "
		"buffer had room for at least 100ns\n");
	assert_shows(show(NULL, "json"), "\"late\": 0");
	assert_false(has(shown.data, "pauses came too late"));
	add_hold(6000, 6300, 6400, 4);
	assert_shows(show(NULL, "json"), "\"late\": 1");
	assert_shows(shown.data, "1 of 3 pauses came too late: pausing took up to 300ns, and the "
				 "event buffer could be full after 100ns");
}

static void add_site(uint64_t inode, uint32_t function, bool is_emulated)
{
	struct heap_site s = { .record = heap_head(HEAP_SITE, 5, 1),
		.device = 8,
		.inode = inode,
		.entry = 0x1000,
		.offset = 0x1004 + function,
		.function = (uint8_t)function,
		.has_return = function != HEAP_FREE,
		.is_emulated = is_emulated };
	struct record_tail tail[] = { { &s.path, "/lib/libc.so.6", 14 },
		{ &s.why, "arguments are intact there", 26 } };

	RECORD_APPEND(&records, &s, tail, 2);
}

static void test_sites(void **state)
{
	const struct heap_table_options with_sites = { .sites = true };
	const char *text;

	(void)state;
	three_calls();
	for (int segment = 0; segment < 2; segment++) { /* definitions come again */
		add_site(1, HEAP_MALLOC, true);
		add_site(1, HEAP_FREE, false);
		add_site(2, HEAP_MALLOC, true);
	}
	text = show(NULL, "table");
	assert_false(has(text, "probed: "));
	assert_false(has(text, "libc.so.6"));
	assert_shows(show_verbose("heap", "heap-table"),
		"probed: 3 functions in 2 files, 1 single-stepped\n");
	text = show(&with_sites, "table");
	assert_shows(text, "/lib/libc.so.6 malloc   0x1004 yes    no");
	assert_shows(text, "/lib/libc.so.6 free     0x1005 no     yes");
	assert_shows(show(&with_sites, "json"), "\"reason\": \"arguments are intact there\"");
}

/* The totals for who makes a sentence of them. */
static void test_reported(void **state)
{
	struct heap_totals_row reported = { 0 };
	const struct heap_table_options options = { .reported = &reported };

	(void)state;
	three_calls();
	show(&options, "table");
	assert_int_equal(reported.events, 3);
	assert_int_equal(reported.live_bytes, 48);
	assert_int_equal(reported.peak_bytes, 1048);
}

/* --- live, on a scripted system --- */

static void test_live(void **state)
{
	struct fake *f = fake_new();
	struct fake_process *ten = fake_add(f, 10, 0, "ten"), *child;
	struct heap_call get = { .function = HEAP_MALLOC,
		.address = 0x1000,
		.size = 64,
		.old_address_state = SOOTH_STATE_ABSENT,
		.error_state = SOOTH_STATE_ABSENT };
	struct sooth_report *r = report_into(&shown, "heap", "heap-table", NULL, "json");
	struct sooth_observer *o;
	struct sooth_error err;

	(void)state;
	assert_int_equal(observer_new_on(&o, fake_os(f), NULL, &err), 0);
	assert_int_equal(sooth_observer_add_pid(o, 10, &err), 0);
	assert_int_equal(sooth_observer_add_probe(o, "heap", SOOTH_COUNT | SOOTH_STREAM, &err), 0);
	assert_int_equal(sooth_observer_connect_report(o, r, &err), 0);
	assert_int_equal(sooth_observer_start(o, &err), 0);
	fake_allocate(f, ten, &get);
	child = fake_fork(f, ten, 11);
	fake_advance(f, NS_PER_MS);
	fake_allocate(f, child, &get);
	fake_advance(f, NS_PER_MS);
	fake_end(f, child, 0);
	assert_int_equal(sooth_observer_step(o, 20, &err), 1);
	assert_int_equal(sooth_observer_stop(o, SOOTH_END_STOPPED, &err), 0);
	assert_int_equal(sooth_report_finish(r, &err), 0);
	text_close(&shown);
	assert_shows(shown.data, "\"calls\": 2,");
	assert_shows(shown.data, "\"live_bytes\": 128,");
	assert_shows(shown.data, "\"peak_bytes\": 128,");
	assert_shows(shown.data, "\"has_ended\": true");
	assert_shows(shown.data, "\"inexact\": null");
	sooth_report_free(r);
	sooth_observer_free(o);
	fake_free(f);
}

/* --- by thread, by size, by age --- */

static void add_by_thread(uint64_t time_ns, uint32_t tid, uint64_t address, uint64_t size)
{
	struct heap_call c = malloc_call(time_ns, 7, address, size);

	c.record.tid = tid;
	add_heap_call(&records, c);
}

/* Thread 8 allocates what thread 9 frees: it is thread 8's. Old at the end are those of 1 s. */
static void add_two_threads(void)
{
	struct heap_call freed = free_call(2 * NS_PER_S, 7, 0x1000);

	freed.record.tid = 9;
	add_heap_source(&records);
	add_begin(&records, 1);
	add_by_thread(NS_PER_S, 8, 0x1000, 64);
	add_by_thread(NS_PER_S, 8, 0x2000, 176);
	add_by_thread(2 * NS_PER_S, 9, 0x3000, 176);
	add_heap_call(&records, freed);
	add_by_thread(3 * NS_PER_S - 5, 9, 0x4000, 1000);
	add_end(&records, 3 * NS_PER_S);
}

static void test_by_thread(void **state)
{
	const struct heap_table_options options = { .by = HEAP_BY_THREAD };
	const char *text;

	(void)state;
	add_two_threads();
	text = show(&options, "table");
	assert_shows(text, "PID TID NAME LIVE BLOCKS ALLOCATED CALLS\n"
			   "  7   9 -    1.1K      2      1.1K     2\n"
			   "  7   8 -    176B      1      240B     2\n");
}

static void test_by_exact_size(void **state)
{
	const struct heap_table_options options = { .by = HEAP_BY_SIZE };
	const char *text;

	(void)state;
	add_two_threads();
	text = show(&options, "table");
	assert_shows(text, "SIZE  LIVE BLOCKS ALLOCATED CALLS\n"
			   "1000B 1000B      1     1000B     1\n"
			   " 176B  352B      2      352B     2\n"
			   "  64B    0B      0       64B     1\n");
}

/* A block of that age counts, one a little younger does not; also of a process that ended. */
static void test_by_age(void **state)
{
	struct heap_table_options options = { .by = HEAP_BY_SIZE, .min_age_ns = NS_PER_S };

	(void)state;
	add_two_threads();
	assert_shows(show(&options, "table"), "sizes of blocks, by memory not freed: blocks of at "
					      "least 1.00s\n");
	assert_shows(shown.data, " 176B 352B      2 ");
	assert_shows(shown.data, "1000B   0B      0 ");
	assert_shows(shown.data, "live at the end: 1.3K in 3 blocks");
	options.min_age_ns++;
	assert_shows(show(&options, "table"), " 176B 176B      1 ");
	buffer_reset(&records);
	add_two_threads();
	add_leave(&records, 3 * NS_PER_S, 7, TICKS);
	assert_shows(show(&options, "table"), " 176B 176B      1 ");
}

/* The kernel's sums have none of this, and the report says so. */
static void test_sums_have_no_threads(void **state)
{
	static const struct heap_table_options all[] = { { .by = HEAP_BY_THREAD },
		{ .by = HEAP_BY_SIZE }, { .min_age_ns = 1 } };
	static const char *const expected[] = { "threads that allocate: the kernel aggregated",
		"exact sizes of blocks: the kernel aggregated",
		"the age of blocks: the kernel aggregated" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct heap_held held = { .record = heap_head(HEAP_HELD, 5, 7), .program = 1 };

		buffer_reset(&records);
		add_heap_source(&records);
		RECORD_APPEND(&records, &held, NULL, 0);
		assert_shows(show(&all[i], "table"), expected[i]);
	}
}

/* People see so many rows, a program all. */
static void test_top(void **state)
{
	const struct heap_table_options options = { .by = HEAP_BY_SIZE, .rows_most = 1 };

	(void)state;
	add_two_threads();
	assert_shows(show(&options, "table"), "and 2 more (-j lists all)");
	assert_shows(show(&options, "json"), "\"size_bytes\": 64,");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tallies_and_calls_agree),
		TEST(test_totals),
		TEST(test_only_counted),
		TEST(test_lost),
		TEST(test_missing),
		TEST(test_aggregates_to_come),
		TEST(test_not_observed),
		TEST(test_nothing_happened),
		TEST(test_grows_unseen),
		TEST(test_from_before),
		TEST(test_loss_remedy),
		TEST(test_missed_when_attached),
		TEST(test_processes),
		TEST(test_many_processes),
		TEST(test_gaps),
		TEST(test_holds),
		TEST(test_sites),
		TEST(test_reported),
		TEST(test_live),
		TEST(test_by_thread),
		TEST(test_by_exact_size),
		TEST(test_by_age),
		TEST(test_sums_have_no_threads),
		TEST(test_top),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
