/* SPDX-License-Identifier: BSD-2-Clause */
/* The wait of a thread, by its call; and what its history keeps of that, also of shorter records
 * of older captures. */
#include "support.h"

#include <linux/futex.h>

#include "analyze/threads/thread_history.h"
#include "probes/syscall_names.h"

#define PERMISSION SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)

static struct threads_thread in_call(
	const char *name, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	int32_t number = syscall_number(SYSCALL_ABI_X86_64, name, strlen(name));

	assert_true(number >= 0);
	return (struct threads_thread){ .state = 'S',
		.syscall = (uint32_t)number,
		.abi = SYSCALL_ABI_X86_64,
		.arguments = { a, b, c, d, e } };
}

static struct thread_waiting wait_of(
	const char *name, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	struct threads_thread t = in_call(name, a, b, c, d, e);

	return thread_waiting_of(&t, true);
}

/* --- one call --- */

static void test_futex(void **state)
{
	struct thread_waiting w = wait_of("futex", 0x7000, FUTEX_WAIT_PRIVATE, 2, 0, 0);

	(void)state;
	assert_true(w.what == THREAD_WAIT_LOCK && w.is_mutex);
	assert_false(w.has_timeout || w.is_of_others);
	assert_int_equal(w.address, 0x7000);
	w = wait_of("futex", 0x7000, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, 0x10, 0);
	assert_true(w.has_timeout && w.is_of_others);
	assert_false(w.is_mutex);
	assert_true(wait_of("futex", 0, FUTEX_LOCK_PI_PRIVATE, 0, 0, 0).is_mutex);
	assert_true(wait_of("futex_waitv", 0x7000, 2, 0, 0x10, 1).is_of_others);
}

static void test_timeouts(void **state)
{
	struct thread_waiting w = wait_of("epoll_wait", 5, 0x10, 64, 20, 0);

	(void)state;
	assert_true(w.what == THREAD_WAIT_READY && w.has_timeout && w.timeout_ms == 20);
	w = wait_of("epoll_wait", 5, 0x10, 64, UINT32_MAX, 0);
	assert_true(w.what == THREAD_WAIT_READY && !w.has_timeout && !w.timeout_ms);
	/* -1 as a caller of 64 bits may leave it. */
	assert_false(wait_of("epoll_pwait", 5, 0x10, 64, UINT64_MAX, 0).has_timeout);
	w = wait_of("epoll_pwait2", 5, 0x10, 64, 0x20, 0);
	assert_true(w.has_timeout && !w.timeout_ms);
	/* A poll of no descriptor is a way to sleep. */
	w = wait_of("poll", 0, 0, 7, 0, 0);
	assert_true(w.what == THREAD_WAIT_TIME && w.timeout_ms == 7);
	assert_int_equal(wait_of("select", 0, 0, 0, 0, 0x10).what, THREAD_WAIT_TIME);
	assert_int_equal(wait_of("select", 4, 0x10, 0, 0, 0x10).what, THREAD_WAIT_READY);
	assert_true(wait_of("clock_nanosleep", 0, 0, 0x10, 0, 0).has_timeout);
}

static void test_others(void **state)
{
	struct threads_thread t = in_call("read", 7, 0, 0, 0, 0);

	(void)state;
	assert_int_equal(wait_of("read", 7, 0, 0, 0, 0).descriptor, 7);
	assert_int_equal(wait_of("wait4", 7, 0, 0, 0, 0).what, THREAD_WAIT_CHILD);
	assert_int_equal(wait_of("wait4", 7, 0, 0, 0, 0).descriptor, THREAD_WAIT_NO_FD);
	assert_int_equal(wait_of("vfork", 0, 0, 0, 0, 0).what, THREAD_WAIT_SPAWN);
	assert_int_equal(wait_of("openat", 7, 0, 0, 0, 0).what, THREAD_WAIT_OTHER);
	t.state = 'R';
	assert_int_equal(thread_waiting_of(&t, true).what, THREAD_WAIT_NOTHING);
	t.state = 'S';
	t.syscall_state = PERMISSION;
	assert_int_equal(thread_waiting_of(&t, true).what, THREAD_WAIT_UNKNOWN);
	t.syscall_state = SOOTH_STATE_VALUE;
	t.syscall = 100000;
	assert_int_equal(thread_waiting_of(&t, true).what, THREAD_WAIT_OTHER);
}

/* --- over readings --- */

static struct buffer records;

static void add(struct threads_thread t, uint64_t time_ns, bool is_old)
{
	struct record_tail tail[] = { { &t.name, "main", 4 }, { &t.wait_channel, NULL, 0 } };
	struct sooth_record *r;
	size_t at = records.size;

	t.record = (struct sooth_record){
		.time_ns = time_ns, .start_ticks = 5, .pid = 10, .tid = 10, .kind = THREADS_THREAD
	};
	t.thread_start_ticks = 5;
	RECORD_APPEND(&records, &t, tail, 2);
	if (!is_old)
		return;
	/* As an older writer made it: without tail here, its fixed part shorter. */
	r = (void *)(records.data + at);
	r->words = r->fixed_words = THREADS_THREAD_LEAST / SOOTH_RECORD_WORD;
	records.size = at + THREADS_THREAD_LEAST;
}

static void end_snapshot(uint64_t time_ns)
{
	struct threads_process p = { .record = { .time_ns = time_ns,
					     .start_ticks = 5,
					     .pid = 10,
					     .kind = THREADS_PROCESS },
		.threads = 1 };

	RECORD_APPEND(&records, &p, NULL, 0);
}

static const struct thread_history *history(struct thread_histories *h)
{
	const struct process_id id = { .start_ticks = 5, .pid = 10 };
	struct batch all = { records.data, records.size };
	size_t position = 0;

	thread_histories_init(h);
	batch_for_each (r, &all)
		thread_histories_add_record(h, r);
	return thread_histories_next(h, &id, &position);
}

static void add_snapshots(bool is_old)
{
	struct threads_thread t = in_call("epoll_wait", 5, 0x10, 64, 10, 0);

	buffer_reset(&records);
	for (unsigned i = 0; i < 3; i++) {
		t.cpu_ns = i * 500000000ull;
		t.waited_ns = i * 250000000ull;
		t.system_ns = i * 100000000ull;
		t.faults = i * 7;
		t.major_faults = i * 3;
		t.read_bytes = i * 3000;
		t.written_bytes = i * 1000;
		t.reads = t.writes = i;
		t.involuntary_switches = i * 10000;
		add(t, 1 + i * 1000000000ull, is_old);
		end_snapshot(2 + i * 1000000000ull);
	}
}

static void test_history(void **state)
{
	struct thread_histories h;
	const struct thread_history *t;

	(void)state;
	add_snapshots(false);
	t = history(&h);
	assert_non_null(t);
	assert_true(t->met == 3 && t->waits[THREAD_WAIT_READY] == 3 && t->with_timeout == 3);
	assert_int_equal(t->short_timeouts, 3);
	assert_true(t->short_timeouts_hz == 300 && !t->bare);
	assert_true(thread_history_cpu(t) == 50 && thread_history_demand(t) == 75);
	assert_true(thread_history_system(t) == 20);
	assert_true(thread_history_faults(t) == 7 && thread_history_major_faults(t) == 3);
	assert_true(thread_history_moved_bytes(t) == 4000 && thread_history_io_calls(t) == 2);
	assert_true(thread_history_bucket(t) == 50000);
	thread_histories_fini(&h);
}

/* Values that such a record does not have are not measured, and none of them is 0. */
static void test_old_record(void **state)
{
	struct thread_histories h;
	const struct thread_history *t;

	(void)state;
	add_snapshots(true);
	t = history(&h);
	assert_non_null(t);
	assert_true(t->met == 3 && t->bare == 3 && !t->with_timeout);
	assert_int_equal(t->waits[THREAD_WAIT_READY], 3);
	assert_int_equal(t->waiting.descriptor, THREAD_WAIT_NO_FD);
	assert_true(thread_history_demand(t) == 75);
	assert_true(thread_history_system(t) < 0 && thread_history_faults(t) < 0);
	assert_true(thread_history_major_faults(t) < 0);
	assert_true(thread_history_moved_bytes(t) < 0 && thread_history_io_calls(t) < 0);
	thread_histories_fini(&h);
}

static void test_next_interval(void **state)
{
	struct thread_histories h;
	const struct thread_history *t;
	const struct process_id id = { .start_ticks = 5, .pid = 10 };
	size_t position = 0;

	(void)state;
	add_snapshots(false);
	history(&h);
	thread_histories_next_interval(&h);
	t = thread_histories_next(&h, &id, &position);
	assert_non_null(t);
	assert_true(!t->met && !t->waits[THREAD_WAIT_READY] && t->input == 1);
	assert_true(thread_history_moved_bytes(t) < 0);
	thread_histories_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_futex),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_old_record),
		cmocka_unit_test(test_next_interval),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buffer_fini(&records);
	return failed;
}
