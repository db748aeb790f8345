/* SPDX-License-Identifier: BSD-2-Clause */
/* The output of the views threads, signals, limits and environment, and their sums. */
#include "shown.h"

#include "analyze/inspect/limits.h"
#include "analyze/threads/thread_times.h"
#include "base/units.h"
#include "probes/environment.h"
#include "probes/limits.h"
#include "probes/signals.h"
#include "probes/syscall_names.h"
#include "probes/threads.h"

#define PERMISSION SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)

static const char *show(const char *view, const char *format)
{
	return show_view("test", view, NULL, format);
}

static struct sooth_record head(uint32_t pid, uint32_t tid, uint16_t kind, uint64_t time_ns)
{
	return (struct sooth_record){
		.time_ns = time_ns, .start_ticks = 5, .pid = pid, .tid = tid, .kind = kind
	};
}

/* --- threads --- */

static void add_thread(uint32_t tid, uint64_t time_ns, uint64_t cpu_ns, const char *name)
{
	struct threads_thread t = { .record = head(10, tid, THREADS_THREAD, time_ns),
		.cpu_ns = cpu_ns,
		.thread_start_ticks = 6,
		.state = 'S',
		.syscall = 202,
		.abi = SYSCALL_ABI_X86_64,
		.policy = tid == 11 ? THREADS_FIFO : THREADS_OTHER,
		.realtime_priority = tid == 11 ? 50 : 0,
		.wait_channel_state = PERMISSION };
	struct record_tail tail[] = { { &t.name, name, strlen(name) },
		{ &t.wait_channel, NULL, 0 } };

	RECORD_APPEND(&records, &t, tail, 2);
}

static void end_threads(uint32_t pid, uint64_t time_ns, uint32_t threads, uint8_t threads_state)
{
	struct threads_process p = { .record = head(pid, 0, THREADS_PROCESS, time_ns),
		.threads = threads,
		.threads_state = threads_state };

	RECORD_APPEND(&records, &p, NULL, 0);
}

static void test_threads_once(void **state)
{
	const char *json;

	(void)state;
	add_thread(10, 1000, 5, "main");
	end_threads(10, 1001, 1, 0);
	json = show("threads", "json");
	assert_true(has(json, "\"cpu_percent\": \"this value needs two samples\""));
	assert_true(has(json, "\"call\": \"futex\""));
	assert_true(has(json, "\"wait_channel\": \"permission denied\""));
	assert_true(has(json, "\"started\": \"this value needs two samples\""));
	assert_true(has(json, "\"is_new\": false"));
}

/* 25 % of a CPU by one, none by another; one went, one came and has no share. */
static void test_threads_twice(void **state)
{
	const char *json, *table;

	(void)state;
	add_thread(10, NS_PER_S, 0, "main");
	add_thread(11, NS_PER_S, NS_PER_S, "busy");
	add_thread(12, NS_PER_S, 7 * NS_PER_S, "went");
	end_threads(10, NS_PER_S, 3, 0);
	add_thread(10, 2 * NS_PER_S, 0, "main");
	add_thread(11, 2 * NS_PER_S, NS_PER_S + 250 * NS_PER_MS, "busy");
	add_thread(13, 2 * NS_PER_S, 9 * NS_PER_S, "came");
	end_threads(10, 2 * NS_PER_S, 3, 0);
	end_threads(10, 3 * NS_PER_S, 0, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
	json = show("threads", "json");
	assert_true(has(json, "\"cpu_percent\": 25.0"));
	assert_true(has(json, "\"policy\": \"fifo 50\""));
	assert_true(has(json, "\"threads\": 3,\n      \"started\": 1,\n      \"ended\": 1"));
	assert_true(has(json, "\"is_new\": true"));
	assert_false(has(json, "\"went\",")); /* its row is not among the last reading's */
	assert_true(strstr(json, "\"busy\"") < strstr(json, "\"came\""));
	table = show("threads", "table");
	assert_false(has(table, "PID")); /* one process */
	assert_true(has(table, "25.0"));
}

static void test_thread_times(void **state)
{
	struct process_id id = { .start_ticks = 5, .pid = 10 };
	struct buffer list = { 0 };
	const struct thread_time *times;
	struct thread_times t;
	struct thread_sums sums;
	struct batch batch;

	(void)state;
	add_thread(10, NS_PER_S, NS_PER_S, "main");
	add_thread(11, NS_PER_S, 0, "b");
	end_threads(10, NS_PER_S, 2, 0);
	add_thread(10, 2 * NS_PER_S, NS_PER_S, "main");
	add_thread(11, 2 * NS_PER_S, NS_PER_S / 2, "b");
	end_threads(10, 2 * NS_PER_S, 2, 0);
	thread_times_init(&t);
	batch = (struct batch){ records.data, records.size };
	batch_for_each (r, &batch)
		thread_times_add_record(&t, r);
	assert_int_equal(thread_times_list(&t, thread_times_get(&t, &id), &list, &sums), 0);
	times = (const void *)list.data;
	assert_int_equal(list.size, 2 * sizeof(*times));
	assert_int_equal(times[0].thread->record.tid, 11);
	assert_true(times[0].cpu_percent == 50.0 && times[1].cpu_percent == 0.0);
	assert_true(sums.cpu_percent == 50.0 && sums.interval_ns == NS_PER_S);
	assert_int_equal(sums.threads, 2);
	assert_int_equal(sums.came + sums.went, 0);
	buffer_fini(&list);
	thread_times_fini(&t);
}

/* The same tid, another thread: no share, one came and one went. */
static void test_reused_tid(void **state)
{
	const char *json;

	(void)state;
	add_thread(10, NS_PER_S, 0, "main");
	add_thread(11, NS_PER_S, NS_PER_S, "first");
	end_threads(10, NS_PER_S, 2, 0);
	add_thread(10, 2 * NS_PER_S, 0, "main");
	add_thread(11, 2 * NS_PER_S, 3 * NS_PER_S, "second");
	end_threads(10, 2 * NS_PER_S, 2, 0);
	batch_for_each (r, (&(struct batch){ records.data, records.size })) {
		if (r->tid == 11 && r->time_ns == 2 * NS_PER_S)
			((struct threads_thread *)(uintptr_t)r)->thread_start_ticks = 99;
	}
	json = show("threads", "json");
	assert_true(has(json, "\"started\": 1,\n      \"ended\": 1"));
	assert_false(has(json, "200.0"));
}

static void test_threads_refused(void **state)
{
	(void)state;
	end_threads(10, 1, 0, PERMISSION);
	assert_true(has(show("threads", "table"), "no threads could be read"));
	assert_true(has(show("threads", "json"), "\"threads\": \"permission denied\""));
}

static void test_two_processes(void **state)
{
	(void)state;
	add_thread(10, 1, 0, "main");
	end_threads(10, 1, 1, 0);
	end_threads(20, 1, 0, PERMISSION);
	assert_true(has(show("threads", "table"), "PID"));
}

/* --- signals --- */

static void add_signals(uint8_t handlers_state)
{
	struct signals_thread one = { .record = head(10, 10, SIGNALS_THREAD, 1),
		.blocked = 1ull << 14 };
	struct signals_thread two = { .record = head(10, 11, SIGNALS_THREAD, 1),
		.blocked = 1ull << 14 | 1ull << 13,
		.pending = 1ull << 13 };
	struct signals_process end = { .record = head(10, 0, SIGNALS_PROCESS, 2),
		.ignored = 1,
		.caught = 1 << 9,
		.pending = 1ull << 14 | 1ull << 63,
		.queued = 3,
		.queued_max = 100,
		.threads = 2,
		.handlers_state = handlers_state };

	RECORD_APPEND(&records, &one, NULL, 0);
	RECORD_APPEND(&records, &two, NULL, 0);
	if (handlers_state == SOOTH_STATE_VALUE) {
		struct signals_handler h = { .record = head(10, 0, SIGNALS_HANDLER, 1),
			.signal = 10,
			.address = 0x1234,
			.symbol_offset = 16,
			.flags = 0x14000004 };
		struct record_tail tail[] = { { &h.symbol, "on_usr1", 7 },
			{ &h.object, "/usr/lib/libfoo.so", 18 } };

		RECORD_APPEND(&records, &h, tail, 2);
	}
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void test_signals(void **state)
{
	const char *json;

	(void)state;
	add_signals(SOOTH_STATE_VALUE);
	json = show("signals", "json");
	assert_true(has(json, "\"signal\": \"SIGHUP\",\n      \"action\": \"ignored\""));
	assert_true(has(json, "\"handler\": \"on_usr1+0x10 (libfoo.so)\""));
	assert_true(has(json, "\"flags\": \"SA_SIGINFO SA_RESTART\"")); /* not SA_RESTORER */
	assert_true(has(json, "\"blocked_in\": \"2 of 2 threads\""));
	assert_true(has(
		json, "\"blocked_in\": \"1 of 2 threads\",\n      \"pending_for\": \"1 thread\""));
	assert_true(has(json, "\"signal\": \"SIGRTMAX\""));
	assert_true(has(json, "\"queued_percent\": 3.0"));
	assert_false(has(json, "SIGKILL")); /* nothing to tell of it */
}

static void test_signals_without_handlers(void **state)
{
	const char *json;

	(void)state;
	add_signals(PERMISSION);
	json = show("signals", "json");
	assert_true(has(json, "\"handler\": \"permission denied\""));
	assert_true(has(json, "\"action\": \"caught\""));
	assert_true(has(show("signals", "table"), "permission denied"));
}

/* --- limits --- */

static void add_resource(const char *name, uint64_t used, uint64_t soft, uint8_t soft_state,
	uint8_t used_state, enum limits_unit unit)
{
	struct limits_resource r = { .record = head(10, 0, LIMITS_RESOURCE, 1),
		.used = used,
		.soft = soft,
		.hard_state = SOOTH_STATE_ABSENT,
		.soft_state = soft_state,
		.used_state = used_state,
		.unit = unit };
	struct record_tail tail[] = { { &r.name, name, strlen(name) } };

	RECORD_APPEND(&records, &r, tail, 1);
}

static void add_group(const char *path, uint64_t used, uint64_t limit, bool is_inherited)
{
	struct limits_group g = { .record = head(10, 0, LIMITS_GROUP, 1),
		.used = used,
		.limit = limit,
		.limit_state = limit ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.unit = LIMITS_BYTES,
		.version = 2,
		.is_inherited = is_inherited };
	struct record_tail tail[] = { { &g.name, "memory", 6 }, { &g.path, path, strlen(path) } };

	RECORD_APPEND(&records, &g, tail, 2);
}

static void end_limits(uint8_t pressure_state)
{
	struct limits_process p = { .record = head(10, 0, LIMITS_PROCESS, 2),
		.oom_score = 666,
		.oom_score_adjustment = -17,
		.pressure_state = pressure_state };

	RECORD_APPEND(&records, &p, NULL, 0);
}

static void add_limits(void)
{
	add_resource("NOFILE", 48, 64, 0, 0, LIMITS_NUMBER);
	add_resource("AS", 4096, 0, SOOTH_STATE_ABSENT, 0, LIMITS_BYTES);
	add_resource(
		"NPROC", 0, 10, 0, SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED), LIMITS_NUMBER);
	add_resource("STACK", 1 << 20, 8 << 20, 0, 0, LIMITS_BYTES);
	add_group("/a/b", 1 << 20, 0, false);
	add_group("/a", 90 << 20, 100 << 20, true);
	add_group("/", 100 << 20, 200 << 20, true);
	end_limits(SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED));
}

static void test_limits(void **state)
{
	const char *json, *table;

	(void)state;
	add_limits();
	json = show("limits", "json");
	assert_true(has(json, "\"percent\": 75.0"));
	assert_true(has(json, "\"soft_limit_text\": \"unlimited\""));
	assert_true(has(json, "\"used\": \"not available on this system\""));
	assert_true(has(json, "\"oom_score_adjustment\": -17"));
	assert_true(has(json, "\"pressure\": []"));
	table = show("limits", "table");
	assert_true(has(table, "8.0M"));
	assert_true(has(table, "not measured: pressure: not available on this system"));
}

static void test_limit_sums(void **state)
{
	struct process_id id = { .start_ticks = 5, .pid = 10 };
	struct buffer near = { 0 };
	const struct limits_group *tightest;
	const struct limit_sum *sums;
	struct snapshots s;

	(void)state;
	add_limits();
	snapshots_init(&s, LIMITS_PROCESS);
	batch_for_each (r, (&(struct batch){ records.data, records.size }))
		snapshots_add_record(&s, r);
	assert_int_equal(limit_sums_near(snapshots_get(&s, &id), 50, &near), 0);
	sums = (const void *)near.data;
	assert_int_equal(near.size, 3 * sizeof(*sums));
	assert_true(sums[0].group && sums[0].percent == 90.0);
	assert_true(sums[1].resource && sums[1].percent == 75.0);
	assert_true(sums[2].group && sums[2].percent == 50.0);
	tightest = limit_sums_tightest_memory(snapshots_get(&s, &id));
	assert_int_equal(tightest->limit, 100 << 20);
	buffer_fini(&near);
	snapshots_fini(&s);
}

/* --- environment --- */

static void test_environment(void **state)
{
	struct environment_variable v = { .record = head(10, 0, ENVIRONMENT_VARIABLE, 1),
		.size_bytes = 40 };
	struct environment_variable secret = { .record = head(10, 0, ENVIRONMENT_VARIABLE, 1),
		.size_bytes = 99,
		.name_state = SOOTH_STATE_REDACTED };
	struct environment_process end = { .record = head(10, 0, ENVIRONMENT_PROCESS, 2),
		.variables = 2,
		.variables_state = SOOTH_STATE_TRUNCATED };
	struct record_tail tail[] = { { &v.name, "TOKEN", 5 } };
	const char *json;

	(void)state;
	RECORD_APPEND(&records, &v, tail, 1);
	RECORD_APPEND(&records, &secret, NULL, 0);
	RECORD_APPEND(&records, &end, NULL, 0);
	json = show("environment", "json");
	assert_true(has(json, "\"name\": \"TOKEN\",\n      \"size_bytes\": 40"));
	assert_true(has(json, "\"size_bytes\": 99"));
	assert_true(has(json, "\"value_bytes\": 40"));
	assert_true(has(show("environment", "table"), "TOKEN"));
}

/* A capture may hold records of another version, shorter or with texts that point nowhere. */
static void test_strange_records(void **state)
{
	static const uint16_t kinds[] = { THREADS_THREAD, THREADS_PROCESS, SIGNALS_THREAD,
		SIGNALS_HANDLER, SIGNALS_PROCESS, LIMITS_RESOURCE, LIMITS_GROUP, LIMITS_PRESSURE,
		LIMITS_PROCESS, ENVIRONMENT_VARIABLE, ENVIRONMENT_PROCESS };
	static const char *const views[] = { "threads", "signals", "limits", "environment" };
	uint64_t seed = 4;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		buffer_reset(&records);
		for (unsigned i = 0; i < 12; i++) {
			uint64_t words = 4 + random_below(&seed, 24);
			struct sooth_record *r = buffer_zeros(&records, words * SOOTH_RECORD_WORD);
			unsigned char *bytes = (unsigned char *)r;

			for (size_t k = 32; k < words * SOOTH_RECORD_WORD; k++)
				bytes[k] = (unsigned char)random_below(&seed, round % 2 ? 4 : 256);
			*r = head(10, i, kinds[random_below(&seed, ARRAY_SIZE(kinds))], i + 1);
			r->words = (uint16_t)words;
			r->fixed_words = (uint16_t)(4 + random_below(&seed, words - 3));
		}
		for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
			show(views[i], "json");
			show(views[i], "table");
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_threads_once),
		TEST(test_threads_twice),
		TEST(test_thread_times),
		TEST(test_reused_tid),
		TEST(test_threads_refused),
		TEST(test_two_processes),
		TEST(test_signals),
		TEST(test_signals_without_handlers),
		TEST(test_limits),
		TEST(test_limit_sums),
		TEST(test_environment),
		TEST(test_strange_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
