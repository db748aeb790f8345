/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Findings about the use of CPU time: gc-pressure by functions, hot-function, each on both sides of
 * its thresholds.
 */
#include "check_threads.h"

#include "probes/profile.h"
#include "probes/sockets.h"

#define SAMPLES 100

static const char *program = "/bin/thing"; /* the file of its functions */

static void put_frame(uint32_t number, const char *function, uint8_t kind)
{
	struct profile_frame f = { .record = head_of(LOOKS, 0, PROFILE_FRAME),
		.frame = number,
		.frame_kind = kind,
		.begin = 0x1200,
		.function_state =
			function ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED),
		.build_id_state = SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { put_text(&f.function, function),
		put_text(&f.file, kind == PROFILE_KERNEL ? "" : program) };

	RECORD_APPEND(&records, &f, tail, 2);
}

static void put_stack(uint32_t number, const uint32_t *frames, size_t count)
{
	struct profile_stack d = {
		.record = head_of(LOOKS, 0, PROFILE_STACK), .stack = number, .end = PROFILE_WHOLE
	};
	struct record_tail tail[] = { { &d.frames, frames, count * sizeof(*frames) } };

	RECORD_APPEND(&records, &d, tail, 1);
}

static void put_samples(uint32_t stack, int count)
{
	struct profile_sample s = { .record = head_of(LOOKS - 1, PID, PROFILE_SAMPLE),
		.stack = stack,
		.period_ns = 10000000,
		.process = "thing",
		.thread = "thing" };

	s.record.tid = PID;
	for (int i = 0; i < count; i++)
		RECORD_APPEND(&records, &s, NULL, 0);
}

/* It uses so much CPU, and so many of its SAMPLES have the function on top, or below the kernel. */
static void spends_as(
	const char *name, double cpu, const char *function, int samples, bool is_in_kernel)
{
	static const uint32_t first[] = { 2, 1 }, second[] = { 3, 1 }, third[] = { 5, 1 },
			      kernel[] = { 4, 2, 1 };

	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .descriptors = 10 }, name);
		all_reported(i);
	}
	/* It waits too often for cpu-spin. */
	thread((struct thread_made){
		.name = "thing", .cpu = cpu, .voluntary = 100, .running = LOOKS });
	threads_read(1);
	add_source("profile");
	put_stack(1, is_in_kernel ? kernel : first, is_in_kernel ? 3 : 2);
	put_stack(2, second, 2);
	put_stack(3, third, 2);
	put_frame(1, "main", PROFILE_USER);
	put_frame(2, function, PROFILE_USER);
	put_frame(3, "other", PROFILE_USER);
	put_frame(4, "tcp_sendmsg", PROFILE_KERNEL);
	put_frame(5, "third", PROFILE_USER);
	put_samples(1, samples);
	put_samples(2, (SAMPLES - samples) / 2);
	put_samples(3, SAMPLES - samples - (SAMPLES - samples) / 2);
}

static void spends(const char *function, int samples)
{
	spends_as("thing", 90, function, samples, false);
}

static void listens(void)
{
	struct sockets_socket s = { .record = head_of(LOOKS - 1, PID, SOCKETS_SOCKET),
		.state = SOCKETS_LISTEN };
	struct sockets_process end = { .record = head_of(LOOKS - 1, PID, SOCKETS_PROCESS),
		.sockets = 1 };
	struct record_tail none[] = { put_text(&s.protocol, "tcp") };

	RECORD_APPEND(&records, &s, none, 1);
	RECORD_APPEND(&records, &end, NULL, 0);
}

/* --- gc-pressure --- */

static void marks(double samples)
{
	spends("v8::internal::MarkCompactCollector::Mark", (int)samples);
}

static void marks_with(double cpu)
{
	spends_as("thing", cpu, "runtime.gcDrain", 90, false);
}

static void marks_named(double is_long)
{
	spends(is_long ? "v8::internal::MarkCompactCollector::"
			 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		       : "v8::internal::MarkCompactCollector<v8::Node, 4, "
			 "v8::internal::MachineType>"
			 "::Mark<v8::internal::MachineType>",
		90);
}

static void collects_python(double samples)
{
	spends("gc_collect_main", (int)samples);
}

/* --- hot-function --- */

static void is_in_one(double samples)
{
	spends("scan", (int)samples);
	listens();
}

static void is_in_one_of_php(double is_php)
{
	spends_as(is_php > 0 ? "php-fpm8.2" : "thing", 90, "zend_compare", 90, false);
	listens();
}

/* One function of many that a script of Redis has in its stacks. */
static void is_in_script(double samples)
{
	program = "/usr/bin/redis-server";
	spends("scriptCall", (int)samples);
	listens();
	program = "/bin/thing";
}

static void is_in_one_and_listens(double does)
{
	spends("scan", 90);
	if (does)
		listens();
}

static void is_in_one_in_kernel(double is_in_kernel)
{
	spends_as("thing", 90, "write", 90, is_in_kernel);
	listens();
}

static void is_in_interpreter(double is_one)
{
	spends(is_one ? "_PyEval_EvalFrameDefault" : "_PyEval_Other", 90);
	listens();
}

static void is_in_one_with(double cpu)
{
	spends_as("thing", cpu, "scan", 90, false);
	listens();
}

static void test_gc_pressure(void **state)
{
	static const struct check_case cases[] = {
		{ "gc-pressure", marks, 50, NULL,
			"medium/medium: spends 50 % of its CPU time in garbage collection; in main "
			"(thing) [CPU: 90 "
			"% over 5.00s] [garbage collection: 50 % of 100 samples] [most of it in: "
			"v8::internal::MarkCompactCollector::Mark]|--max-old-space-size" },
		{ "gc-pressure", marks, 49, NULL, "fine: no thread with the name of a garbage" },
		{ "gc-pressure", marks_with, 50, NULL, "medium/|GOGC" },
		{ "gc-pressure", marks_with, 49, NULL, "fine: " },
		{ "gc-pressure", marks_named, 0, NULL,
			"|in v8::internal::MarkCompactCollector... (thing) [CPU" },
		{ "gc-pressure", marks_named, 1, NULL,
			"|in v8::internal::MarkCompactCollector::xxxxxxxxxxxxxxxxxxxxxxxxxxxx... "
			"(thing) "
			"[CPU" },
		{ "gc-pressure", collects_python, 60, NULL, "medium/|gc.freeze()" },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_hot_function(void **state)
{
	static const struct check_case cases[] = {
		{ "hot-function", is_in_one, 50, NULL, "low/medium: " },
		{ "hot-function", is_in_one, 49, NULL, "fine: hottest function: 49 %" },
		{ "hot-function", is_in_one_of_php, 1, NULL,
			"|in one function: zend_compare (thing) (compares values, as in_array, "
			"array_search and sort do), PHP code [CPU" },
		{ "hot-function", is_in_one_of_php, 0, NULL,
			"|in one function: zend_compare (thing) (compares values, as in_array, "
			"array_search and sort do) [CPU" },
		{ "hot-function", is_in_one, 60, NULL,
			"low/medium: spends 60 % of its CPU time in one function: scan (thing) "
			"[CPU: 90 % over 5.00s] [function: scan (thing): 60 % of 100 samples] "
			"[common caller: main (thing): on 100 % of 100 whole stacks] [next hottest "
			"functions: other (thing): 20 %, third (thing): 20 %]|<sooth profile "
			"--tree 99 shows its "
			"callers>" },
		{ "hot-function", is_in_script, 50, NULL,
			"low/medium: spends 50 % of its CPU time in a Lua script: while it "
			"runs, all other clients wait, or get the error BUSY [CPU: 90 % over "
			"5.00s] [samples in it: 50 of 100]|<redis-cli SLOWLOG GET 5 shows" },
		{ "hot-function", is_in_script, 49, NULL, "fine: hottest function: 49 %" },
		{ "hot-function", is_in_one_and_listens, 1, NULL, "low/medium: " },
		{ "hot-function", is_in_one_and_listens, 0, NULL, "fine: a command that computes" },
		{ "hot-function", is_in_one_in_kernel, 0, NULL, "low/medium: " },
		{ "hot-function", is_in_one_in_kernel, 1, NULL, "fine: hottest function: 0 %" },
		{ "hot-function", is_in_interpreter, 0, NULL, "low/medium: " },
		{ "hot-function", is_in_interpreter, 1, NULL, "fine: hottest function: 90 %" },
		{ "hot-function", is_in_one_with, 50, NULL, "low/medium: " },
		{ "hot-function", is_in_one_with, 49, NULL, "fine: uses 49 % of a CPU" },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gc_pressure),
		cmocka_unit_test(test_hot_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
