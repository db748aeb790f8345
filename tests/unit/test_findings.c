/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Judging made-up processes: the whole way from records to what people and programs are told;
 * who is judged; texts that a target chose; records that no honest writer makes.
 */
#include "shown.h"

#include <errno.h>

#include "analyze/diagnosis/diagnosis_options.h"
#include "base/units.h"
#include "probes/exit_reasons.h"
#include "probes/fds.h"
#include "probes/proc.h"
#include "probes/syscall_names.h"
#include "probes/waits.h"

#define PID	99
#define SAMPLES 6

static void add_source(const char *probe)
{
	struct stream_source s = { .record = { .time_ns = 1, .kind = STREAM_SOURCE } };
	struct record_tail tail[] = { { &s.probe, probe, strlen(probe) } };

	RECORD_APPEND(&records, &s, tail, 1);
}

static void add_target(const char *selector, uint32_t pid)
{
	struct stream_target t = { .record = { .time_ns = 1, .kind = STREAM_TARGET } };
	struct record_tail tail[] = { { &t.pids, &pid, pid ? sizeof(pid) : 0 },
		{ &t.selector, selector, strlen(selector) } };

	RECORD_APPEND(&records, &t, tail, 2);
}

static void add_process(uint64_t time_ns, uint32_t descriptors, const char *name)
{
	struct proc_process p = { .record = { .time_ns = time_ns,
					  .pid = PID,
					  .start_ticks = 1,
					  .kind = PROC_PROCESS },
		.ppid = 1,
		.descriptors = descriptors,
		.state = 'S',
		.threads = 1,
		.executable_state = SOOTH_STATE_VALUE };
	struct record_tail tail[] = { { &p.name, name, strlen(name) },
		{ &p.executable, "/bin/thing", 10 } };

	RECORD_APPEND(&records, &p, tail, 2);
}

/* Over so many seconds, with so many descriptors more at each. */
static void add_growing(uint32_t by, const char *name)
{
	struct stream_segment s = { .record = { .time_ns = 1, .kind = STREAM_SEGMENT },
		.ticks_per_s = 100,
		.realtime_offset_ns = (int64_t)(1700000000 * NS_PER_S) };

	RECORD_APPEND(&records, &s, NULL, 0);
	add_source("proc");
	add_target("host", PID);
	for (uint32_t i = 0; i < SAMPLES; i++)
		add_process((100 + i) * NS_PER_S, 10 + i * by, name);
}

static void test_found(void **state)
{
	const char *json;

	(void)state;
	add_growing(20, "leaky");
	json = show_view("diagnose", "findings", NULL, "json");
	assert_non_null(strstr(json, "\"id\": \"fd-leak\""));
	assert_non_null(strstr(json, "1 finding (1 high) in 1 of 1 process"));
	assert_non_null(strstr(json, "\"severity\": \"high\""));
	assert_non_null(strstr(json, "\"kind\": \"process\""));
	assert_non_null(strstr(json, "\"key\": \"fd-leak:99@1\""));
	assert_non_null(strstr(json, "\"value\": 20"));
	assert_non_null(strstr(json, "\"unit\": \"1/s\""));
	assert_non_null(strstr(json, "\"interval_ns\": 5000000000"));
	assert_non_null(strstr(json, "\"state\": \"raised\""));
	assert_non_null(strstr(json, "\"first_seen_utc_ns\": 1700000105000000000"));
	/* A probe that was not recorded is reported, not passed over. */
	assert_non_null(strstr(json, "this check needs the probe `fds`, which was not recorded"));
}

/* The leak stands before the limit that it reaches, though that is the more severe. */
static void test_causes_first(void **state)
{
	struct fds_process end = { .record = { .time_ns = 105 * NS_PER_S,
					   .pid = PID,
					   .start_ticks = 1,
					   .kind = FDS_PROCESS },
		.soft_limit = 112,
		.hard_limit = 112,
		.descriptors = 110 };
	struct check_settings settings;
	struct findings_options options = { .settings = &settings };
	const char *json, *leak, *limit;
	struct sooth_error err;

	(void)state;
	add_growing(20, "leaky");
	add_source("fds");
	RECORD_APPEND(&records, &end, NULL, 0);
	json = show_view("diagnose", "findings", NULL, "json");
	leak = strstr(json, "\"key\": \"fd-leak:99@1\"");
	limit = strstr(json, "\"key\": \"fd-limit-near:99@1\"");
	assert_non_null(leak);
	assert_non_null(limit);
	assert_true(leak < limit);
	assert_non_null(strstr(json, "2 findings (1 critical, 1 high) in 1 of 1 process"));
	assert_non_null(strstr(show_view("diagnose", "findings", NULL, "text"),
		"also fd-limit-near (critical): "));
	/* A cause that a user has called low stays behind. */
	check_settings_init(&settings);
	assert_int_equal(check_settings_set(&settings, "fd-leak=low", &err), 0);
	json = show_view("diagnose", "findings", &options, "json");
	assert_true(strstr(json, "\"key\": \"fd-leak:99@1\"") >
		    strstr(json, "\"key\": \"fd-limit-near:99@1\""));
}

/* A process, and its children of which there are more each second, each with its memory. */
static void add_family(uint64_t rss_step, uint32_t children_step)
{
	add_growing(0, "parent");
	for (uint32_t i = 0; i < SAMPLES; i++) {
		uint64_t time_ns = (100 + i) * NS_PER_S;

		for (uint32_t child = 0; child <= i * children_step; child++) {
			struct proc_process p = { .record = { .time_ns = time_ns,
							  .pid = child ? 1000 + child : PID,
							  .start_ticks = child ? 9000 + child : 1,
							  .kind = PROC_PROCESS },
				.ppid = child ? PID : 1,
				.rss_bytes = (uint64_t)(child ? 1 << 20 : 8 << 20) +
					     (child ? 0 : i * rss_step),
				.descriptors = 10,
				.state = 'S',
				.threads = 1 };
			struct record_tail tail[] = { { &p.name, "member", 6 } };

			RECORD_APPEND(&records, &p, tail, 1);
		}
	}
}

static void test_growing_memory(void **state)
{
	const char *json;

	(void)state;
	add_family(32 << 20, 0);
	json = show_view("diagnose", "findings", NULL, "json");
	assert_non_null(strstr(json, "\"id\": \"memory-growth\""));
	assert_non_null(strstr(json, "\"value\": 33554432"));
	assert_non_null(strstr(json, "sooth heap --leaks -d 30 -p 99 shows which code keeps"));
	assert_non_null(strstr(json, "\"name\": \"steadiness\""));
	assert_null(strstr(json, "process-flood:99@1"));
}

static void test_more_and_more_children(void **state)
{
	const char *json;

	(void)state;
	add_family(0, 8);
	json = show_view("diagnose", "findings", NULL, "json");
	assert_non_null(strstr(json, "process-flood:99@1"));
	assert_null(strstr(json, "memory-growth:99@1"));
}

static void test_fine(void **state)
{
	const char *json;

	(void)state;
	add_growing(0, "good");
	json = show_view("diagnose", "findings", NULL, "json");
	assert_null(strstr(json, "\"severity\": \"high\""));
	assert_non_null(strstr(json, "no problems found in what could be checked, in 1 process"));
	assert_non_null(strstr(json, "\"text\": \"10 descriptors, then 10\""));
}

static void test_for_people(void **state)
{
	const char *text;

	(void)state;
	add_growing(20, "leaky");
	text = show_verbose("diagnose", "findings");
	/* The cause first, then everything. */
	assert_true(!strncmp(text, "leaky 99: leaks descriptors", 27));
	assert_non_null(strstr(text, "leaky (pid 99)"));
	assert_non_null(strstr(text, "\n  high: fd-leak: leaks descriptors"));
	assert_non_null(strstr(text, "\n    growth: 20 a second over 5.00s\n"));
	/* Remedy behind the evidence, what is unseen behind all. */
	assert_true(strstr(text, "remedy:") > strstr(text, "growth:"));
	assert_true(strstr(text, "  not seen: fd-limit-near") > strstr(text, "remedy:"));
}

static void test_settings(void **state)
{
	struct check_settings settings;
	struct findings_reported result = { 0 };
	struct findings_options options = { .settings = &settings, .result = &result };
	struct sooth_error err;
	const char *json;

	(void)state;
	check_settings_init(&settings);
	assert_int_equal(check_settings_set(&settings, "fd-leak=low", &err), 0);
	add_growing(20, "leaky");
	json = show_view("diagnose", "findings", &options, "json");
	assert_non_null(strstr(json, "\"severity\": \"low\""));
	assert_true(result.has_any && result.worst == FINDING_LOW);
	result = (struct findings_reported){ 0 };
	assert_int_equal(check_settings_set(&settings, "fd-leak=off", &err), 0);
	json = show_view("diagnose", "findings", &options, "json");
	assert_null(strstr(json, "\"claim\""));
	assert_non_null(strstr(json, "\"muted\": 1"));
	assert_false(result.has_any);
	assert_int_equal(check_settings_set(&settings, "fd-leak=low", &err), 0);
	assert_int_equal(check_settings_set(&settings, "fd-leak.min-rate=21", &err), 0);
	json = show_view("diagnose", "findings", &options, "json");
	assert_null(strstr(json, "\"claim\""));
}

/* A name may hold anything; it comes out as text. */
static void test_hostile_name(void **state)
{
	const char *text;

	(void)state;
	add_growing(20, "\033[31m\nhost x\r");
	text = show_view("diagnose", "findings", NULL, "text");
	assert_null(strchr(text, '\033'));
	assert_null(strstr(text, "\nhost x"));
	show_view("diagnose", "findings", NULL, "json");
}

static void test_nobody_is_targeted(void **state)
{
	const char *text;

	(void)state;
	add_source("proc");
	add_target("host", 0);
	add_process(NS_PER_S, 10, "thing");
	add_process(2 * NS_PER_S, 10, "thing");
	text = show_view("diagnose", "findings", NULL, "text");
	assert_null(strstr(text, "pid 99"));
	assert_non_null(strstr(text, "no agents are running"));
	/* A capture that was cut, or holds no processes, tells nothing of who runs. */
	buffer_reset(&records);
	add_target("host", 0);
	text = show_view("diagnose", "findings", NULL, "text");
	assert_non_null(strstr(text, "no processes in the recording"));
	assert_null(strstr(text, "running"));
}

/* It ended before any reading of it: each view of the findings tells that, and measures nothing. */
static void test_gone_unread(void **state)
{
	static const char *const views[] = { "findings", "overview", "bundle" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		struct exit_reasons_end end = { .record = { .time_ns = 2 * NS_PER_S,
							.pid = PID,
							.start_ticks = 1,
							.kind = EXIT_REASONS_END },
			.name = "brief" };
		const char *json;

		add_source("proc");
		add_source("exit_reasons");
		add_target("host", PID);
		RECORD_APPEND(&records, &end, NULL, 0);
		json = show_view("diagnose", views[i], NULL, "json");
		assert_non_null(strstr(json, "\"pid\": 99"));
		assert_null(strstr(json, "\"rss_mb\": 0"));
		assert_null(strstr(json, "\"rss_bytes\": 0"));
	}
}

static void test_one_snapshot(void **state)
{
	const char *json;

	(void)state;
	add_source("proc");
	add_target("pid", PID);
	add_process(NS_PER_S, 10, "thing");
	json = show_view("diagnose", "findings", NULL, "json");
	assert_non_null(strstr(json, "this value needs two samples"));
	assert_null(strstr(json, "\"claim\""));
}

static void add_waits(const char *name, bool is_running)
{
	struct sooth_record head = {
		.time_ns = 2 * NS_PER_S, .pid = PID, .tid = PID, .start_ticks = 1
	};
	struct waits_process p = {
		.record = head, .node_start_ticks = 1, .node_pid = PID, .threads = 1, .state = 'S'
	};
	struct waits_thread t = { .record = head,
		.node_start_ticks = 1,
		.since_ns = 180 * NS_PER_S,
		.node_pid = PID,
		.syscall = (uint32_t)syscall_number(SYSCALL_ABI_X86_64, "wait4", 5),
		.state = is_running ? 'R' : 'S',
		.call_state = state_if(!is_running),
		.timeout_state = SOOTH_STATE_ABSENT };
	struct waits_party child = { .record = head,
		.node_start_ticks = 1,
		.node_pid = PID,
		.relation = WAITS_RELATION_CHILD,
		.party_pid = 7,
		.confidence = WAITS_HIGH,
		.is_alive = true };
	struct waits_snapshot end = { .record = head };
	struct record_tail process_tail[] = { tail_string(&p.name, name) };
	struct record_tail thread_tail[] = { tail_string(&t.name, name) };
	struct record_tail child_tail[] = { tail_string(&child.name, "sleep") };

	p.record.kind = WAITS_PROCESS;
	t.record.kind = WAITS_THREAD;
	child.record.kind = WAITS_PARTY;
	end.record.kind = WAITS_SNAPSHOT;
	add_source("waits");
	RECORD_APPEND(&records, &p, process_tail, 1);
	RECORD_APPEND(&records, &t, thread_tail, 1);
	if (!is_running)
		RECORD_APPEND(&records, &child, child_tail, 1);
	RECORD_APPEND(&records, &end, NULL, 0);
}

/* Its first thread joins the one that runs main(), which waits to be woken. */
static void add_jvm(void)
{
	struct sooth_record head = {
		.time_ns = 2 * NS_PER_S, .pid = PID, .tid = PID, .start_ticks = 1
	};
	struct waits_process p = {
		.record = head, .node_start_ticks = 1, .node_pid = PID, .threads = 2, .state = 'S'
	};
	struct waits_thread t = { .record = head,
		.node_start_ticks = 1,
		.since_ns = 180 * NS_PER_S,
		.node_pid = PID,
		.syscall = (uint32_t)syscall_number(SYSCALL_ABI_X86_64, "futex", 5),
		.arguments = { 0x1000, 128 },
		.state = 'S',
		.lock = WAITS_LOCK_JOIN,
		.timeout_state = SOOTH_STATE_ABSENT };
	struct waits_party joined = { .record = head,
		.node_start_ticks = 1,
		.party_start_ticks = 1,
		.node_pid = PID,
		.relation = WAITS_RELATION_THREAD,
		.party_pid = PID,
		.party_tid = PID + 1,
		.confidence = WAITS_HIGH,
		.is_alive = true,
		.waiting_fd = WAITS_NO_FD };
	struct waits_snapshot end = { .record = head };
	struct record_tail names[] = { tail_string(&p.name, "java") };
	struct record_tail thread_names[] = { tail_string(&t.name, "java") };
	struct record_tail party_names[] = { tail_string(&joined.name, "java") };

	p.record.kind = WAITS_PROCESS;
	t.record.kind = WAITS_THREAD;
	joined.record.kind = WAITS_PARTY;
	end.record.kind = WAITS_SNAPSHOT;
	add_source("waits");
	RECORD_APPEND(&records, &p, names, 1);
	RECORD_APPEND(&records, &t, thread_names, 1);
	RECORD_APPEND(&records, &joined, party_names, 1);
	t.record.tid = PID + 1;
	t.lock = WAITS_LOCK_SIGNAL;
	RECORD_APPEND(&records, &t, thread_names, 1);
	RECORD_APPEND(&records, &end, NULL, 0);
}

/* One of many processes may be left out: only the end of its snapshot is there. */
static void add_left_out(void)
{
	struct waits_snapshot end = {
		.record = { .time_ns = 2 * NS_PER_S, .pid = PID, .start_ticks = 1 },
		.processes_state = SOOTH_STATE_TRUNCATED
	};

	end.record.kind = WAITS_SNAPSHOT;
	add_source("waits");
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void add_two_samples(void)
{
	add_source("proc");
	add_target("pid", PID);
	add_process(NS_PER_S, 10, "thing");
	add_process(2 * NS_PER_S, 10, "thing");
}

/* The wait of a stuck process is the headline, and no finding; one that runs is as before. */
static void test_waits(void **state)
{
	(void)state;
	for (int is_running = 0; is_running < 2; is_running++) {
		buffer_reset(&records);
		add_two_samples();
		add_waits("thing", is_running);
		const char *text = show_view("diagnose", "findings", NULL, "text");

		assert_int_equal(is_running, !strstr(text, "thing (99) waits for its child sleep "
							   "(7), 3 min\n"));
		assert_int_equal(is_running, strstr(text, "thing 99: no problem found") != NULL);
		const char *json;
		json = show_view("diagnose", "findings", NULL, "json");
		assert_non_null(strstr(json, "\"waits_text\": \"thing (99) "));
		assert_null(strstr(json, "\"claim\""));
	}
	buffer_reset(&records);
	add_two_samples();
	assert_non_null(
		strstr(show_view("diagnose", "findings", NULL, "json"), "\"waits_text\": null"));
	add_left_out();
	assert_non_null(strstr(show_view("diagnose", "findings", NULL, "text"),
		"not looked at: what 1 process waits for (the time for it was used up)"));
	assert_non_null(strstr(show_view("diagnose", "findings", NULL, "json"),
		"\"waits_text\": \"not requested\""));
}

/* The first line alone, for a terminal while the diagnosis goes on. */
static void test_so_far(void **state)
{
	struct findings_so_far so_far = { .is_requested = true };
	struct findings_options options = { .so_far = &so_far };
	const char *text;

	(void)state;
	add_growing(20, "leaky");
	text = show_view("diagnose", "findings", &options, "text");
	assert_null(strstr(text, "leaky"));
	assert_null(strstr(text, "fine: "));
	assert_non_null(so_far.color);
	assert_ptr_equal(strstr(buffer_cstr(&so_far.line), "leaky 99: "), so_far.line.data);
	so_far.is_requested = false;
	text = show_view("diagnose", "findings", &options, "text");
	assert_ptr_equal(strstr(text, buffer_cstr(&so_far.line)), text);
	buffer_reset(&so_far.line);
	buffer_reset(&records);
	so_far.is_requested = true;
	add_growing(0, "idle");
	show_view("diagnose", "findings", &options, "text");
	assert_int_equal(so_far.line.size, 0);
	assert_null(so_far.color);
	buffer_fini(&so_far.line);
}

/* A command that shows more of a wait inside a JVM follows it. */
static void test_wait_inside(void **state)
{
	(void)state;
	add_two_samples();
	add_jvm();
	assert_non_null(strstr(show_view("diagnose", "findings", NULL, "text"),
		"java (99) waits inside the JVM, for work or for a lock of Java, 3 min\n  do: "
		"jstack 99 shows what each thread waits for\n"));
}

/* A process that ended before it was read has no values: claude-diagnose has no row for it. */
static void test_ended_unread(void **state)
{
	struct exit_reasons_end end = { .record = { .time_ns = NS_PER_S,
						.pid = PID,
						.start_ticks = 1,
						.kind = EXIT_REASONS_END } };
	const char *json;

	(void)state;
	add_source("proc");
	add_target("pid", PID);
	RECORD_APPEND(&records, &end, NULL, 0);
	json = show_view("claude-diagnose", "overview", NULL, "json");
	assert_true(has(json, "\"process_count\": 0"));
}

/* Named, but in no sample: then no answer about the host is one. */
static void test_named_unread(void **state)
{
	static const struct findings_options options = { .needs_process = true };
	struct sooth_report *r = report_into(&shown, "diagnose", "findings", &options, "text");
	struct stream_end end = { .record = { .time_ns = 5000000000, .kind = STREAM_END } };
	struct block block;
	struct sooth_error err;

	(void)state;
	add_source("proc");
	add_target("pid", PID);
	RECORD_APPEND(&records, &end, NULL, 0);
	block = block_of(&records, BLOCK_RECORDS, 0);
	assert_int_equal(report_block(r, &block, &err), 0);
	assert_int_equal(sooth_report_finish(r, &err), -ESRCH);
	assert_int_equal(err.fault, SOOTH_FAULT_NOT_FOUND);
	sooth_report_free(r);
	text_close(&shown);
	assert_null(strstr(shown.data, "no agents"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_found),
		TEST(test_causes_first),
		TEST(test_fine),
		TEST(test_for_people),
		TEST(test_settings),
		TEST(test_ended_unread),
		TEST(test_hostile_name),
		TEST(test_nobody_is_targeted),
		TEST(test_gone_unread),
		TEST(test_growing_memory),
		TEST(test_more_and_more_children),
		TEST(test_one_snapshot),
		TEST(test_so_far),
		TEST(test_waits),
		TEST(test_wait_inside),
		TEST(test_named_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
