/* SPDX-License-Identifier: BSD-2-Clause */
/* The output of the views processes, context and syscall-stream, and their own tables. */
#include "shown.h"

#include "analyze/processes/processes.h"
#include "base/units.h"
#include "explain/registry.h"
#include "probes/context.h"
#include "probes/exit_reasons.h"
#include "probes/proc.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"

static const char *show(const char *view, const void *options, const char *format)
{
	return show_view("test", view, options, format);
}

/* --- processes --- */

static void add_host(void)
{
	struct stream_segment s = { .record = { .time_ns = 1, .kind = STREAM_SEGMENT },
		.memory_bytes = 1000 << 20,
		.ticks_per_s = 100,
		.realtime_offset_ns = (int64_t)(1700000000 * NS_PER_S) };
	struct record_tail tail[] = { { &s.hostname, "host", 4 } };

	RECORD_APPEND(&records, &s, tail, 1);
}

struct sample {
	uint64_t time_ns, cpu_ns, rss_bytes;
	uint32_t pid;
	uint8_t executable_state;
	const char *executable, *arguments, *directory;
	size_t arguments_size;
};

static void add_sample(struct sample from)
{
	struct proc_process p = { .record = { .time_ns = from.time_ns,
					  .pid = from.pid,
					  .start_ticks = 100,
					  .kind = PROC_PROCESS },
		.cpu_ns = from.cpu_ns,
		.rss_bytes = from.rss_bytes,
		.state = 'R',
		.threads = 3,
		.executable_state = from.executable_state };
	const char *executable = from.executable ? from.executable : "/bin/other";
	const char *directory = from.directory ? from.directory : "/home/me/work";
	struct record_tail tail[] = {
		{ &p.name, "thread", 6 },
		{ &p.executable, executable, strlen(executable) },
		{ &p.arguments, from.arguments, from.arguments_size },
		{ &p.directory, directory, strlen(directory) },
	};

	RECORD_APPEND(&records, &p, tail, ARRAY_SIZE(tail));
}

static void add_snapshot(uint64_t time_ns, uint64_t from_ns)
{
	struct proc_snapshot s = { .record = { .time_ns = time_ns, .kind = PROC_SNAPSHOT },
		.from_ns = from_ns };

	RECORD_APPEND(&records, &s, NULL, 0);
}

static void test_cpu_over_an_interval(void **state)
{
	const char *json;

	(void)state;
	add_host();
	add_sample((struct sample){ .time_ns = 10 * NS_PER_S, .pid = 1, .cpu_ns = 5 * NS_PER_S });
	add_sample((struct sample){ .time_ns = 11 * NS_PER_S,
		.pid = 1,
		.cpu_ns = 5250 * NS_PER_MS,
		.rss_bytes = 100 << 20 });
	add_sample((struct sample){ .time_ns = 11 * NS_PER_S, .pid = 2, .cpu_ns = 9 * NS_PER_S });
	json = show("processes", NULL, "json");
	assert_true(has(json, "\"cpu_percent\": 25.0"));
	assert_true(has(json, "\"mem_percent\": 10.0"));
	/* One sample is no interval: never a lifetime average. */
	assert_true(has(json, "\"cpu_percent\": null"));
	assert_true(has(json, "\"cpu_percent\": \"this value needs two samples\""));
	assert_true(has(json, "\"process_count\": 2"));
	assert_true(has(json, "\"timestamp\": \"2023-11-14T22:13:31Z\""));
	assert_true(has(json, "\"elapsed_s\": 10"));
	assert_true(has(json, "\"rss_kb\": 102400"));
}

static void test_sorted(void **state)
{
	const char *json;

	(void)state;
	add_host();
	for (uint32_t pid = 1; pid <= 3; pid++) {
		add_sample((struct sample){ .time_ns = NS_PER_S, .pid = pid });
		add_sample((struct sample){ .time_ns = 2 * NS_PER_S,
			.pid = pid,
			.cpu_ns = pid == 2 ? NS_PER_S : 0,
			.rss_bytes = pid == 3 ? 99 : 1 });
	}
	json = show("processes", NULL, "json");
	assert_true(strstr(json, "\"pid\": 2,") < strstr(json, "\"pid\": 3,"));
	assert_true(strstr(json, "\"pid\": 3,") < strstr(json, "\"pid\": 1,"));
	assert_true(has(json, "\"totals\": {\n    \"processes\": 3,\n    \"cpu_percent\": 100.0"));
}

static void test_agents(void **state)
{
	static const char arguments[] =
		"claude\0--append-system-prompt\0Working in: sooth @pts/3\0-c";
	const struct processes_options only = { .shown = PROCESSES_AGENTS };
	const char *json;

	(void)state;
	add_host();
	add_sample((struct sample){ .time_ns = 1,
		.pid = 7,
		.arguments = arguments,
		.arguments_size = sizeof(arguments),
		.executable = "/home/me/.local/share/claude/versions/2.1.50" });
	add_sample((struct sample){
		.time_ns = 1, .pid = 8, .arguments = "vi\0claude", .arguments_size = 9 });
	json = show("processes", &only, "json");
	assert_true(has(json, "\"pid\": 7"));
	assert_false(has(json, "\"pid\": 8"));
	assert_true(has(json, "\"agent\": \"claude\""));
	assert_true(has(json, "\"version\": \"2.1.50\""));
	assert_true(has(json, "\"project\": \"sooth\""));
	json = show("processes", NULL, "json");
	assert_true(has(json, "\"pid\": 8"));
	assert_true(has(json, "\"process_count\": 2"));
}

/* A record that ends before the marks, as older captures have it: they are just missing. */
static void test_older_records(void **state)
{
	const char *json, path[] = "/home/me/.local/share/claude/versions/2.1.50";
	struct proc_process p = { .record = { .time_ns = 1, .pid = 7, .kind = PROC_PROCESS },
		.state = 'R' };
	struct record_tail tail[] = { { &p.executable, path, strlen(path) } };

	(void)state;
	add_host();
	record_append(&records, &p.record, PROC_PROCESS_LEAST, tail, 1);
	json = show("processes", NULL, "json");
	assert_true(has(json, "\"agent\": \"claude\""));
	assert_true(has(json, "\"version\": \"2.1.50\""));
}

/* The marks in the executable and its package come with the record. */
static void test_marks(void **state)
{
	static const char marks[] = ".bun PACKAGE_URL:\"@anthropic-ai/claude-code\"";
	struct proc_process p = { .record = { .time_ns = 1, .pid = 7, .kind = PROC_PROCESS },
		.state = 'R' };
	struct record_tail tail[] = { { &p.executable, "/tmp/x", 6 },
		{ &p.marks, marks, sizeof(marks) }, { &p.mark_version, "7.8.9", 5 } };
	const struct processes_options why = { .shown = PROCESSES_AGENTS, .columns = "pid,rule" };
	const char *json, *table;

	(void)state;
	add_host();
	RECORD_APPEND(&records, &p, tail, ARRAY_SIZE(tail));
	json = show("processes", NULL, "json");
	assert_true(has(json, "\"version\": \"7.8.9\""));
	table = show("processes", &why, "table");
	assert_true(has(table, "RULE"));
	assert_true(has(table, "the executable contains PACKAGE_URL"));
}

static void test_ended(void **state)
{
	const struct processes_options hide = { .hide_ended = true };
	const char *json;

	(void)state;
	add_host();
	add_sample((struct sample){ .time_ns = 10, .pid = 1 });
	add_sample((struct sample){ .time_ns = 10, .pid = 2 });
	add_snapshot(11, 9);
	add_sample((struct sample){ .time_ns = 20, .pid = 2 });
	add_snapshot(21, 19);
	json = show("processes", &hide, "json");
	assert_false(has(json, "\"pid\": 1,"));
	assert_true(has(json, "\"pid\": 2,"));
	json = show("processes", NULL, "json");
	assert_true(has(json, "\"pid\": 1,"));
}

static void test_no_agents(void **state)
{
	const struct processes_options only = { .shown = PROCESSES_AGENTS };

	(void)state;
	add_host();
	assert_true(has(show("processes", &only, "table"), "no processes were seen"));
	add_sample((struct sample){ .time_ns = 10 * NS_PER_S, .pid = 1 });
	assert_true(has(show("processes", &only, "table"), "no agents are running here"));
}

/* Without the host's facts it says what it does not know. */
static void test_without_segment(void **state)
{
	const char *json;

	(void)state;
	add_sample((struct sample){ .time_ns = 10,
		.pid = 1,
		.executable_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION) });
	json = show("processes", NULL, "json");
	assert_true(has(json, "\"mem_percent\": null"));
	assert_true(has(json, "\"executable\": \"permission denied\""));
}

/* --- context --- */

static void add_command(uint32_t pid, uint8_t command_state, const char *arguments, size_t size)
{
	struct context_command c = {
		.record = { .time_ns = 1, .pid = pid, .kind = CONTEXT_COMMAND },
		.arguments_state = command_state
	};
	struct record_tail tail[] = { { &c.arguments, arguments, size } };

	RECORD_APPEND(&records, &c, tail, 1);
}

static void add_mapping(uint32_t pid, uint64_t from, const char *build_id)
{
	struct context_mapping m = {
		.record = { .time_ns = 1, .pid = pid, .kind = CONTEXT_MAPPING },
		.from = from,
		.to = from + 4096
	};
	struct record_tail tail[] = { { &m.build_id, build_id, strlen(build_id) } };

	RECORD_APPEND(&records, &m, tail, 1);
}

static void add_thread(uint32_t pid, uint32_t tid)
{
	struct context_thread t = {
		.record = { .time_ns = 1, .pid = pid, .tid = tid, .kind = CONTEXT_THREAD }
	};

	RECORD_APPEND(&records, &t, NULL, 0);
}

/* Definitions are repeated in each segment: that makes nothing more. */
static void test_context(void **state)
{
	const char *json;

	(void)state;
	for (int i = 0; i < 3; i++) {
		add_command(5, 0, "tool\0-x", 7);
		add_thread(5, 5);
		add_thread(5, 6);
		add_thread(9, 9);
		add_mapping(5, 0x1000, "abcd");
		add_mapping(5, 0x2000, "");
		add_mapping(9, 0x1000, "");
	}
	json = show("context", NULL, "json");
	assert_true(has(json, "\"pid\": 5,\n      \"threads\": 2,\n      \"mapped_files\": 2,\n"
			      "      \"build_ids\": 1,\n      \"command\": \"tool -x\""));
	assert_true(has(json, "\"pid\": 9,\n      \"threads\": 1,\n      \"mapped_files\": 1,\n"
			      "      \"build_ids\": 0,\n      \"command\": null"));
	assert_false(has(json, "not_measured"));
}

/* That a command line could not be read is not the same as having none. */
static void test_context_states(void **state)
{
	const char *json;

	(void)state;
	add_command(5, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION), "", 0);
	add_command(6, SOOTH_STATE_TRUNCATED, "long", 4);
	add_command(7, SOOTH_STATE_ABSENT, "", 0);
	json = show("context", NULL, "json");
	assert_true(has(json, "\"command\": \"permission denied\""));
	assert_true(has(json, "\"command\": \"truncated\""));
	assert_true(has(json, "\"command\": \"long\""));
}

/* --- syscall-stream --- */

static void add_call(const char *name, struct syscalls_call c, const char *path)
{
	struct record_tail tail[] = { { &c.path, path, path ? strlen(path) : 0 } };

	c.record = (struct sooth_record){
		.time_ns = 12 * NS_PER_S, .pid = 50, .tid = 51, .kind = SYSCALLS_CALL
	};
	if (name)
		c.number = (uint32_t)syscall_number(c.abi, name, strlen(name));
	snprintf(c.name, sizeof(c.name), "worker");
	RECORD_APPEND(&records, &c, tail, 1);
}

static void test_calls(void **state)
{
	const char *text;

	(void)state;
	add_call("openat",
		(struct syscalls_call){ .arguments = { (uint64_t)-100, 1, 02, 0644 },
			.path_argument = 2,
			.result = -2,
			.duration_ns = 1500 },
		"/etc/\x1b[m");
	add_call("openat",
		(struct syscalls_call){ .arguments = { 0xffffff9c, 0xbeef },
			.path_argument = 2,
			.result = 3,
			.path_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED) },
		NULL);
	add_call("openat",
		(struct syscalls_call){
			.path_argument = 2, .result = 3, .path_state = SOOTH_STATE_TRUNCATED },
		"/long");
	add_call("exit_group",
		(struct syscalls_call){ .result_state = SOOTH_STATE_ABSENT, .result = -5 }, NULL);
	add_call(NULL, (struct syscalls_call){ .number = 9999, .arguments = { 1, 2, 3, 4, 5, 6 } },
		NULL);
	add_call("mmap", (struct syscalls_call){ .result = (int64_t)0x7f0000001000 }, NULL);
	text = show("syscall-stream", NULL, "table");
	assert_true(has(text, "12.000000 51 worker: openat(AT_FDCWD, \"/etc/\\x1b[m\", "));
	assert_true(has(text, " = -1 ENOENT (No such file or directory) <1.50us>\n"));
	assert_true(has(text, "openat(AT_FDCWD, 0xbeef (not readable), "));
	assert_true(has(text, "\"/long\"..., "));
	assert_true(has(text, "exit_group(0) = - <0ns>"));
	assert_true(has(text, "syscall_9999(0x1, 0x2, 0x3, 0x4, 0x5, 0x6) = 0 <"));
	assert_true(has(text, "mmap(NULL, "));
}

/* Nothing of a record is believed that points outside it. */
static void test_hostile_calls(void **state)
{
	struct syscalls_call *c;

	(void)state;
	add_call("openat", (struct syscalls_call){ .path_argument = 255 }, "x");
	add_call(
		"openat", (struct syscalls_call){ .path_argument = 2, .arguments = { 0, 1 } }, "x");
	c = (void *)(records.data + records.size / 2);
	c->path = (struct sooth_text){ UINT32_MAX - 3, 8 };
	assert_true(has(show("syscall-stream", NULL, "table"), "(not readable)"));
}

/* --- the tables of their rows --- */

static const struct sooth_schema *row_schemas[512];
static size_t row_schema_count;

static int spy_open(void *state, const struct sink_options *options, struct sooth_error *err)
{
	(void)state;
	(void)options;
	(void)err;
	return 0;
}

static int spy_section(void *state, const struct section *s, struct sooth_error *err)
{
	(void)state;
	(void)err;
	assert_true(row_schema_count < ARRAY_SIZE(row_schemas));
	row_schemas[row_schema_count++] = s->schema;
	for (const char *at = s->columns; at && *at;) {
		char name[64];
		size_t size = strcspn(at, ",");

		snprintf(name, sizeof(name), "%.*s", (int)size, at);
		if (!sooth_schema_field(s->schema, name))
			fail_msg("section %s names the column %s", s->name, name);
		at += size + (at[size] == ',');
	}
	return 0;
}

static int spy_rows(
	void *state, const struct section *s, const struct batch *batch, struct sooth_error *err)
{
	(void)state;
	(void)s;
	(void)err;
	assert_true(batch_check(batch) > 0);
	return 0;
}

static int spy_end(void *state, struct sooth_error *err)
{
	(void)state;
	(void)err;
	return 0;
}

static void spy_close(void *state)
{
	(void)state;
}

static const struct sink_type spy = { .name = "spy",
	.state_size = 1,
	.open = spy_open,
	.section = spy_section,
	.rows = spy_rows,
	.section_end = spy_section,
	.end = spy_end,
	.close = spy_close };

static void test_row_tables(void **state)
{
	struct sink_options options = { 0 };
	struct output *output;

	(void)state;
	assert_int_equal(output_new(&output, NULL), 0);
	assert_int_equal(output_add_sink(output, &spy, &options, NULL), 0);
	for (size_t i = 0; registry_stages[i]; i++) {
		const struct stage_type *type = registry_stages[i];
		void *stage = calloc(1, type->state_size);

		assert_int_equal(type->init(stage, output, NULL, NULL), 0);
		assert_int_equal(type->finish(stage, NULL), 0);
		assert_int_equal(output_close_section(output, NULL), 0);
		type->fini(stage);
		free(stage);
	}
	assert_true(row_schema_count > 8);
	for (size_t i = 0; i < row_schema_count; i++) {
		const struct sooth_schema *s = row_schemas[i];

		assert_int_equal(s->fixed_size % SOOTH_RECORD_WORD, 0);
		for (size_t k = 0; k < s->field_count; k++) {
			assert_true(s->fields[k].offset + s->fields[k].size <= s->fixed_size);
			assert_true(s->fields[k].state_offset < s->fixed_size);
			assert_true(s->fields[k].help && s->fields[k].help[0]);
			assert_ptr_equal(sooth_schema_field(s, s->fields[k].name), &s->fields[k]);
		}
	}
	output_free(output);
}

/* --- who had gone before anything was read of it --- */

static void test_gone_before_a_reading(void **state)
{
	const uint32_t asked = 9;
	struct stream_target target = { .record = { .kind = STREAM_TARGET } };
	struct exit_reasons_end end = {
		.record = { .time_ns = 5, .kind = EXIT_REASONS_END, .pid = 9, .start_ticks = 100 }
	};
	struct record_tail tail[] = { { &target.selector, "host", 4 },
		{ &target.pids, &asked, sizeof(asked) } };
	const char *json;

	(void)state;
	add_host();
	RECORD_APPEND(&records, &target, tail, ARRAY_SIZE(tail));
	RECORD_APPEND(&records, &end, NULL, 0);
	json = show("overview", NULL, "json");
	assert_true(strstr(json, "\"process_count\": 0") != NULL);
	assert_true(strstr(json, "\"ended_processes\": [") != NULL);
	json = show("bundle", NULL, "json");
	assert_true(strstr(json, "\"ended_processes\": [") != NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cpu_over_an_interval),
		TEST(test_sorted),
		TEST(test_agents),
		TEST(test_older_records),
		TEST(test_marks),
		TEST(test_ended),
		TEST(test_gone_before_a_reading),
		TEST(test_no_agents),
		TEST(test_without_segment),
		TEST(test_context),
		TEST(test_context_states),
		TEST(test_calls),
		TEST(test_hostile_calls),
		cmocka_unit_test(test_row_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
