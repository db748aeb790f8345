/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings by made-up stacks of threads that wait: each kind, and the healthy twin of each. */
#include "check_stacks.h"

#include "probes/syscall_names.h"
#include "probes/waits.h"

#define PRIVATE 128
#define WAITED	30 /* seconds, at the last sample */

/* A thread: its innermost functions, "name file", those of a script in parentheses. */
struct made {
	uint32_t tid;
	uint64_t address; /* of the futex; 0: it sleeps */
	const char *functions[4];
	enum waits_lock lock; /* none: WAITS_LOCK_PLAIN */
	bool runs;
};

static void put_waits(const struct made *t, double s)
{
	struct waits_thread w = { .record = head_of(s, PID, WAITS_THREAD),
		.node_pid = PID,
		.switches = t->runs ? (uint64_t)s : 1,
		.since_ns = (uint64_t)((WAITED - LOOKS + 1 + s) * (double)NS_PER_S),
		.arguments = { t->address, PRIVATE },
		.lock = t->lock	     ? (uint8_t)t->lock
			: t->address ? WAITS_LOCK_PLAIN
				     : WAITS_LOCK_NONE,
		.state = 'S',
		.timeout_state = SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { tail_string(&w.name, t->tid == PID ? "thing" : "worker") };
	const char *call = t->address ? "futex" : "clock_nanosleep";

	w.syscall = (uint32_t)syscall_number(SYSCALL_ABI_X86_64, call, strlen(call));
	w.abi = SYSCALL_ABI_X86_64;
	w.record.tid = t->tid;
	RECORD_APPEND(&records, &w, tail, 1);
}

static struct waits_signals *signals_of_last; /* NULL: none were read */

static void put_snapshot(const struct made *all, size_t count, double s)
{
	struct waits_process p = { .record = head_of(s, PID, WAITS_PROCESS),
		.node_pid = PID,
		.threads = (uint32_t)count,
		.state = 'S' };
	struct waits_snapshot end = { .record = head_of(s, PID, WAITS_SNAPSHOT) };
	struct record_tail tail[] = { tail_string(&p.name, "thing") };

	for (size_t i = 0; i < count; i++)
		put_waits(&all[i], s);
	RECORD_APPEND(&records, &p, tail, 1);
	if (signals_of_last && s > 0)
		RECORD_APPEND(&records, signals_of_last, NULL, 0);
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void has_threads(const struct made *all, size_t count)
{
	struct stacks_snapshot end = { .record = head_of(0, PID, STACKS_SNAPSHOT),
		.threads = (uint32_t)count };

	is_there();
	add_source("waits");
	add_source("stacks");
	put_snapshot(all, count, 0);
	frames = 0;
	for (size_t i = 0; i < count; i++) {
		struct stacks_thread t = { .record = head_of(0, PID, STACKS_THREAD),
			.stack = all[i].tid };

		t.record.tid = all[i].tid;
		RECORD_APPEND(&records, &t, NULL, 0);
	}
	RECORD_APPEND(&records, &end, NULL, 0);
	put_snapshot(all, count, LOOKS - 1);
	for (size_t i = 0; i < count; i++)
		put_stack(all[i].tid, all[i].functions, ARRAY_SIZE(all[i].functions));
}

#define RUST   "Mutex::lock_contended"
#define PYTHON "sem_wait libc.so.6", "PyThread_acquire_lock_timed", "lock_acquire"
#define POLLING                                                                                    \
	{                                                                                          \
		.tid = 300, .functions = { "nanosleep" }, .runs = true                             \
	}

/* Two threads want locks of Rust, the second one that at `address`. */
static void wants_locks(double address)
{
	const struct made all[] = { { .tid = PID, .address = 64, .functions = { RUST } },
		{ .tid = 200, .address = (uint64_t)address, .functions = { RUST } }, POLLING };

	has_threads(all, ARRAY_SIZE(all));
}

/* The same beside one that sleeps and may have them. */
static void wants_of_sleeper(double is_asleep)
{
	const struct made all[] = { { .tid = PID, .address = 64, .functions = { RUST } },
		{ .tid = 200, .address = 128, .functions = { RUST } },
		{ .tid = 300, .functions = { "nanosleep" }, .runs = !is_asleep } };

	has_threads(all, ARRAY_SIZE(all));
}

static void waits_in(const char *function)
{
	const struct made all[] = {
		{ .tid = PID, .address = 64, .functions = { PYTHON, function } },
		{ .tid = 200, .address = 128, .functions = { PYTHON, function } }, POLLING
	};

	has_threads(all, ARRAY_SIZE(all));
}

static void wants_python(double value)
{
	waits_in(value > 0 ? "(job app.py:3)" : "(Condition.wait threading.py:327)");
}

static void waits_for_queue(double is_queue)
{
	const char *by = is_queue > 0 ? "get _queue.cpython-311.so" : "lock_acquire";
	const struct made all[] = {
		{ .tid = PID,
			.address = 64,
			.functions = { "PyThread_acquire_lock_timed", by, "(job app.py:3)" } },
		{ .tid = 200,
			.address = 128,
			.functions = { "PyThread_acquire_lock_timed", by, "(job app.py:3)" } },
		POLLING
	};

	has_threads(all, ARRAY_SIZE(all));
}

static void is_alone(double wants)
{
	const struct made all[] = {
		{ .tid = PID, .address = 64, .functions = { wants > 0 ? RUST : "sem_wait" } }
	};

	has_threads(all, ARRAY_SIZE(all));
}

static void waits_on_condition(double others)
{
	const struct made all[] = {
		{ .tid = PID,
			.address = 64,
			.functions = { "pthread_cond_wait", "(job app.py:3)" } },
		POLLING
	};

	has_threads(all, others > 0 ? 2 : 1);
}

/* The only thread of a Python program waits for an event; these signals have handlers. */
static void waits_for_event(double caught)
{
	const struct made all[] = { { .tid = PID,
		.address = 64,
		.functions = { "PyThread_acquire_lock_timed", "(Condition.wait threading.py:327)",
			"(Event.wait threading.py:629)", "(job app.py:3)" } } };
	struct waits_signals signals = { .record = head_of(LOOKS - 1, PID, WAITS_SIGNALS),
		.node_pid = PID,
		.caught = caught > 0 ? (uint32_t)caught : 0 };

	if (caught < 0) {
		has_threads(all, 1);
		return;
	}
	signals_of_last = &signals;
	has_threads(all, 1);
	signals_of_last = NULL;
}

/* A latch beside an idle thread of a pool, or beside one that waits in a call. */
static void wants_latch(double is_idle)
{
	const struct made all[] = {
		{ .tid = PID,
			.address = 64,
			.functions = { "park" },
			.lock = WAITS_LOCK_JAVA_LATCH },
		{ .tid = 200,
			.address = is_idle > 0 ? 128 : 0,
			.functions = { "park" },
			.lock = is_idle > 0 ? WAITS_LOCK_JAVA_IDLE : WAITS_LOCK_NONE },
	};

	has_threads(all, ARRAY_SIZE(all));
}

/* A wait of Java on a condition, beside a pool at rest, or one that wakes by time or a call. */
static void waits_on_java_condition(double beside)
{
	struct made all[] = {
		{ .tid = PID,
			.address = 64,
			.functions = { "park" },
			.lock = WAITS_LOCK_JAVA_CONDITION },
		{ .tid = 200,
			.address = 128,
			.functions = { "park" },
			.lock = WAITS_LOCK_JAVA_CONDITION },
	};

	if (beside > 0)
		all[1] = (struct made){ .tid = 200, .functions = { "accept" }, .runs = beside > 1 };
	has_threads(all, ARRAY_SIZE(all));
}

/* Producers at a full queue, beside a main thread that sleeps again and again, or only once. */
static void puts_into_full(double consumers)
{
	static const char *const put[] = { "(Condition.wait threading.py:327)",
		"(Queue.put queue.py:140)", "(fill app.py:3)" };
	const struct made all[] = { { .tid = PID, .functions = { "nanosleep" }, .runs = true },
		{ .tid = 200,
			.address = 64,
			.functions = { "PyThread_acquire_lock_timed", put[0], put[1], put[2] } },
		{ .tid = 300, .functions = { "read" }, .runs = true } };

	has_threads(all, ARRAY_SIZE(all) - (consumers > 0 ? 0 : 1));
}

#define WORKER(tid_, call)                                                                         \
	{                                                                                          \
		.tid = tid_, .functions = { call, "worker", "start_thread" }                       \
	}

/* Four threads of libuv, one of them free, or running between the looks. */
static void has_pool(double free)
{
	struct made all[] = { { .tid = PID, .functions = { "uv__io_poll" }, .runs = true },
		WORKER(200, "open64"), WORKER(201, "open64"), WORKER(202, "open64"),
		WORKER(203, free == 1 ? "uv_cond_wait" : "open64") };

	all[4].runs = free == 2;
	has_threads(all, ARRAY_SIZE(all));
}

static void is_in(const char *function)
{
	const struct made all[] = {
		{ .tid = PID, .address = 64, .functions = { "pthread_cond_wait", function } }
	};

	has_threads(all, ARRAY_SIZE(all));
}

static void waits_for_debugger(double value)
{
	is_in(value > 0 ? "node::inspector::Agent::WaitForConnectByOptions" : "uv_run");
}

static void waits_in_jdwp(double value)
{
	is_in(value > 0 ? "transport_waitForConnection libjdwp.so" : "transport_waitForConnection");
}

static void test_debugger_awaited(void **state)
{
	static const struct check_case cases[] = {
		{ "debugger-awaited", waits_for_debugger, 1, NULL,
			"medium/high: waits for a debugger before its first line (--inspect-brk)" },
		{ "debugger-awaited", waits_for_debugger, 1, "debugger-awaited.min-time=31s",
			"blind: " },
		{ "debugger-awaited", waits_for_debugger, 0, NULL, "fine: no thread waits" },
		{ "debugger-awaited", waits_in_jdwp, 1, NULL, "medium/high: |(suspend=y)" },
		{ "debugger-awaited", waits_in_jdwp, 0, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_pool_stuck(void **state)
{
	static const struct check_case cases[] = {
		{ "pool-stuck", has_pool, 0, NULL,
			"medium/high: all 4 threads of its pool (libuv) are stuck" },
		{ "pool-stuck", has_pool, 0, "pool-stuck.min-time=31s", "blind: " },
		{ "pool-stuck", has_pool, 1, NULL, "fine: 3 of 4 threads" },
		{ "pool-stuck", has_pool, 2, NULL, "fine: 3 of 4 threads" },
		{ "pool-stuck", is_alone, 1, NULL, "fine: no pool of libuv" },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_waits_without_end(void **state)
{
	static const struct check_case cases[] = {
		{ "deadlock", wants_latch, 1, NULL,
			"medium/medium: deadlock: |waits for a CountDownLatch|none is left" },
		{ "deadlock", wants_latch, 0, NULL, "fine: " },
		{ "deadlock", waits_on_java_condition, 0, NULL,
			"medium/medium: deadlock: all its threads wait on a condition, as of an "
			"empty queue, for 30 s" },
		{ "deadlock", waits_on_java_condition, 1, NULL, "fine: " },
		{ "deadlock", waits_on_java_condition, 2, NULL, "fine: " },
		{ "deadlock", puts_into_full, 0, NULL,
			"medium/medium: deadlock: 1 thread waits in Queue.put|fill (app.py:3)" },
		{ "deadlock", puts_into_full, 1, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_deadlock(void **state)
{
	static const struct check_case cases[] = {
		{ "deadlock", wants_locks, 128, NULL,
			"medium/medium: deadlock: threads thing and worker wait for locks that "
			"nothing releases, for 30 s [waiting for at least: 30.0s]|[threads that "
			"wait: 2] [other threads, which ran: 1]|Mutex::lock_contended]|<sooth "
			"stack "
			"99 shows" },
		{ "deadlock", wants_locks, 64, NULL, "fine: 2 threads wait" },
		{ "deadlock", wants_locks, 128, "deadlock.min-time=31s", "blind: " },
		{ "deadlock", wants_of_sleeper, 0, NULL, "medium/medium: deadlock: threads" },
		{ "deadlock", wants_of_sleeper, 1, NULL, "fine: 2 threads wait" },
		{ "deadlock", wants_python, 1, NULL,
			"medium/medium: deadlock: 2 of 3 threads wait for locks that nothing "
			"releases, for 30 s, in job (app.py:3)" },
		{ "deadlock", wants_python, 0, NULL, "fine: 0 threads wait" },
		{ "deadlock", waits_for_queue, 0, NULL, "medium/medium: |in job (app.py:3)" },
		{ "deadlock", waits_for_queue, 1, NULL, "fine: 0 threads wait" },
		{ "deadlock", is_alone, 1, NULL,
			"medium/medium: deadlock: its only thread waits for a lock that no other" },
		{ "deadlock", is_alone, 0, NULL, "fine: 0 threads wait" },
		{ "deadlock", waits_on_condition, 0, NULL,
			"medium/medium: deadlock: its only thread waits on a condition|in job "
			"(app.py:3)|no other thread is left" },
		{ "deadlock", waits_on_condition, 1, NULL, "fine: 0 threads wait" },
		{ "deadlock", waits_for_event, 2, NULL,
			"medium/medium: deadlock: its only thread waits in Condition.wait, called "
			"by job (app.py:3), for 30 s: no other thread is left, and it handles no "
			"signal but SIGINT" },
		{ "deadlock", waits_for_event, 2 + (1 << 14), NULL, "fine: 0 threads wait" },
		{ "deadlock", waits_for_event, -1, NULL, "fine: 0 threads wait" },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deadlock),
		cmocka_unit_test(test_waits_without_end),
		cmocka_unit_test(test_pool_stuck),
		cmocka_unit_test(test_debugger_awaited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
