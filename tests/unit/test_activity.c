/* SPDX-License-Identifier: BSD-2-Clause */
/* The activity of an agent, by records made by hand: one source after another, and against each
 * other. */
#include "support.h"

#include "analyze/answer/answer_name.h"
#include "base/units.h"
#include "recognize/agent_set.h"
#include "probes/proc.h"
#include "probes/sockets.h"

#define VERSIONS "/home/me/.local/share/claude/versions/"
#define CLAUDE	 VERSIONS "2.1.328"
#define OPENCODE "/r/node_modules/opencode-ai/bin/opencode.exe"
#define NOW_NS	 (1000 * NS_PER_S) /* CLOCK_MONOTONIC; so long the host is up */
#define UTC_NS	 (1700000000 * NS_PER_S)
#define MAIN	 10

/* The state of a main process, as far as a test cares. */
struct made {
	const char *executable, *status, *waiting, *call, *asked;
	const char *job; /* state in the list of its daemon */
	struct span arguments;
	enum proc_turn turn;
	int64_t status_s, turn_s; /* ago; below 0: still to come */
	uint32_t attempts;
	uint16_t error_status;
	char state;
	enum proc_stream input;
	bool has_tool;
	bool has_watcher;  /* beside its program the tool's shell runs a subshell that sleeps */
	uint64_t written;  /* bytes, by the tool */
	uint64_t gap_s;	   /* between the samples of that; 0: 7 */
	uint64_t output_s; /* ago the file with its output was written to; 0: no file */
	uint64_t read_s;   /* ago the file was read last */
	uint8_t written_state;
	bool has_socket, has_sockets;
	uint64_t unread;	     /* bytes in its receive queue */
	uint64_t later_ms;	     /* received so much later than `received_s` */
	bool has_no_prompt;	     /* its session is known, and no log is there */
	uint64_t sent_s, received_s; /* ago */
	uint64_t age_s;		     /* 0: an hour */
	uint64_t cpu_ns;	     /* within the second between the samples */
	uint64_t ready_ms;	     /* the same: ready to run, without a CPU; 0: not measured */
	uint64_t tool_cpu_ns;	     /* the same */
	char tool_state;	     /* 0: it sleeps */
};

static struct buffer records;
static struct host_state host;
static struct activity activity;
static struct buffer text;

static struct record_tail tail_of(struct sooth_text *to, const char *value)
{
	return (struct record_tail){ to, value ? value : "", value ? strlen(value) : 0 };
}

static uint64_t start_ticks(uint64_t age_s)
{
	return (NOW_NS / NS_PER_S - age_s) * 100;
}

static void add_process(uint32_t pid, uint32_t ppid, uint64_t age_s, const char *executable,
	struct span arguments, char state, uint64_t cpu_ns)
{
	for (int sample = 0; sample < 2; sample++) {
		struct proc_process p = { .record = { .time_ns = NOW_NS - (sample ? 0 : NS_PER_S),
						  .start_ticks = start_ticks(age_s),
						  .pid = pid,
						  .kind = PROC_PROCESS },
			.ppid = ppid,
			.session = pid,
			.process_group = pid,
			.state = state,
			.threads = 1,
			.cpu_ns = sample ? cpu_ns : 0 };
		struct record_tail tail[] = { tail_of(&p.name, "thing"),
			tail_of(&p.executable, executable),
			{ &p.arguments, arguments.data ? arguments.data : "", arguments.size } };

		RECORD_APPEND(&records, &p, tail, ARRAY_SIZE(tail));
	}
}

static void add_links(const struct made *m, uint64_t age_s)
{
	for (int sample = !m->ready_ms; sample < 2; sample++) {
		struct proc_ties t = { .record = { .time_ns = NOW_NS - (sample ? 0 : NS_PER_S),
					       .start_ticks = start_ticks(age_s),
					       .pid = MAIN,
					       .kind = PROC_LINKS },
			.stream = { (uint8_t)m->input },
			.thread_cpu_ns = NS_PER_S + (sample ? m->cpu_ns : 0),
			.thread_ready_ns = sample ? m->ready_ms * NS_PER_MS : 0 };

		RECORD_APPEND(&records, &t, NULL, 0);
	}
}

static void add_tool_links(const struct made *m)
{
	uint64_t gap_s = m->gap_s ? m->gap_s : 7;
	static const char markers[] = "CLAUDECODE=1\0CLAUDE_CODE_EXECPATH=x";

	for (int sample = 0; sample < 2; sample++) {
		struct proc_ties t = { .record = { .time_ns = NOW_NS - m->read_s * NS_PER_S -
							      (sample ? 0 : gap_s * NS_PER_S),
					       .start_ticks = start_ticks(480),
					       .pid = 12,
					       .kind = PROC_LINKS },
			.written_bytes = m->written,
			.written_state = m->written_state,
			.output_utc_ns = UTC_NS - m->output_s * NS_PER_S,
			.output_state = m->output_s ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };

		struct record_tail tail[] = { { &t.markers, markers, sizeof(markers) - 1 } };

		RECORD_APPEND(&records, &t, tail, ARRAY_SIZE(tail));
	}
}

static void add_session(const struct made *m, uint64_t age_s)
{
	const uint8_t missing = SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT);
	struct proc_session s = { .record = { .time_ns = NOW_NS,
					  .start_ticks = start_ticks(age_s),
					  .pid = MAIN,
					  .kind = PROC_SESSION },
		.changed_utc_ns = UTC_NS - (uint64_t)m->status_s * NS_PER_S,
		.turn_utc_ns = UTC_NS - (uint64_t)m->turn_s * NS_PER_S,
		.turn = (uint8_t)m->turn,
		.attempts = m->attempts,
		.error_status = m->error_status,
		.status_state = m->status ? SOOTH_STATE_VALUE : missing,
		.changed_state = m->status ? SOOTH_STATE_VALUE : missing,
		.turn_state = m->turn		 ? SOOTH_STATE_VALUE
			      : m->has_no_prompt ? SOOTH_STATE_ABSENT
						 : missing,
		.asked_state = m->asked ? SOOTH_STATE_VALUE : missing,
		.call_state = m->call ? SOOTH_STATE_VALUE : missing,
		.error_state = m->error_status ? SOOTH_STATE_VALUE : missing,
		.job_state = m->job ? SOOTH_STATE_VALUE : missing };
	struct record_tail tail[] = { tail_of(&s.status, m->status),
		tail_of(&s.waiting, m->waiting), tail_of(&s.call, m->call),
		tail_of(&s.job_status, m->job), tail_of(&s.asked, m->asked) };

	RECORD_APPEND(&records, &s, tail, ARRAY_SIZE(tail));
}

static void add_sockets(const struct made *m, uint64_t age_s)
{
	struct sooth_record head = {
		.time_ns = NOW_NS, .start_ticks = start_ticks(age_s), .pid = MAIN
	};
	struct sockets_socket s = { .record = head,
		.sent_ago_ns = m->sent_s * NS_PER_S,
		.received_ago_ns = m->received_s * NS_PER_S - m->later_ms * NS_PER_MS,
		.receive_queue_bytes = m->unread,
		.family = SOCKETS_INET,
		.state = SOCKETS_ESTABLISHED,
		.side = SOCKETS_SIDE_MADE };
	struct sockets_process end = { .record = head, .sockets = m->has_socket };
	struct record_tail tail[] = { tail_of(&s.protocol, "tcp") };

	s.record.kind = SOCKETS_SOCKET;
	end.record.kind = SOCKETS_PROCESS;
	if (m->has_socket)
		RECORD_APPEND(&records, &s, tail, ARRAY_SIZE(tail));
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void add_all(const struct made *m, uint64_t age_s)
{
	static const char command[] = "sleep\0003000";
	struct stream_segment segment = { .record = { .time_ns = 1, .kind = STREAM_SEGMENT },
		.ticks_per_s = 100,
		.realtime_offset_ns = (int64_t)(UTC_NS - NOW_NS) };
	struct proc_snapshot end = { .record = { .time_ns = NOW_NS, .kind = PROC_SNAPSHOT },
		.is_of_host = true };

	RECORD_APPEND(&records, &segment, NULL, 0);
	add_process(MAIN, 1, age_s, m->executable ? m->executable : CLAUDE, m->arguments,
		m->state ? m->state : 'S', m->cpu_ns);
	if (m->has_tool) {
		add_process(12, MAIN, 480, "/bin/sleep", span_of(command, sizeof(command)),
			m->tool_state ? m->tool_state : 'S', m->tool_cpu_ns);
		add_tool_links(m);
	}
	if (m->has_watcher) {
		add_process(13, 12, 479, "/bin/sleep", span_of(command, sizeof(command)), 'S', 0);
		add_process(14, 12, 479, "/bin/make", span_of("make", 4), 'S', 0);
		add_process(15, 13, 1, "/bin/sleep", span_of("sleep\0002", 7), 'S', 0);
		add_process(16, 12, 478, "/bin/sleep", span_of(command, sizeof(command)), 'S', 0);
	}
	add_links(m, age_s);
	add_session(m, age_s);
	if (m->has_sockets || m->has_socket)
		add_sockets(m, age_s);
	RECORD_APPEND(&records, &end, NULL, 0);
}

static const char *find(struct made m)
{
	const struct process_entry *p;
	struct sooth_error err = { 0 };
	size_t position = 0;

	buffer_reset(&records);
	buffer_reset(&text);
	host_state_fini(&host);
	host_state_init(&host);
	add_all(&m, m.age_s ? m.age_s : 900);
	host_state_add_batch(&host, &(struct batch){ records.data, records.size });
	assert_int_equal(host_state_resolve(&host, &err), 0);
	while ((p = process_table_next(&host.process_table, &position)) && p->id.pid != MAIN)
		;
	assert_non_null(p);
	activity_find(&activity, &host, p);
	activity_write(&text, &activity, ACTIVITY_TEXT_WHOLE);
	return buffer_cstr(&text);
}

#define assert_activity(made_, text_, source_, confidence_)                                        \
	do {                                                                                       \
		assert_string_equal(find((struct made)made_), text_);                              \
		assert_int_equal(activity.source, ACTIVITY_FROM_##source_);                        \
		assert_int_equal(activity.confidence, ACTIVITY_##confidence_);                     \
	} while (0)
#define M(...)                                                                                     \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

static void test_user(void **state)
{
	(void)state;
	assert_activity(M(.status = "waiting", .waiting = "permission prompt", .status_s = 240,
				.turn = PROC_TURN_TOOL, .turn_s = 240, .call = "Bash"),
		"waits for permission: Bash, 4 min", SESSION_FILE, HIGH);
	assert_activity(M(.status = "waiting", .waiting = "permission prompt", .status_s = 240,
				.turn = PROC_TURN_TOOL, .turn_s = 240, .call = "Bash",
				.asked = "rm -rf build"),
		"waits for permission: Bash rm -rf build, 4 min", SESSION_FILE, HIGH);
	assert_activity(M(.status = "waiting", .waiting = "permission prompt", .status_s = 1),
		"waits for permission: a tool, 1 s", SESSION_FILE, HIGH);
	assert_activity(M(.status = "waiting", .waiting = "a question", .status_s = 7200),
		"waits for you: a question, 2 h", SESSION_FILE, HIGH);
	/* It may say that it is idle while it asks. */
	assert_activity(M(.status = "idle", .status_s = 230, .turn = PROC_TURN_TOOL, .turn_s = 240,
				.call = "AskUserQuestion"),
		"waits for you: an answer to its question, 4 min; its own list says idle", LOG,
		HIGH);
	assert_activity(M(.status = "waiting", .waiting = "input needed", .turn = PROC_TURN_TOOL,
				.turn_s = 240, .call = "AskUserQuestion"),
		"waits for you: an answer to its question, 4 min", LOG, HIGH);
	assert_activity(M(.status = "idle", .status_s = 240, .job = "working"),
		"idle 4 min; its own list says working", SESSION_FILE, HIGH);
	assert_activity(M(.status = "idle", .status_s = 240, .job = "stopped"), "idle 4 min",
		SESSION_FILE, HIGH);
	assert_activity(
		M(.status = "waiting", .waiting = "a question", .status_s = 240, .job = "blocked"),
		"waits for you: a question, 4 min", SESSION_FILE, HIGH);
	/* No status: an open call without a process, at a terminal. */
	assert_activity(M(.turn = PROC_TURN_TOOL, .call = "Bash", .turn_s = 30,
				.input = PROC_STREAM_TERMINAL),
		"waits for permission: Bash, 30 s", LOG, LOW);
	assert_activity(M(.executable = OPENCODE, .turn = PROC_TURN_PERMISSION, .call = "bash",
				.turn_s = 30, .input = PROC_STREAM_TERMINAL),
		"waits for permission: bash, 30 s", LOG, HIGH);
	/* Its process may not be there yet. */
	assert_activity(M(.turn = PROC_TURN_TOOL, .call = "Bash", .turn_s = 1,
				.input = PROC_STREAM_TERMINAL),
		"runs Bash 1 s", LOG, MEDIUM);
	assert_activity(M(.turn = PROC_TURN_TOOL, .call = "Bash", .turn_s = 2,
				.input = PROC_STREAM_TERMINAL),
		"waits for permission: Bash, 2 s", LOG, LOW);
	/* It draws its question, or it computes: a tool within the agent. */
	assert_activity(M(.turn = PROC_TURN_TOOL, .call = "Bash", .turn_s = 30,
				.cpu_ns = 700 * NS_PER_MS, .input = PROC_STREAM_TERMINAL),
		"waits for permission: Bash, 30 s", LOG, LOW);
	assert_activity(M(.turn = PROC_TURN_TOOL, .call = "Bash", .turn_s = 30,
				.cpu_ns = 950 * NS_PER_MS, .input = PROC_STREAM_TERMINAL),
		"runs Bash 30 s", LOG, MEDIUM);
}

static void test_tool(void **state)
{
	(void)state;
	assert_activity(
		M(.status = "busy", .has_tool = true, .turn = PROC_TURN_TOOL, .call = "Bash"),
		"runs Bash 8 min: sleep 3000 (pid 12), no CPU, no output", PROCESSES, HIGH);
	assert_activity(M(.status = "busy", .has_tool = true, .turn = PROC_TURN_TOOL,
				.call = "Bash", .tool_state = 'T'),
		"runs Bash 8 min: sleep 3000 (pid 12), stopped, no output", PROCESSES, HIGH);
	assert_activity(M(.status = "busy", .has_tool = true, .turn = PROC_TURN_TOOL,
				.call = "Bash", .tool_cpu_ns = 950 * NS_PER_MS),
		"runs Bash 8 min: sleep 3000 (pid 12), 95 % CPU, no output", PROCESSES, HIGH);
	assert_activity(M(.status = "busy", .has_tool = true, .turn = PROC_TURN_TOOL,
				.call = "Bash", .tool_cpu_ns = 90 * NS_PER_MS),
		"runs Bash 8 min: sleep 3000 (pid 12), no output", PROCESSES, HIGH);
	assert_activity(M(.has_tool = true),
		"runs a tool 8 min: sleep 3000 (pid 12), no CPU, no output", PROCESSES, HIGH);
	assert_activity(
		M(.status = "busy", .turn = PROC_TURN_TOOL, .call = "WebFetch", .turn_s = 12),
		"runs WebFetch 12 s", LOG, MEDIUM);
	/* Permission was granted, and the status does not say so yet. */
	assert_activity(M(.status = "waiting", .waiting = "permission prompt", .status_s = 490,
				.has_tool = true, .turn = PROC_TURN_TOOL, .call = "Bash"),
		"runs Bash 8 min: sleep 3000 (pid 12), no CPU, no output", PROCESSES, HIGH);
	assert_activity(M(.executable = OPENCODE, .has_tool = true, .turn = PROC_TURN_PERMISSION,
				.call = "bash", .turn_s = 490, .input = PROC_STREAM_TERMINAL),
		"runs bash 8 min: sleep 3000 (pid 12), no CPU, no output", PROCESSES, HIGH);
	/* It ran before the question. */
	assert_activity(M(.status = "waiting", .waiting = "permission prompt", .status_s = 4,
				.has_tool = true, .turn = PROC_TURN_TOOL, .call = "Bash"),
		"waits for permission: Bash, 4 s", SESSION_FILE, HIGH);
	assert_activity(M(.status = "busy", .has_tool = true, .has_watcher = true,
				.turn = PROC_TURN_TOOL, .call = "Bash"),
		"runs Bash 8 min: make (pid 14), no CPU, output unknown", PROCESSES, HIGH);
	/* A process in the background, while the model is asked. */
	assert_activity(M(.status = "busy", .has_tool = true, .turn = PROC_TURN_MODEL, .turn_s = 5),
		"waits for the model 5 s", SESSION_FILE, MEDIUM);
	assert_activity(M(.status = "busy", .turn = PROC_TURN_TOOL, .call = "mcp__files__read",
				.turn_s = 30),
		"waits for MCP server files 30 s", LOG, HIGH);
}

/* Its file has the time of the last write; of a pipe only what it wrote between samples is known.
 */
static void test_output(void **state)
{
	(void)state;
#define TOOL .status = "busy", .has_tool = true, .turn = PROC_TURN_TOOL, .call = "Bash"
#define RUNS "runs Bash 8 min: sleep 3000 (pid 12), no CPU"
	assert_string_equal(find((struct made){ TOOL }), RUNS ", no output");
	assert_int_equal(activity.output_ns, 480 * NS_PER_S);
	assert_string_equal(find((struct made){ TOOL, .written = 9, .output_s = 30 }),
		RUNS ", no output for 30 s");
	assert_string_equal(find((struct made){ TOOL, .written = 9, .output_s = 2 }), RUNS);
	assert_false(activity.is_output_least);
	/* Nothing is known since the file was read. */
	assert_string_equal(
		find((struct made){ TOOL, .written = 9, .output_s = 7, .read_s = 6 }), RUNS);
	assert_string_equal(find((struct made){ TOOL, .written = 9, .output_s = 36, .read_s = 6 }),
		RUNS ", no output for 30 s");
	assert_string_equal(find((struct made){ TOOL, .written = 9, .output_s = 480, .read_s = 6 }),
		RUNS ", no output");
	assert_string_equal(find((struct made){ TOOL, .written = 9 }), RUNS ", no output for 7 s");
	assert_true(activity.is_output_least);
	/* As for CPU time. */
	assert_string_equal(
		find((struct made){ TOOL, .written = 9, .gap_s = 1 }), RUNS ", no output");
	assert_string_equal(find((struct made){ TOOL,
				    .written_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION) }),
		RUNS ", output unknown");
}

static void test_deadline(void **state)
{
	(void)state;
#define STALLED .turn = PROC_TURN_MODEL, .turn_s = 90, .has_socket = true, .sent_s = 90
#define NOTHING "the model has sent nothing for 1 min 30 s"
#define LESS	"the model has sent nothing for 1 min 29 s"
#define ENDS	" (Claude Code ends the request at "
	/* Before any data, and of an answer that began. */
	assert_string_equal(
		find((struct made){ STALLED, .received_s = 90 }), NOTHING ENDS "6 min)");
	assert_int_equal(activity.deadline_s, 360);
	assert_string_equal(find((struct made){ STALLED, .received_s = 90, .later_ms = 500 }),
		LESS ENDS "5 min)");
	assert_int_equal(activity.deadline_s, 300);
	/* Its data may have opened the connection. */
	assert_string_equal(
		find((struct made){ STALLED, .received_s = 90, .later_ms = 499 }), LESS);
	assert_int_equal(activity.deadline_s, 0);
	/* The deadlines of older versions and other agents are not known. */
	assert_string_equal(
		find((struct made){ STALLED, .received_s = 90, .executable = VERSIONS "2.1.327" }),
		NOTHING);
	assert_string_equal(find((struct made){ STALLED, .received_s = 90, .later_ms = 500,
				    .executable = VERSIONS "2.1.298" }),
		LESS);
	assert_string_equal(
		find((struct made){ STALLED, .received_s = 90, .executable = OPENCODE }), NOTHING);
}

/* Silence and an answer that arrives have different words; the whole time is the same. */
static void test_answer(void **state)
{
#define ASKED(sent, received)                                                                      \
	(struct made){ .turn = PROC_TURN_MODEL,                                                    \
		.turn_s = 42,                                                                      \
		.has_socket = true,                                                                \
		.sent_s = sent,                                                                    \
		.received_s = received,                                                            \
		.executable = OPENCODE }
	(void)state;
	assert_string_equal(
		find(ASKED(42, 1)), "receives an answer (last data 1.0 s ago, 42 s so far)");
	assert_int_equal(activity.answer, ACTIVITY_ANSWER_ARRIVES);
	assert_int_equal(activity.state, ACTIVITY_WAITS_FOR_MODEL);
	buffer_reset(&text);
	activity_write(&text, &activity, ACTIVITY_TEXT_WITHOUT_TIME);
	assert_string_equal(buffer_cstr(&text), "receives an answer (last data 1.0 s ago)");
	assert_string_equal(
		find(ASKED(42, 9)), "receives an answer (last data 9.0 s ago, 42 s so far)");
	assert_string_equal(
		find(ASKED(42, 10)), "the model has sent nothing for 10 s, 42 s so far");
	assert_int_equal(activity.answer, ACTIVITY_ANSWER_SILENT);
	/* What opens the connection came right after the request. */
	assert_string_equal(find((struct made){ .turn = PROC_TURN_MODEL,
				    .turn_s = 9,
				    .has_socket = true,
				    .sent_s = 9,
				    .received_s = 9,
				    .later_ms = 499 }),
		"waits for the model 9 s");
	assert_int_equal(activity.answer, ACTIVITY_ANSWER_AWAITED);
	assert_string_equal(
		find(ASKED(10, 10)), "the model has sent nothing for 10 s, 42 s so far");
	/* The answer before: it came before the turn. */
	assert_string_equal(find((struct made){ .turn = PROC_TURN_MODEL,
				    .turn_s = 3,
				    .has_socket = true,
				    .sent_s = 60,
				    .received_s = 4 }),
		"waits for the model 3 s");
	assert_int_equal(activity.silence_ns, 3 * NS_PER_S);
	/* The agent does not read it. */
	assert_string_equal(find((struct made){ .turn = PROC_TURN_MODEL,
				    .turn_s = 42,
				    .has_socket = true,
				    .sent_s = 42,
				    .received_s = 20,
				    .unread = 4096 }),
		"waits for the model 42 s");
}

/* The attempts that ended took at least the time after which Claude Code ends one for silence. */
static void test_unanswered(void **state)
{
#define AGAIN_BY_LOG(ago, n) .turn = PROC_TURN_MODEL, .turn_s = ago, .attempts = n
	(void)state;
	assert_activity(
		M(AGAIN_BY_LOG(3240, 10), .has_socket = true, .sent_s = 20, .received_s = 20),
		"no answer from the model for 54 min over 10 attempts", LOG, HIGH);
	assert_int_equal(activity.state, ACTIVITY_ASKS_AGAIN);
	assert_int_equal(activity.answer, ACTIVITY_ANSWER_SILENT);
	buffer_reset(&text);
	activity_write(&text, &activity, ACTIVITY_TEXT_WITHOUT_TIME);
	assert_string_equal(buffer_cstr(&text), "no answer from the model over 10 attempts");
	/* Between two attempts. */
	assert_string_equal(find((struct made){ AGAIN_BY_LOG(303, 2), .has_sockets = true }),
		"no answer from the model for 5 min 3 s over 2 attempts");
	/* Most of that is the current attempt: the first one failed at once. */
	assert_string_equal(find((struct made){ AGAIN_BY_LOG(400, 2), .has_socket = true,
				    .sent_s = 290, .received_s = 290 }),
		"asks the model again: 2nd attempt, 6 min 40 s");
	assert_int_equal(activity.answer, ACTIVITY_ANSWER_NONE);
	assert_string_equal(find((struct made){ AGAIN_BY_LOG(3240, 10), .error_status = 529 }),
		"refused with 529, 10th attempt, 54 min");
	/* Nothing is known of what this version does. */
	assert_string_equal(
		find((struct made){ AGAIN_BY_LOG(3240, 10), .executable = VERSIONS "2.1.298" }),
		"asks the model again: 10th attempt, 54 min");
	/* It says how long an attempt lasts: those that are refused last no longer. */
	assert_string_equal(find((struct made){ AGAIN_BY_LOG(50, 4), .has_socket = true,
				    .sent_s = 5, .received_s = 25 }),
		"asks the model again: 4th attempt, no answer to it for 5 s, 50 s so far");
	assert_string_equal(find((struct made){ AGAIN_BY_LOG(50, 4), .has_socket = true,
				    .sent_s = 4, .received_s = 24 }),
		"asks the model again: 4th attempt, 50 s");
	/* The last attempt is answered. */
	assert_string_equal(find((struct made){ AGAIN_BY_LOG(3240, 10), .has_socket = true,
				    .sent_s = 20, .received_s = 1 }),
		"receives an answer (last data 1.0 s ago, 20 s so far)");
	assert_string_equal(find((struct made){ AGAIN_BY_LOG(40, 4), .has_socket = true,
				    .sent_s = 20, .received_s = 3 }),
		"asks the model again: 4th attempt, 40 s");
}

static void test_model(void **state)
{
	(void)state;
	/* The turn's time goes on when the request is sent again. */
	assert_activity(M(.status = "busy", .status_s = 400, .turn = PROC_TURN_MODEL, .turn_s = 42,
				.has_socket = true, .sent_s = 3, .received_s = 30),
		"the model has sent nothing for 30 s, 42 s so far", CONNECTION, HIGH);
	assert_activity(M(.status = "busy", .status_s = 42), "waits for the model 42 s",
		SESSION_FILE, MEDIUM);
	assert_activity(M(.executable = OPENCODE, .has_socket = true, .sent_s = 42,
				.received_s = 60, .input = PROC_STREAM_TERMINAL),
		"the model has sent nothing for 42 s", CONNECTION, MEDIUM);
	assert_activity(
		M(.turn = PROC_TURN_MODEL, .turn_s = 42, .attempts = 6, .error_status = 529),
		"refused with 529, 6th attempt, 42 s", LOG, HIGH);
	assert_activity(M(.turn = PROC_TURN_MODEL, .turn_s = 42, .attempts = 11),
		"asks the model again: 11th attempt, 42 s", LOG, HIGH);
}

/* It pauses before it asks again; what its status or log does not show may be a question. */
static void test_pause(void **state)
{
	(void)state;
#define PAUSED .turn = PROC_TURN_MODEL, .has_sockets = true
#define AGAIN  "asks the model again: the last request may have failed"
	assert_activity(M(PAUSED, .turn_s = 31, .input = PROC_STREAM_NULL), AGAIN ", 31 s",
		CONNECTION, MEDIUM);
	assert_activity(M(PAUSED, .turn_s = 31, .status = "busy", .status_s = 31,
				.input = PROC_STREAM_TERMINAL),
		AGAIN ", 31 s", CONNECTION, MEDIUM);
	assert_activity(M(PAUSED, .turn_s = 31, .attempts = 3, .input = PROC_STREAM_NULL),
		"asks the model again: 3 attempts were refused or failed, none is under way, 31 s",
		LOG, HIGH);
	assert_activity(M(PAUSED, .turn_s = 31, .input = PROC_STREAM_TERMINAL),
		"waits for the model 31 s", LOG, MEDIUM);
	assert_activity(M(PAUSED, .turn_s = 4, .input = PROC_STREAM_NULL),
		"waits for the model 4 s", LOG, MEDIUM);
	assert_activity(M(PAUSED, .turn_s = 31, .cpu_ns = NS_PER_S / 2, .input = PROC_STREAM_NULL),
		"computes", CPU, MEDIUM);
	assert_activity(M(PAUSED, .turn_s = 31, .has_socket = true, .sent_s = 31, .received_s = 40,
				.input = PROC_STREAM_NULL),
		"the model has sent nothing for 31 s (Claude Code ends the request at 6 min)",
		CONNECTION, HIGH);
}

static void test_headless(void **state)
{
	static const char run[] = "opencode\0run\0hi", plain[] = "opencode\0--running";

	(void)state;
	assert_activity(
		M(.executable = OPENCODE, .arguments = { run, sizeof(run) }, .has_socket = true,
			.sent_s = 60, .received_s = 60, .input = PROC_STREAM_TERMINAL),
		"the model has sent nothing for 1 min", ARGUMENTS, MEDIUM);
	/* Without any connection it waits for something else. */
	assert_string_equal(
		find((struct made){
			.executable = OPENCODE, .has_sockets = true, .input = PROC_STREAM_NULL }),
		"not known: the agent does not report it");
	assert_activity(M(.executable = OPENCODE, .arguments = { plain, sizeof(plain) },
				.has_sockets = true, .input = PROC_STREAM_TERMINAL),
		"idle", CONNECTION, LOW);
	/* Before its connections were read, nothing is said of a request. */
	assert_null(strstr(
		find((struct made){ .executable = OPENCODE, .input = PROC_STREAM_NULL }), "model"));
}

/* A session file that was left behind; the prompt and the status are not written at once. */
static void test_outdated(void **state)
{
	(void)state;
	assert_activity(M(.status = "idle", .status_s = 600, .turn = PROC_TURN_MODEL, .turn_s = 60),
		"waits for the model 1 min", LOG, MEDIUM);
	assert_activity(M(.status = "waiting", .waiting = "permission prompt", .status_s = 600,
				.turn = PROC_TURN_MODEL, .turn_s = 60),
		"waits for the model 1 min", LOG, MEDIUM);
	assert_activity(M(.status = "idle", .status_s = 70, .turn = PROC_TURN_MODEL, .turn_s = 61),
		"idle 1 min 10 s", SESSION_FILE, HIGH);
	assert_activity(M(.status = "idle", .status_s = 70, .turn = PROC_TURN_MODEL, .turn_s = 900),
		"idle 1 min 10 s", SESSION_FILE, HIGH);
	assert_activity(M(.status = "waiting", .waiting = "permission prompt", .status_s = 240,
				.turn = PROC_TURN_TOOL, .call = "Bash", .turn_s = 241),
		"waits for permission: Bash, 4 min", SESSION_FILE, HIGH);
}

/* Written before the clock was set back: what is later, and for how long, is not known by it. */
static void test_clock_set_back(void **state)
{
	(void)state;
	assert_activity(M(.status = "waiting", .waiting = "permission prompt", .status_s = -3600),
		"waits for permission: a tool", SESSION_FILE, HIGH);
	assert_false(activity.has_since);
	assert_activity(M(.status = "idle", .status_s = -1), "idle 0 s", SESSION_FILE, HIGH);
	assert_activity(
		M(.status = "idle", .status_s = -3600, .turn = PROC_TURN_MODEL, .turn_s = 60),
		"waits for the model 1 min", LOG, MEDIUM);
	assert_activity(
		M(.status = "idle", .status_s = -3600, .turn = PROC_TURN_MODEL, .turn_s = -3601),
		"idle", SESSION_FILE, HIGH);
	assert_activity(
		M(.turn = PROC_TURN_MODEL, .turn_s = -3600), "waits for the model", LOG, MEDIUM);
	assert_false(activity.has_since);
}

static void test_rest(void **state)
{
	(void)state;
	assert_activity(M(.status = "busy", .state = 'T'), "stopped", PROCESSES, HIGH);
	assert_activity(M(.status = "idle", .status_s = 180, .has_tool = true), "idle 3 min",
		SESSION_FILE, HIGH);
	assert_activity(M(.status = "idle", .status_s = 180, .cpu_ns = 490 * NS_PER_MS),
		"idle 3 min", SESSION_FILE, HIGH);
	assert_activity(M(.status = "idle", .status_s = 180, .cpu_ns = 510 * NS_PER_MS),
		"computes, although its session is idle", CPU, MEDIUM);
	assert_activity(M(.turn = PROC_TURN_USER, .turn_s = 180, .input = PROC_STREAM_TERMINAL),
		"idle 3 min", LOG, MEDIUM);
	assert_activity(M(.status = "busy", .cpu_ns = 900 * NS_PER_MS), "computes", CPU, MEDIUM);
	/* Others want the processors too. */
	assert_activity(M(.status = "busy", .cpu_ns = 200 * NS_PER_MS, .state = 'R'), "computes",
		CPU, MEDIUM);
	assert_activity(
		M(.status = "busy", .cpu_ns = 200 * NS_PER_MS, .ready_ms = 710, .state = 'R'),
		"computes", CPU, MEDIUM);
	/* It draws now and then, and is ready to run for long meanwhile. */
	assert_activity(M(.status = "idle", .status_s = 180, .cpu_ns = 200 * NS_PER_MS,
				.ready_ms = 600, .state = 'R'),
		"idle 3 min", SESSION_FILE, HIGH);
	assert_activity(M(.status = "busy", .status_s = 9, .cpu_ns = 50 * NS_PER_MS, .state = 'R'),
		"waits for the model 9 s", SESSION_FILE, MEDIUM);
	/* Before the first prompt, with a connection that is open already. */
	assert_activity(M(.has_no_prompt = true, .has_socket = true, .sent_s = 42, .received_s = 42,
				.input = PROC_STREAM_TERMINAL),
		"idle", LOG, MEDIUM);
	/* It looks for models meanwhile: that is no answer to anything. A request may be one. */
	assert_activity(M(.has_no_prompt = true, .has_socket = true, .sent_s = 2, .received_s = 1,
				.input = PROC_STREAM_TERMINAL),
		"idle", LOG, MEDIUM);
	assert_activity(M(.has_no_prompt = true, .has_socket = true, .sent_s = 3, .received_s = 42,
				.input = PROC_STREAM_TERMINAL),
		"waits for the model 3 s", CONNECTION, MEDIUM);
	/* An answer that arrives is drawn at the terminal. */
	assert_activity(M(.turn = PROC_TURN_MODEL, .turn_s = 10, .cpu_ns = 900 * NS_PER_MS,
				.has_socket = true, .sent_s = 10, .received_s = 1),
		"receives an answer (last data 1.0 s ago, 10 s so far)", CONNECTION, HIGH);
	assert_activity(M(.turn = PROC_TURN_MODEL, .turn_s = 10, .cpu_ns = 900 * NS_PER_MS,
				.has_socket = true, .sent_s = 10, .received_s = 5),
		"receives an answer (last data 5.0 s ago, 10 s so far)", LOG, MEDIUM);
	assert_activity(M(.turn = PROC_TURN_MODEL, .turn_s = 10, .cpu_ns = 900 * NS_PER_MS),
		"computes", CPU, MEDIUM);
	assert_activity(M(.status = "busy", .cpu_ns = 900 * NS_PER_MS, .has_socket = true,
				.sent_s = 10, .received_s = 5),
		"computes", CPU, MEDIUM);
	assert_activity(M(.age_s = 2), "starts 2 s", PROCESSES, MEDIUM);
}

static void test_unknown(void **state)
{
	(void)state;
	assert_string_equal(
		find((struct made){ .executable = OPENCODE }), "not known: not requested");
	assert_int_equal(activity.state, ACTIVITY_UNKNOWN);
	/* The answer is complete, or it stopped. */
	assert_string_equal(find((struct made){ .executable = OPENCODE,
				    .has_socket = true,
				    .sent_s = 42,
				    .received_s = 42,
				    .input = PROC_STREAM_TERMINAL }),
		"not known: the agent does not report it");
	assert_string_equal(
		find((struct made){
			.executable = OPENCODE, .has_sockets = true, .input = PROC_STREAM_PIPE }),
		"not known: the agent does not report it");
}

/* By the calls: what came last on the connection to the model. */
static void check_refusal(uint64_t came_s, uint64_t bad_s, uint64_t good_s, const char *expected)
{
	struct activity a = { .state = ACTIVITY_WAITS_FOR_MODEL };
	struct call_answers answers = { .bad = bad_s > 0,
		.last_bad_ns = bad_s * NS_PER_S,
		.last_good_ns = good_s * NS_PER_S,
		.last_status = 429 };
	struct call_path peer = { 0 };
	struct call_history h;

	map_init(&h.answers, sizeof(peer), sizeof(answers), 8);
	*(struct call_answers *)map_put(&h.answers, &peer, NULL) = answers;
	answer_refusal(&a, &h, came_s * NS_PER_S);
	map_fini(&h.answers);
	buffer_reset(&text);
	activity_write(&text, &a, ACTIVITY_TEXT_WHOLE);
	assert_string_equal(buffer_cstr(&text), expected);
}

static void test_refusal(void **state)
{
	(void)state;
	check_refusal(50, 50, 40, "refused with 429 (rate limit)");
	check_refusal(50, 40, 50, "waits for the model");
	/* The last data from the model is something else. */
	check_refusal(60, 50, 40, "waits for the model");
	check_refusal(40, 50, 30, "waits for the model");
	check_refusal(50, 0, 50, "waits for the model");
	/* Its connection is closed. */
	check_refusal(0, 50, 40, "refused with 429 (rate limit)");
	check_refusal(0, 40, 50, "waits for the model");
}

static bool is_troubled(struct made m)
{
	struct process_id id = { .pid = MAIN };
	struct diagnosed main_process = { 0 };
	struct diagnosis s = { 0 };

	find(m);
	id.start_ticks = start_ticks(m.age_s ? m.age_s : 900);
	s.input.host = host; /* borrowed */
	main_process.id = id;
	main_process.process = process_table_get(&host.process_table, &id);
	assert_non_null(main_process.process);
	return answer_is_troubled(&s, &main_process);
}

/* A diagnosis does not call such a session fine. */
static void test_trouble(void **state)
{
	(void)state;
	assert_true(is_troubled((struct made){ .status = "busy",
		.turn = PROC_TURN_MODEL,
		.turn_s = 40,
		.attempts = 4,
		.has_sockets = true }));
	assert_true(is_troubled((struct made){ .status = "busy", .state = 'T' }));
	assert_true(is_troubled((struct made){ .status = "busy",
		.has_tool = true,
		.turn = PROC_TURN_TOOL,
		.call = "Bash",
		.tool_state = 'T' }));
	assert_false(is_troubled((struct made){ .status = "busy",
		.has_tool = true,
		.turn = PROC_TURN_TOOL,
		.call = "Bash",
		.tool_cpu_ns = NS_PER_S / 2 }));
	assert_false(is_troubled((struct made){ .status = "idle", .status_s = 180 }));
}

static int end(void **state)
{
	(void)state;
	host_state_fini(&host);
	buffer_fini(&records);
	buffer_fini(&text);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_tool),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_unanswered),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_headless),
		cmocka_unit_test(test_outdated),
		cmocka_unit_test(test_clock_set_back),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
