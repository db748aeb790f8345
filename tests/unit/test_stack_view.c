/* SPDX-License-Identifier: BSD-2-Clause */
/* The view of stacks: threads with the same stack together, the one that matters first, stacks that
 * were cut or not read. */
#include "shown.h"

#include "analyze/stacks/stacks.h"
#include "probes/stacks.h"
#include "probes/waits.h"

static void put_frame(uint32_t number, const char *function, uint8_t kind)
{
	struct profile_frame f = { .record = { .time_ns = 1, .kind = STACKS_FRAME },
		.frame = number,
		.frame_kind = kind,
		.offset = 0x1000 + number,
		.function_state = SOOTH_STATE_VALUE,
		.build_id_state = SOOTH_STATE_ABSENT };
	const char *file = kind == PROFILE_SCRIPT ? "/srv/app.py:7" : "/bin/demo";
	struct record_tail tail[] = {
		{ &f.function, function, strlen(function) },
		{ &f.file, file, strlen(file) },
	};

	RECORD_APPEND(&records, &f, tail, 2);
}

static void put_stack(uint32_t number, enum profile_end end, const uint32_t *frames, size_t count)
{
	struct profile_stack d = { .record = { .time_ns = 1, .kind = STACKS_STACK },
		.stack = number,
		.end = (uint8_t)end };
	struct record_tail tail[] = { { &d.frames, frames, count * sizeof(*frames) } };

	RECORD_APPEND(&records, &d, tail, 1);
}

static void put_thread(uint32_t tid, const char *name, char letter, uint32_t stack)
{
	struct stacks_thread t = { .record = { .time_ns = 2,
					   .start_ticks = 7,
					   .pid = 10,
					   .tid = tid,
					   .kind = STACKS_THREAD },
		.stack = stack,
		.stack_state =
			stack ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED),
		.state = letter,
		.call_state = SOOTH_STATE_ABSENT,
		.process = "demo" };
	const char *channel = letter == 'S' ? "futex_do_wait" : "";
	struct record_tail tail[] = { { &t.wait_channel, channel, strlen(channel) } };

	t.channel_state = state_if(channel[0]);
	strcpy(t.thread, name);
	RECORD_APPEND(&records, &t, tail, 1);
}

static void put_end(uint32_t threads, uint8_t state)
{
	struct stacks_snapshot end = {
		.record = { .time_ns = 3, .start_ticks = 7, .pid = 10, .kind = STACKS_SNAPSHOT },
		.threads = threads,
		.threads_state = state
	};

	RECORD_APPEND(&records, &end, NULL, 0);
}

/* 1: kernel, wait, main; 2: kernel, work, deeper 30 times, main; 3: cut above work */
static void put_all(void)
{
	static const uint32_t first[] = { 9, 1, 5 }, third[] = { 2 };
	uint32_t second[33] = { 9, 2 };

	for (size_t i = 2; i < 32; i++)
		second[i] = 3;
	second[32] = 5;
	put_stack(1, PROFILE_WHOLE, first, 3);
	put_stack(2, PROFILE_WHOLE, second, 33);
	put_stack(3, PROFILE_NO_ROW, third, 1);
	put_thread(10, "demo", 'S', 1);
	for (uint32_t tid = 11; tid < 16; tid++)
		put_thread(tid, "worker", 'S', 1 + (tid > 11));
	put_thread(20, "busy", 'R', 3);
	put_thread(21, "unread", 'R', 0);
	put_end(8, SOOTH_STATE_VALUE);
	put_frame(1, "wait", PROFILE_USER);
	put_frame(2, "work", PROFILE_USER);
	put_frame(3, "deeper", PROFILE_SCRIPT);
	put_frame(5, "main", PROFILE_USER);
	put_frame(9, "do_futex", PROFILE_KERNEL);
}

static void test_text(void **state)
{
	const char *text, *busy, *main_thread, *workers;

	(void)state;
	put_all();
	text = show_view("stack", "stacks", NULL, "text");
	assert_true(has(text, "demo (10): 8 threads\n"));
	busy = strstr(text,
		"  thread runnable: busy (20)\n    work  demo:0x1002\n"
		"    [the rest is missing: no unwind information and no frame pointer]\n");
	main_thread = strstr(text, "  2 threads waiting in futex_do_wait: demo (10), worker (11)\n"
				   "    wait  demo:0x1001\n    main  demo:0x1005\n");
	workers = strstr(text,
		"  4 threads waiting in futex_do_wait: worker (12, 13, 14) and 1 more\n"
		"    work  demo:0x1002\n    deeper  app.py:7\n");
	assert_non_null(busy);
	assert_non_null(main_thread);
	assert_non_null(workers);
	assert_true(busy < main_thread && main_thread < workers);
	assert_true(has(text, "    ... 12 frames (-v shows all)\n    deeper  app.py:7\n"));
	assert_true(has(text, "thread runnable: unread (21)\n    ["));
	assert_true(
		has(text, "[not measured: it runs, and registers of running threads need eBPF]"));
	assert_false(has(text, "do_futex"));
}

static void test_json(void **state)
{
	const char *text;

	(void)state;
	put_all();
	text = show_view("stack", "stacks", NULL, "json");
	assert_true(has(text, "\"function\": \"do_futex\""));
	assert_true(has(text, "\"end\": \"no unwind information and no frame pointer\""));
	assert_true(has(text, "\"stack_frames\": null"));
	assert_false(has(text, "-v shows"));
}

static void test_one_thread(void **state)
{
	struct stacks_options one = { .tid = 20 }, none = { .tid = 99 };
	const char *text;

	(void)state;
	put_all();
	text = show_view("stack", "stacks", &one, "text");
	assert_true(has(text, "busy (20)"));
	assert_false(has(text, "worker"));
	assert_true(has(show_view("stack", "stacks", &none, "text"), "none of them is 99"));
}

/* A process that may not be read has a reason, and is never one without threads. */
static void test_refused(void **state)
{
	(void)state;
	put_end(0, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION));
	assert_true(has(show_view("stack", "stacks", NULL, "text"),
		"process 10: not measured: it belongs to another user, or may not be traced"));
}

static void put_goroutines(uint64_t count, bool is_main, const char *reason, const char *by,
	const char *at, const char *start)
{
	struct waits_goroutines w = {
		.record = { .time_ns = 2, .start_ticks = 7, .pid = 10, .kind = WAITS_GOROUTINES },
		.count = count,
		.node_pid = 10,
		.is_main = is_main,
		.state = reason ? WAITS_GOROUTINE_WAITS : WAITS_GOROUTINE_RUNS,
		.reason_state = state_if(reason != NULL),
		.longest_ns = 5000000000,
		.longest_state = state_if(count > 1)
	};
	struct record_tail tail[] = { tail_string(&w.reason, reason ? reason : ""),
		tail_string(&w.by, by), tail_string(&w.at, at), tail_string(&w.start, start) };

	RECORD_APPEND(&records, &w, tail, ARRAY_SIZE(tail));
}

static void put_waits_end(void)
{
	struct waits_snapshot end = {
		.record = { .time_ns = 3, .start_ticks = 7, .pid = 10, .kind = WAITS_SNAPSHOT }
	};

	RECORD_APPEND(&records, &end, NULL, 0);
}

/* Threads of a Go program wait in the scheduler; its goroutines say where the program is. */
static void test_goroutines(void **state)
{
	struct stacks_options one = { .tid = 20 };
	const char *text, *main_one, *locked, *thread;

	(void)state;
	put_all();
	put_goroutines(1, false, NULL, "", "main.work", "main.main.func2");
	put_goroutines(14, false, "semacquire", "sync.(*RWMutex).Lock", "main.(*store).Reset",
		"main.main.func1");
	put_goroutines(1, true, "chan receive", "", "main.main", "runtime.main");
	put_waits_end();
	text = show_view("stack", "stacks", NULL, "text");
	assert_true(has(text, "demo (10): 8 threads, 16 goroutines\n"));
	main_one = strstr(text, "  main goroutine waits for data from a channel in main.main\n");
	locked = strstr(text, "  14 goroutines wait for a read-write lock in main.(*store).Reset, "
			      "one for at least 5 s; began with main.main.func1\n");
	thread = strstr(text, "thread runnable: busy (20)");
	assert_non_null(main_one);
	assert_non_null(locked);
	assert_true(main_one < locked && locked < thread);
	assert_true(has(text, "  1 goroutine runs or could run in main.work; began with"));
	text = show_view("stack", "stacks", NULL, "json");
	assert_true(has(text, "\"by\": \"sync.(*RWMutex).Lock\""));
	assert_false(has(show_view("stack", "stacks", &one, "text"), "goroutine"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_text), TEST(test_json), TEST(test_one_thread),
		TEST(test_refused), TEST(test_goroutines) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
