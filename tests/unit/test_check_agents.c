/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings about agents that wait: for their user, for their model, for an answer. */
#include "check_sockets.h"
#include "check_threads.h"

#define HIDDEN SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)
/* The silence after which it ends a request is known. */
#define KNOWN_CLAUDE "/home/me/.local/share/claude/versions/2.1.328"
#define S_NS	     (double)NS_PER_S

/* An agent, its session file, and its connection. */
struct agent_made {
	double cpu;	  /* percent of a processor */
	const char *word; /* its own; NULL: it says nothing */
	double said_s;	  /* so long before the observation began */
	double typed_s;	  /* the same, on its terminal */
	bool has_terminal;
	bool is_closed; /* standard input is /dev/null */
	double child_cpu;
	double sent_s, came_s; /* how long ago, at the end */
	double own_s;	       /* the same, of a connection to itself; 0: none */
	double age_s;
	uint8_t word_state, said_state, sockets_state;
	bool is_command;   /* no agent */
	uint32_t attempts; /* of the request to the model, by its log; 0: it has none */
	double asked_s;	   /* when the first one began, ago at the end */
};

static const struct agent_made idle = { .cpu = 20,
	.word = "idle",
	.said_s = 60,
	.typed_s = 60,
	.sent_s = 100,
	.came_s = 99,
	.age_s = 600 };

static uint64_t utc(double before_s)
{
	return (uint64_t)((int64_t)at(-before_s) + REALTIME_NS);
}

static void session_at(double s, const struct agent_made *m)
{
	struct proc_session p = { .record = head_of(s, PID, PROC_SESSION),
		.session_state = SOOTH_STATE_VALUE,
		.status_state = m->word_state ? m->word_state
				: m->word     ? SOOTH_STATE_VALUE
					      : SOOTH_STATE_ABSENT,
		.activity_state = m->said_state,
		.activity_utc_ns = utc(m->said_s),
		.turn_state = m->attempts ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.turn = PROC_TURN_MODEL,
		.turn_utc_ns = utc(m->asked_s - LAST_S),
		.attempts = m->attempts,
		.error_state = SOOTH_STATE_ABSENT,
		.tool_state = SOOTH_STATE_ABSENT,
		.version_state = SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { put_text(&p.session, "sess-x"),
		put_text(&p.status, m->word) };

	RECORD_APPEND(&records, &p, tail, 2);
}

/* --- tool-loop --- */

static struct proc_session looping = { .turn = PROC_TURN_MODEL,
	.repeats = 6,
	.repeated_calls = 1,
	.repeats_since_utc_ns = NS_PER_S,
	.repeats_until_utc_ns = 31 * NS_PER_S };

static void loops(struct proc_session p)
{
	struct record_tail tail[] = { put_text(&p.repeated, "Bash") };

	is_there();
	p.record = head_of(5, PID, PROC_SESSION);
	RECORD_APPEND(&records, &p, tail, 1);
}

static void loops_times(double times)
{
	struct proc_session p = looping;

	p.repeats = (uint32_t)times;
	loops(p);
}

static void loops_until(double s)
{
	struct proc_session p = looping;

	p.repeats_until_utc_ns = (uint64_t)(s * NS_PER_S);
	loops(p);
}

static void loops_in_turn(double calls)
{
	struct proc_session p = looping;

	p.repeated_calls = (uint8_t)calls;
	loops(p);
}

static void loops_in(double turn)
{
	struct proc_session p = looping;

	p.turn = (uint8_t)turn;
	loops(p);
}

static void has_no_log(double state)
{
	struct proc_session p = looping;

	p.repeats_state = (uint8_t)state;
	loops(p);
}

static void test_tool_loop(void **state)
{
	static const struct check_case cases[] = {
		{ "tool-loop", loops_times, 6, NULL,
			"medium/high: in a loop: the same call of Bash with the same result, 6 "
			"times in 30 s|[rounds: 6]" },
		{ "tool-loop", loops_times, 5, NULL,
			"=fine: its last tool call was made 5 times in "
			"a row\n" },
		{ "tool-loop", loops_times, 5, "tool-loop.min-times=5", "medium/high: " },
		{ "tool-loop", loops_until, 91, NULL, "medium/high: " },
		{ "tool-loop", loops_until, 92, NULL, "fine: " },
		{ "tool-loop", loops_in_turn, 2, NULL,
			"medium/high: in a loop: the same 2 tool calls in turn (last: Bash) with "
			"the same results, 6 rounds in 30 s" },
		{ "tool-loop", loops_in, PROC_TURN_TOOL, NULL, "medium/high: " },
		{ "tool-loop", loops_in, PROC_TURN_USER, NULL, "fine: " },
		{ "tool-loop", has_no_log, SOOTH_STATE_ABSENT, NULL,
			"=fine: its log has no tool calls since the last prompt\n" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- tokens-without-effect --- */

static struct proc_session spent = { .turn = PROC_TURN_MODEL,
	.spent_turns = 10,
	.spent_calls = 10,
	.spent_input_tokens = 1200000,
	.spent_output_tokens = 3000,
	.unprompted_turns = 40 };

/* The last effect was 60 s before the last answer, that one a second before the end. */
static void spends(struct proc_session p, double answer_s)
{
	uint64_t now = at(LAST_S) + REALTIME_NS;

	is_there();
	p.record = head_of(5, PID, PROC_SESSION);
	p.answer_utc_ns = now - (uint64_t)(answer_s * S_NS);
	p.effect_utc_ns = p.answer_utc_ns - (uint64_t)(60 * S_NS);
	p.prompt_utc_ns = p.effect_utc_ns - (uint64_t)(60 * S_NS);
	RECORD_APPEND(&records, &p, NULL, 0);
}

static void spends_turns(double turns)
{
	struct proc_session p = spent;

	p.spent_turns = (uint32_t)turns;
	spends(p, 1);
}

/* A long thought, or a poll on purpose: 60 s over so few answers. */
static void spends_without_calls(double turns)
{
	struct proc_session p = spent;

	p.spent_turns = (uint32_t)turns;
	p.spent_calls = 0;
	spends(p, 1);
}

static void spends_tokens(double tokens)
{
	struct proc_session p = spent;

	p.spent_input_tokens = (uint64_t)tokens;
	p.spent_output_tokens = 0;
	spends(p, 1);
}

static void spent_until(double ago_s)
{
	spends(spent, ago_s);
}

static void spends_in(double turn)
{
	struct proc_session p = spent;

	p.turn = (uint8_t)turn;
	spends(p, 1);
}

/* Each answer ends a turn, and no user writes. */
static void goes_on_for(double ago_s)
{
	struct proc_session p = spent;

	p.turn = PROC_TURN_USER;
	p.spent_turns = 20;
	p.spent_calls = 0;
	spends(p, ago_s);
}

static void spends_with(double state)
{
	struct proc_session p = spent;

	p.progress_state = (uint8_t)state;
	spends(p, 1);
}

static void test_tokens(void **state)
{
	static const struct check_case cases[] = {
		{ "tokens-without-effect", spends_turns, 10, NULL,
			"medium/medium: 1.2M tokens in 1 min without an effect: 10 answers of the "
			"model, 10 tool calls with results that were there before, and no prompt "
			"of "
			"the user|[answers since the user's last prompt: 40 over 2m00s]" },
		{ "tokens-without-effect", spends_turns, 9, NULL,
			"=fine: 9 answers since the last effect\n" },
		{ "tokens-without-effect", spends_turns, 2, "tokens-without-effect.min-turns=2",
			"medium/medium: " },
		{ "tokens-without-effect", spends_turns, 10, "tokens-without-effect.max-pace=5s",
			"fine: " },
		{ "tokens-without-effect", spends_without_calls, 12, NULL,
			"medium/medium: |no tool call, and no prompt of the user" },
		{ "tokens-without-effect", spends_without_calls, 1, NULL,
			"=fine: 1 answer since the last effect\n" },
		{ "tokens-without-effect", spends_tokens, 20000, NULL, "medium/medium: " },
		{ "tokens-without-effect", spends_tokens, 19999, NULL, "fine: " },
		{ "tokens-without-effect", spent_until, 299, NULL, "medium/medium: " },
		{ "tokens-without-effect", spent_until, 301, NULL, "fine: " },
		{ "tokens-without-effect", spends_in, PROC_TURN_USER, NULL, "fine: " },
		{ "tokens-without-effect", goes_on_for, 5, NULL, "medium/medium: " },
		{ "tokens-without-effect", goes_on_for, 60, NULL, "fine: " },
		{ "tokens-without-effect", spends_with, SOOTH_STATE_ABSENT, NULL,
			"=fine: no main process of an agent with a log of its answers\n" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- mcp-failing --- */

static struct proc_session calling = { .turn = PROC_TURN_MODEL,
	.mcp_calls = 4,
	.mcp_errors = 1,
	.mcp_total_ns = 8 * NS_PER_S,
	.mcp_longest_ns = 5 * NS_PER_S };

static void calls(struct proc_session p, const char *call)
{
	struct record_tail tail[] = { put_text(&p.mcp, "files"), put_text(&p.call, call),
		put_text(&p.mcp_log, "files") };

	runs = CLAUDE;
	is_there();
	p.record = head_of(5, PID, PROC_SESSION);
	p.status_state = p.session_state = SOOTH_STATE_ABSENT;
	p.call_state = call ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	RECORD_APPEND(&records, &p, tail, 3);
}

static void answers_with_errors(double errors)
{
	struct proc_session p = calling;

	p.mcp_errors = (uint32_t)errors;
	calls(p, NULL);
}

static void answers_in(double mean_s)
{
	struct proc_session p = calling;

	p.mcp_total_ns = (uint64_t)(mean_s * S_NS) * p.mcp_calls;
	calls(p, NULL);
}

static void answers_late(double count)
{
	struct proc_session p = calling;

	p.mcp_calls = (uint32_t)count;
	p.mcp_total_ns = (uint64_t)(100 * S_NS) * p.mcp_calls;
	calls(p, NULL);
}

static void call_is_open(double for_s)
{
	struct proc_session p = calling;

	p.turn = PROC_TURN_TOOL;
	p.turn_utc_ns = at(LAST_S) + REALTIME_NS - (uint64_t)(for_s * S_NS);
	calls(p, "mcp__files__read");
}

static void calls_without_log(double state)
{
	struct proc_session p = calling;

	p.mcp_state = (uint8_t)state;
	calls(p, NULL);
}

/* Began to connect 20 s ago. */
static void starts_server(double how)
{
	struct proc_session p = calling;

	p.mcp_start = (uint8_t)how;
	p.mcp_start_utc_ns = at(LAST_S) + REALTIME_NS - 20 * NS_PER_S;
	calls(p, NULL);
}

static void prints_words(double lines)
{
	struct proc_session p = calling;

	p.mcp_start = PROC_MCP_CONNECTED;
	p.mcp_word_lines = (uint32_t)lines;
	calls(p, NULL);
}

static void test_mcp_calls(void **state)
{
	static const struct check_case cases[] = {
		{ "mcp-failing", answers_with_errors, 2, NULL,
			"medium/high: MCP server files answers with errors: 2 of 4 calls|[answers: "
			"4] [answers with an error: 2] [mean time to an answer: 2.00s]" },
		{ "mcp-failing", answers_with_errors, 1, NULL,
			"=fine: 4 calls of MCP servers answered, 1 with an error\n" },
		{ "mcp-failing", answers_in, 20, NULL,
			"low/medium: MCP server files answers after 20 s in the mean, 4 calls|" },
		{ "mcp-failing", answers_in, 19, NULL, "fine: " },
		{ "mcp-failing", answers_late, 3, NULL, "fine: " },
		{ "mcp-failing", answers_late, 3, "mcp-failing.min-calls=3", "low/medium: " },
		{ "mcp-failing", call_is_open, 61, NULL,
			"medium/medium: waits for MCP server files: no answer to its call for 1 "
			"min 1 "
			"s|" },
		{ "mcp-failing", call_is_open, 59, NULL, "fine: " },
		{ "mcp-failing", calls_without_log, SOOTH_STATE_ABSENT, NULL,
			"=fine: no call of an MCP server in a log\n" },
		{ "mcp-failing", starts_server, PROC_MCP_CONNECTS, NULL,
			"medium/high: MCP server files has not answered initialize for 20 s: "
			"Claude "
			"Code waits and has no tool of it|" },
		{ "mcp-failing", starts_server, PROC_MCP_CONNECTS, "mcp-failing.min-start=30s",
			"fine: " },
		{ "mcp-failing", starts_server, PROC_MCP_MUTE, NULL,
			"medium/high: |Claude Code gave up and has no tool of it" },
		{ "mcp-failing", starts_server, PROC_MCP_FAILED, NULL,
			"medium/high: MCP server files did not start, or closed its connection at "
			"once: Claude Code has no tool of it|" },
		{ "mcp-failing", starts_server, PROC_MCP_CONNECTED, NULL, "fine: " },
		{ "mcp-failing", prints_words, 3, NULL,
			"low/high: MCP server files prints text beside its messages on standard "
			"output: 3 lines|" },
	};

	(void)state;
	TRY_CASES(cases);
}

static void links_at(double s, const struct agent_made *m)
{
	struct proc_ties t = { .record = head_of(s, PID, PROC_LINKS),
		.pid_namespace = 1,
		.inner_pid = PID,
		.stream = { m->is_closed ? PROC_STREAM_NULL : PROC_STREAM_TERMINAL },
		.input_state = m->has_terminal ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.input_utc_ns = utc(m->typed_s) };

	RECORD_APPEND(&records, &t, NULL, 0);
}

/* Both ends of it: data came so long ago. */
static void own_connection(double s, double ago_s)
{
	uint64_t ago_ns = (uint64_t)(ago_s * S_NS);

	for (uint16_t end = 0; end < 2; end++)
		socket_at(s, (struct sockets_socket){ .inode = 10 + end,
				     .side = end ? SOCKETS_SIDE_ACCEPTED : SOCKETS_SIDE_MADE,
				     .local_port = end ? 4500 : 50010,
				     .peer_port = end ? 50010 : 4500,
				     .sent_bytes = 10,
				     .received_bytes = 10,
				     .sent_ago_ns = ago_ns,
				     .received_ago_ns = ago_ns });
}

static void agent(struct agent_made m)
{
	started_s = FROM_S + LAST_S - m.age_s;
	runs = m.is_command ? "/bin/thing" : m.attempts ? KNOWN_CLAUDE : CLAUDE;
	for (int i = 0; i < LOOKS; i++) {
		process_at(i,
			(struct proc_process){ .cpu_ns = (uint64_t)(i * m.cpu / 100 * S_NS),
				.is_foreground = true },
			"claude");
		links_at(i, &m);
		session_at(i, &m);
		process_at(i,
			(struct proc_process){ .record.pid = 200000,
				.ppid = PID,
				.cpu_ns = (uint64_t)(i * m.child_cpu / 100 * S_NS) },
			"child");
		all_reported(i);
	}
	for (int reading = 0; reading < 2; reading++) {
		double ago_s = LAST_S * (1 - reading);

		socket_at(reading * LAST_S,
			(struct sockets_socket){ .sent_bytes = 500,
				.received_bytes = 1000,
				.sent_ago_ns = (uint64_t)(int64_t)((m.sent_s - ago_s) * S_NS),
				.received_ago_ns =
					(uint64_t)(int64_t)((m.came_s - ago_s) * S_NS) });
		if (m.own_s)
			own_connection(reading * LAST_S, m.own_s);
		sockets_read(reading * LAST_S, m.own_s ? 3 : 1, m.sockets_state);
	}
}

#define AGENT(name, base, member)                                                                  \
	static void name(double value)                                                             \
	{                                                                                          \
		struct agent_made m = base;                                                        \
                                                                                                   \
		m.member = (__typeof__(m.member))value;                                            \
		agent(m);                                                                          \
	}

/* --- idle-cpu --- */

static const struct agent_made busy = { .cpu = 40,
	.word = "busy",
	.said_s = 60,
	.typed_s = 60,
	.sent_s = 100,
	.came_s = 99,
	.age_s = 600 };
static const struct agent_made silent = {
	.cpu = 40, .has_terminal = true, .typed_s = 60, .sent_s = 100, .came_s = 99, .age_s = 600
};

AGENT(idle_cpu, idle, cpu)
AGENT(idle_age, idle, age_s)
AGENT(idle_said, idle, said_s)
AGENT(idle_sent, idle, sent_s)
AGENT(idle_came, idle, came_s)
AGENT(idle_child, idle, child_cpu)
AGENT(idle_word_hidden, idle, word_state)
AGENT(idle_time_hidden, idle, said_state)
AGENT(idle_sockets_hidden, idle, sockets_state)
AGENT(idle_is_command, idle, is_command)
AGENT(busy_cpu, busy, cpu)
AGENT(busy_said, busy, said_s)
AGENT(silent_cpu, silent, cpu)
AGENT(silent_terminal, silent, has_terminal)
AGENT(silent_typed, silent, typed_s)

static void idle_with_threads(double cpu)
{
	agent(idle);
	thread((struct thread_made){ .name = "claude", .cpu = cpu });
	thread((struct thread_made){ .tid = PID + 1, .name = "HeapHelper", .cpu = 30 });
	threads_read(2);
}

static void test_idle_cpu(void **state)
{
	static const struct check_case cases[] = {
		{ "idle-cpu", idle_cpu, 10, NULL,
			"=medium/high: the agent uses 10 % CPU while it waits for its user [CPU: "
			"10 % over 5.00s] [self-reported status: idle] [connections: silent] "
			"(unseen: how much the process reads and writes: only its user and root "
			"can see it) (unseen: which function of the agent uses the CPU) <sooth "
			"inspect --threads 99 shows the busy threads, sooth trace -c -p 99 their "
			"system calls; restarting the agent helps for a while>\n" },
		{ "idle-cpu", idle_cpu, 9, NULL,
			"=fine: the agent waits for its user and uses 9.0 % CPU\n" },
		{ "idle-cpu", idle_age, 60, NULL, "medium/high: " },
		{ "idle-cpu", idle_age, 59, NULL,
			"blind: this check needs a process older than 1 min" },
		{ "idle-cpu", idle_said, 1, NULL, "medium/high: " },
		{ "idle-cpu", idle_said, 0, NULL,
			"=fine: the agent is at work and uses 20.0 % CPU\n" },
		{ "idle-cpu", idle_sent, 5, NULL, "medium/high: " },
		{ "idle-cpu", idle_sent, 4.9, NULL, "fine: the agent is at work" },
		{ "idle-cpu", idle_came, 5, NULL, "medium/high: " },
		{ "idle-cpu", idle_came, 4.9, NULL, "fine: the agent is at work" },
		{ "idle-cpu", idle_child, 5, NULL, "medium/high: " },
		{ "idle-cpu", idle_child, 6, NULL, "fine: the agent is at work" },
		{ "idle-cpu", idle_word_hidden, HIDDEN, NULL,
			"blind: permission denied <run sooth as the user of the process" },
		{ "idle-cpu", idle_word_hidden, SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED), NULL,
			"fine: the agent is at work" },
		{ "idle-cpu", idle_word_hidden, SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT), NULL,
			"fine: the agent is at work" },
		{ "idle-cpu", idle_time_hidden, SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT), NULL,
			"fine: the agent is at work" },
		{ "idle-cpu", idle_time_hidden, HIDDEN, NULL,
			"blind: permission denied <run sooth as the user of the process" },
		{ "idle-cpu", idle_sockets_hidden, HIDDEN, NULL,
			"blind: |<run sooth as the user of the process" },
		{ "idle-cpu", idle_sockets_hidden, SOOTH_STATE_TRUNCATED, NULL, "blind: " },
		{ "idle-cpu", idle_is_command, 1, NULL, "=fine: this is not an idle agent\n" },
		{ "idle-cpu", busy_cpu, 30, NULL,
			"low/low: the agent uses 30 % CPU while it waits for its model or a "
			"tool|[self-reported status: busy]" },
		{ "idle-cpu", busy_cpu, 29, NULL, "fine: the agent waits for its model or a tool" },
		{ "idle-cpu", busy_said, 0, NULL, "fine: the agent is at work" },
		{ "idle-cpu", silent_cpu, 30, NULL,
			"low/low: the agent uses 30 % CPU while it waits for its user or model "
			"(probably)|[terminal: no input]|!status:" },
		{ "idle-cpu", silent_cpu, 29, NULL, "fine: the agent waits for its user or model" },
		{ "idle-cpu", silent_terminal, 0, NULL, "fine: the agent is at work" },
		/* The kernel tells to eight seconds when somebody typed. */
		{ "idle-cpu", silent_typed, 9, NULL, "low/low: " },
		{ "idle-cpu", silent_typed, 8, NULL, "fine: the agent is at work" },
		{ "idle-cpu", idle_with_threads, 10, NULL,
			"medium/high: |[CPU use by thread role: gc: 30.0 %] [CPU use by thread "
			"role: main: 10.0 %]" },
		{ "idle-cpu", idle_with_threads, 1, NULL, "medium/high: |!role: main" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- stream-stalled, of an agent --- */

static const struct agent_made asking = {
	.cpu = 1, .word = "busy", .said_s = 60, .sent_s = 40, .came_s = 50, .age_s = 600
};
/* An answer, or its beginning, came last. */
static const struct agent_made answered = {
	.cpu = 1, .word = "busy", .said_s = 60, .sent_s = 42, .came_s = 40, .age_s = 600
};

AGENT(asking_since, asking, sent_s)
AGENT(asking_word_hidden, asking, word_state)
AGENT(asking_child, asking, child_cpu)
AGENT(answered_since, answered, came_s)
AGENT(answered_cpu, answered, cpu)
AGENT(answered_own, answered, own_s)

static void asks_and_says(double which)
{
	static const char *const words[] = { "idle", "busy", NULL };
	struct agent_made m = asking;

	m.word = words[(size_t)which];
	agent(m);
}

/* Nobody could ask it anything more. */
static void asks_without_input(double is_closed)
{
	struct agent_made m = asking;

	m.word = NULL;
	m.is_closed = is_closed > 0;
	agent(m);
}

static void answered_and_says(double which)
{
	static const char *const words[] = { "idle", "busy", NULL };
	struct agent_made m = answered;

	m.word = words[(size_t)which];
	agent(m);
}

/* Claude Code repeats a request after 300 s without data: by its log, since `asked_s`. */
static void asks_again(double asked_s)
{
	struct agent_made m = asking;

	m.attempts = 3;
	m.asked_s = asked_s;
	m.sent_s = 5;
	m.came_s = 6;
	agent(m);
}

/* Its connection looks like one at rest, whose data came last. */
static void asks_again_at_rest(double came_s)
{
	struct agent_made m = asking;

	m.attempts = 3;
	m.asked_s = 625;
	m.sent_s = came_s + 0.05;
	m.came_s = came_s;
	agent(m);
}

static void test_streams(void **state)
{
	static const struct check_case cases[] = {
		{ "stream-stalled", asking_since, 30, NULL,
			"medium/high: waiting for the model: no data from HTTPS (10.0.0.1:443) for "
			"30 s|[network: "
			"fine: everything|[agent: status busy]" },
		{ "stream-stalled", asking_since, 29.9, NULL, "fine: " },
		{ "stream-stalled", asks_and_says, 0, NULL, "fine: " },
		{ "stream-stalled", asks_and_says, 1, NULL, "medium/high: " },
		{ "stream-stalled", asks_and_says, 2, NULL, "medium/medium: |!busy" },
		{ "stream-stalled", asking_word_hidden, HIDDEN, NULL, "medium/medium: " },
		{ "stream-stalled", asks_without_input, 1, NULL,
			"medium/high: |[agent: input closed]" },
		{ "stream-stalled", asks_without_input, 0, NULL, "medium/medium: " },
		{ "stream-stalled", answered_since, 30, NULL,
			"medium/low: waiting for the model: no data from HTTPS (10.0.0.1:443) for "
			"30 s (status "
			"busy, no tool running)|(unseen: whether the answer was complete" },
		{ "stream-stalled", answered_since, 29.9, NULL, "fine: " },
		{ "stream-stalled", answered_and_says, 0, NULL, "fine: " },
		{ "stream-stalled", answered_and_says, 1, NULL, "medium/low: " },
		{ "stream-stalled", answered_and_says, 2, NULL, "fine: " },
		{ "stream-stalled", answered_cpu, 49, NULL, "medium/low: " },
		{ "stream-stalled", answered_cpu, 50, NULL, "fine: " },
		/* As that of Codex between its daemon and its window. */
		{ "stream-stalled", answered_own, 1, NULL,
			"medium/low: waiting for HTTPS (10.0.0.1:443): no data for 40 s" },
		{ "stream-stalled", answered_own, 35, NULL,
			"medium/low: waiting for HTTPS (10.0.0.1:443): no data for 40 s" },
		{ "stream-stalled", asking_child, 50, NULL, "medium/high: " },
		{ "stream-stalled", asks_again, 625, NULL,
			"medium/high: waiting for HTTPS (10.0.0.1:443): no answer for 10 min 25 "
			"s, in 3 attempts|[attempts: 3]" },
		/* Two attempts that took less: they failed. */
		{ "stream-stalled", asks_again, 500, NULL, "fine: " },
		{ "stream-stalled", asks_again_at_rest, 20, NULL,
			"medium/medium: waiting for the model: no answer for 10 min 25 s, in 3 "
			"attempts|(unseen: whether an attempt" },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle_cpu),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_tool_loop),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_mcp_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
