/* SPDX-License-Identifier: BSD-2-Clause */
/* queue-starved, by made-up threads of Python: each differs from its healthy twin in one
 * value. */
#include "call_records.h"
#include "check_stacks.h"
#include "check_threads.h"

#include "probes/waits.h"

#define PRIVATE 128

struct beside {
	double wakes;	  /* a second, of the other thread */
	const char *call; /* that the other thread made meanwhile */
	int has_path;
	const char *by; /* the main thread waits in */
	double waited_s;
};

static void put_waits_of(uint32_t tid, const char *call, uint64_t since_ns, bool runs, double s)
{
	bool sleeps = !strcmp(call, "clock_nanosleep");
	struct waits_thread w = { .record = head_of(s, PID, WAITS_THREAD),
		.node_pid = PID,
		.switches = runs ? (uint64_t)s : 1,
		.since_ns = since_ns,
		.arguments = { 64, PRIVATE },
		.lock = sleeps || !strcmp(call, "ppoll") ? WAITS_LOCK_NONE : WAITS_LOCK_PLAIN,
		.state = 'S',
		.timeout_state = sleeps ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };

	w.syscall = call_number(call);
	w.abi = SYSCALL_ABI_X86_64;
	w.record.tid = tid;
	RECORD_APPEND(&records, &w, NULL, 0);
}

static void put_snapshot(const struct beside *b, double s)
{
	struct waits_process p = { .record = head_of(s, PID, WAITS_PROCESS),
		.node_pid = PID,
		.threads = 2,
		.state = 'S' };
	struct waits_snapshot end = { .record = head_of(s, PID, WAITS_SNAPSHOT) };

	put_waits_of(PID, "futex", (uint64_t)(b->waited_s * (double)NS_PER_S), false, s);
	put_waits_of(200, "clock_nanosleep", NS_PER_S / 2, b->wakes > 0, s);
	RECORD_APPEND(&records, &p, NULL, 0);
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void put_call(const struct beside *b)
{
	struct syscalls_call call = {
		.record = head_of(1, PID, SYSCALLS_CALL), .duration_ns = 300, .name = "worker"
	};
	const struct sooth_record *made;

	call.record.tid = 200;
	if (b->has_path)
		piece(0, "/a", 2);
	made = make_call(&call, b->call);
	buffer_append(&records, made, record_bytes(made));
}

static void has_threads(const struct beside *b)
{
	const char *const python[] = { "PyThread_acquire_lock_timed libpython3.11.so",
		"lock_acquire", "(Condition.wait threading.py:327)", b->by, "(collect app.py:3)" };
	struct stacks_thread t = { .record = head_of(0, PID, STACKS_THREAD), .stack = 1 };
	struct stacks_snapshot end = { .record = head_of(0, PID, STACKS_SNAPSHOT), .threads = 1 };

	add_source("syscalls");
	is_there();
	add_source("waits");
	add_source("stacks");
	thread((struct thread_made){ .call = "futex" });
	thread((struct thread_made){
		.tid = 200, .call = "clock_nanosleep", .voluntary = b->wakes });
	threads_read(2);
	put_snapshot(b, 0);
	t.record.tid = PID;
	RECORD_APPEND(&records, &t, NULL, 0);
	RECORD_APPEND(&records, &end, NULL, 0);
	put_call(b);
	put_snapshot(b, LOOKS - 1);
	frames = 0;
	put_stack(1, python, ARRAY_SIZE(python));
}

#define GET	 "(Queue.get queue.py:171)"
#define ORDINARY .call = "clock_nanosleep", .by = GET, .waited_s = 12

static void waits_for(double waited_s)
{
	const struct beside b = {
		.wakes = 1, .call = "clock_nanosleep", .by = GET, .waited_s = waited_s
	};

	has_threads(&b);
}

static void wakes(double times_in_all)
{
	const struct beside b = { ORDINARY, .wakes = times_in_all / 12 };

	has_threads(&b);
}

static void looks_at_file(double looks)
{
	const struct beside b = { .wakes = 1,
		.call = looks > 0 ? "stat" : "clock_nanosleep",
		.has_path = looks > 0,
		.by = GET,
		.waited_s = 12 };

	has_threads(&b);
}

static void waits_by(const char *by)
{
	const struct beside b = { .wakes = 1, .call = "clock_nanosleep", .by = by, .waited_s = 12 };

	has_threads(&b);
}

static void joins_queue(double is_queue)
{
	waits_by(is_queue > 0 ? "(Queue.join queue.py:89)" : "(Thread.join threading.py:1112)");
}

static void test_queue_starved(void **state)
{
	static const struct check_case cases[] = {
		{ "queue-starved", waits_for, 12, NULL,
			"low/low: its main thread has waited in Queue.get, called by collect "
			"(app.py:3), for 12 s, and the only other thread just sleeps" },
		{ "queue-starved", waits_for, 8, NULL, "low/low: " },
		{ "queue-starved", waits_for, 7.9, NULL, "blind: " },
		{ "queue-starved", wakes, 5, NULL, "low/low: " },
		{ "queue-starved", wakes, 2.5, NULL, "fine: another thread sleeps" },
		{ "queue-starved", looks_at_file, 0, NULL, "low/low: " },
		{ "queue-starved", looks_at_file, 1, NULL, "fine: one of its threads runs" },
		{ "queue-starved", joins_queue, 1, NULL,
			"medium/medium: its main thread has waited in Queue.join|task_done" },
		{ "queue-starved", joins_queue, 0, NULL, "fine: its main thread does not wait" },
	};

	(void)state;
	TRY_CASES(cases);
	call_records_fini();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_queue_starved) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
