/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings about all children of one kind together. */
#include "check_records.h"

#include "probes/waits.h"

#define FIRST 200

/* Each value differs from one of a sick group in a single case. */
static struct group {
	uint32_t session, process_group, parent; /* of the children */
	uint32_t own_session, terminal;		 /* of the process that is judged */
	const char *name;			 /* of that process */
} group;

static uint32_t sibling; /* a process of the same group; 0: none */

static void group_of(struct group of)
{
	group = of;
}

static void process_of(int i)
{
	process_at(i, (struct proc_process){ .record.pid = 1, .session = 1, .process_group = 1 },
		"init");
	if (sibling)
		process_at(i,
			(struct proc_process){
				.record.pid = 95, .session = 90, .process_group = 90 },
			"script");
	process_at(i,
		(struct proc_process){ .ppid = sibling ? 95 : 1,
			.session = group.own_session,
			.process_group = 90,
			.terminal = group.terminal,
			.descriptors = 10 },
		group.name ? group.name : "thing");
}

static void children_live(double count)
{
	for (int i = 0; i < LOOKS; i++) {
		process_of(i);
		for (uint32_t n = 0; n < (uint32_t)count; n++)
			process_at(i,
				(struct proc_process){ .record.pid = FIRST + n,
					.ppid = group.parent,
					.session = group.session,
					.process_group = group.process_group,
					.rss_bytes = 10 << 20 },
				"helper");
		if (sibling)
			process_at(i,
				(struct proc_process){ .record.pid = sibling,
					.ppid = 95,
					.session = 90,
					.process_group = 90 },
				"sibling");
		all_reported(i);
	}
}

static void they_lost_their_parent(double count)
{
	group_of((struct group){ 90, 90, 1, 90, 0, NULL });
	children_live(count);
}

static void its_session_lost_them(double count)
{
	group_of((struct group){ PID, 150, 1, PID, 0, NULL });
	children_live(count);
}

static void another_may_have_started_them(double pid)
{
	sibling = (uint32_t)pid;
	they_lost_their_parent(5);
	sibling = 0;
}

static void they_are_of_another_group(double count)
{
	group_of((struct group){ 90, 150, 1, 90, 0, NULL });
	children_live(count);
}

static void they_lead_a_session(double count)
{
	group_of((struct group){ FIRST, FIRST, 1, 90, 0, NULL });
	children_live(count);
}

static void it_has_them(double count)
{
	group_of((struct group){ 90, 90, PID, 90, 0, NULL });
	children_live(count);
}

static void they_started_first(double count)
{
	started_s = 500;
	they_lost_their_parent(count);
}

static void it_is_a_shell_at_a_terminal(double terminal)
{
	group_of((struct group){ PID, 150, 1, PID, (uint32_t)terminal, "bash" });
	runs = "/bin/bash";
	children_live(9);
}

static void test_left(void **state)
{
	static const struct check_case cases[] = {
		{ "children-left", they_lost_their_parent, 5, NULL,
			"medium/medium: 5 processes (helper) of its process group have lost their "
			"parent and still run: 50.0 MiB|process group 90, and their parent is now "
			"init (1)|sooth kill --any 200 201 202 203 204>" },
		{ "children-left", another_may_have_started_them, 199, NULL, "fine: |children: 0" },
		{ "children-left", another_may_have_started_them, 205, NULL, "medium/medium: 5 " },
		{ "children-left", its_session_lost_them, 5, NULL,
			"medium/high: 5 processes (helper) that its ended children started|session "
			"99, and" },
		{ "children-left", they_lost_their_parent, 4, NULL, "fine: |children: 4" },
		{ "children-left", they_lost_their_parent, 4, "children-left.min-count=4",
			"medium/medium: 4 " },
		{ "children-left", they_lost_their_parent, 5, "children-left.min-age=1h",
			"blind: " },
		{ "children-left", they_are_of_another_group, 9, NULL, "fine: |children: 0" },
		{ "children-left", they_lead_a_session, 9, NULL, "fine: |children: 0" },
		{ "children-left", it_has_them, 9, NULL, "fine: |children: 0" },
		{ "children-left", they_started_first, 9, NULL, "fine: |children: 0" },
		{ "children-left", it_is_a_shell_at_a_terminal, 0, NULL, "medium/high: 9 " },
		{ "children-left", it_is_a_shell_at_a_terminal, 34816, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- children-blocked --- */

static struct blocked {
	int count;
	const char *channel, *point; /* "": no mount is known */
	char state;
	uint32_t server; /* 0: not known */
	uint32_t parent; /* of the children */
} blocked;

static void waits_of_child(uint32_t pid, double waited_s)
{
	struct waits_process p = { .record = head_of(LOOKS - 1, PID, WAITS_PROCESS),
		.node_start_ticks = start_of(pid),
		.node_pid = pid,
		.depth = 1,
		.ppid = blocked.parent,
		.threads = 1,
		.state = blocked.state };
	struct waits_thread t = { .record = head_of(LOOKS - 1, PID, WAITS_THREAD),
		.node_start_ticks = start_of(pid),
		.node_pid = pid,
		.state = blocked.state,
		.since_ns = (uint64_t)(waited_s * 1e9),
		.call_state = SOOTH_STATE_ABSENT,
		.timeout_state = SOOTH_STATE_ABSENT };
	struct waits_party server = { .record = head_of(LOOKS - 1, PID, WAITS_PARTY),
		.node_start_ticks = start_of(pid),
		.node_pid = pid,
		.party_pid = blocked.server,
		.relation = WAITS_RELATION_DAEMON,
		.confidence = WAITS_HIGH,
		.is_alive = true,
		.waiting_fd = WAITS_NO_FD };
	struct record_tail names[] = { put_text(&p.name, "ls") };
	struct record_tail of_thread[] = { put_text(&t.name, "ls"),
		put_text(&t.wait_channel, blocked.channel) };
	struct record_tail of_server[] = { put_text(&server.name, "sshfs"),
		put_text(&server.detail, blocked.point) };

	t.record.tid = server.record.tid = pid;
	RECORD_APPEND(&records, &t, of_thread, 2);
	if (*blocked.point)
		RECORD_APPEND(&records, &server, of_server, 2);
	RECORD_APPEND(&records, &p, names, 1);
}

static void they_wait(double waited_s)
{
	struct waits_snapshot end = { .record = head_of(LOOKS - 1, PID, WAITS_SNAPSHOT) };
	struct waits_process own = { .record = head_of(LOOKS - 1, PID, WAITS_PROCESS),
		.node_start_ticks = start_of(PID),
		.node_pid = PID,
		.state = 'S' };
	struct record_tail name[] = { put_text(&own.name, "thing") };

	add_source("waits");
	group_of((struct group){ 90, 90, blocked.parent, 90, 0, NULL });
	children_live(blocked.count);
	RECORD_APPEND(&records, &own, name, 1);
	for (int i = 0; i < blocked.count; i++)
		waits_of_child(FIRST + (uint32_t)i, waited_s);
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void they_wait_for_a_mount(double waited_s)
{
	blocked = (struct blocked){ 4, "request_wait_answer", "/mnt/x", 'S', 70, PID };
	they_wait(waited_s);
}

static void so_many_wait(double count)
{
	blocked = (struct blocked){ (int)count, "request_wait_answer", "/mnt/x", 'S', 70, PID };
	they_wait(60);
}

static void they_wait_for_a_server_elsewhere(double waited_s)
{
	blocked = (struct blocked){ 4, "nfs_wait_bit_killable", "/mnt/x", 'D', 0, PID };
	they_wait(waited_s);
}

static void they_wait_for_a_disk(double waited_s)
{
	blocked = (struct blocked){ 4, "io_schedule", "", 'D', 0, PID };
	they_wait(waited_s);
}

static void they_read_a_pipe(double waited_s)
{
	blocked = (struct blocked){ 4, "pipe_read", "", 'S', 0, PID };
	they_wait(waited_s);
}

static void strangers_wait(double waited_s)
{
	blocked = (struct blocked){ 4, "request_wait_answer", "/mnt/x", 'S', 70, 1 };
	they_wait(waited_s);
}

static void test_blocked(void **state)
{
	static const struct check_case cases[] = {
		{ "children-blocked", they_wait_for_a_mount, 60, NULL,
			"high/high: 4 processes (helper) that it started wait for /mnt/x, because "
			"its server sshfs (70) does not answer: up to 1 min |{path /mnt/x}|"
			"[processes: 200, 201, 202, 203]|<sooth why 70 shows" },
		{ "children-blocked", they_wait_for_a_mount, 1.4, NULL, "fine: |: 0" },
		{ "children-blocked", they_wait_for_a_mount, 1.4, "children-blocked.min-time=1s",
			"high/high: 4 " },
		{ "children-blocked", so_many_wait, 3, NULL, "high/high: 3 " },
		{ "children-blocked", so_many_wait, 2, NULL, "fine: |: 2" },
		{ "children-blocked", so_many_wait, 40, NULL, "high/high: 32 or more " },
		{ "children-blocked", they_wait_for_a_server_elsewhere, 60, NULL,
			"high/high: |wait for /mnt/x, which does not answer: up to|"
			"(unseen: which process or host serves the file system)" },
		{ "children-blocked", they_wait_for_a_disk, 60, NULL,
			"high/high: |wait for a file or device: up to|[kernel function: "
			"io_schedule]"
			"|dmesg" },
		{ "children-blocked", they_read_a_pipe, 60, NULL, "fine: |: 0" },
		{ "children-blocked", strangers_wait, 60, NULL, "fine: |: 0" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- children-idle --- */

#define NEWEST 10040 /* started 0.6 s before the last sample (start_of) */

static struct pool {
	unsigned count;
	double pace_s;	  /* between two starts */
	double stopped_s; /* since the newest */
	double busy;	  /* so many use CPU */
	bool one_ends;
} pool;

/* Each is there from its start on. */
static void pool_lives(void)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .descriptors = 10 }, "thing");
		for (unsigned n = 0; n < pool.count; n++) {
			double before_s = pool.stopped_s + n * pool.pace_s;
			uint32_t pid = NEWEST - (uint32_t)(before_s * 10);
			struct proc_process p = { .record = head_of(i, pid, PROC_PROCESS),
				.ppid = PID,
				.threads = 1,
				.state = 'S',
				.cpu_ns = NS_PER_MS * (n < (unsigned)pool.busy ? (uint64_t)i : 1),
				.rss_bytes = 1 << 20 };
			char arguments[] = "node\0work.js\0--id=10";
			struct record_tail tail[] = { put_text(&p.name, "node"),
				{ &p.arguments, arguments, sizeof(arguments) } };

			snprintf(arguments + sizeof(arguments) - 3, 3, "%u", n + 10);
			if ((double)start_of(pid) / 100 > FROM_S + i ||
				(pool.one_ends && i && n == pool.count - 1))
				continue;
			RECORD_APPEND(&records, &p, tail, 2);
		}
		all_reported(i);
	}
}

static void children_come(double pace_s)
{
	pool = (struct pool){ .count = 20, .pace_s = pace_s };
	pool_lives();
}

static void so_many_come(double count)
{
	pool = (struct pool){ .count = (unsigned)count, .pace_s = 1.5 };
	pool_lives();
}

static void none_has_come_for(double stopped_s)
{
	pool = (struct pool){ .count = 20, .pace_s = 1.5, .stopped_s = stopped_s };
	pool_lives();
}

static void some_are_busy(double busy)
{
	pool = (struct pool){ .count = 20, .pace_s = 1.5, .busy = busy };
	pool_lives();
}

static void one_ends(double ends)
{
	pool = (struct pool){ .count = 20, .pace_s = 1.5, .one_ends = ends > 0 };
	pool_lives();
}

/* --- sessions that the daemon of an agent keeps --- */

static void agent_at(double s, uint32_t pid, uint32_t ppid, struct span arguments)
{
	struct proc_process p = { .record = head_of(s, pid, PROC_PROCESS),
		.ppid = ppid,
		.threads = 1,
		.state = 'S',
		.rss_bytes = 100 << 20 };
	struct record_tail tail[] = { put_text(&p.name, "claude"), put_text(&p.executable, CLAUDE),
		{ &p.arguments, arguments.data, arguments.size } };

	RECORD_APPEND(&records, &p, tail, 3);
}

static void background_session_at(double s, uint32_t pid, const char *status, double idle_s)
{
	struct proc_session p = { .record = head_of(s, pid, PROC_SESSION),
		.changed_utc_ns = at(LOOKS - 1) + REALTIME_NS - (uint64_t)(idle_s * 1e9),
		.turn_state = SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { put_text(&p.session, "sess-x"), put_text(&p.status, status),
		put_text(&p.job, "2da0f287"), put_text(&p.job_status, "working") };

	RECORD_APPEND(&records, &p, tail, 4);
}

/* Each has a process that holds its terminal. */
static void daemon_keeps(unsigned count, const char *status, double idle_s)
{
	static const char daemon[] = "claude\0daemon\0run", host[] = "claude\0--bg-pty-host",
			  session[] = "claude\0--session-id\0x";

	for (int i = 0; i < LOOKS; i++) {
		agent_at(i, PID, 1, span_of(daemon, sizeof(daemon)));
		for (uint32_t n = 0; n < count; n++) {
			agent_at(i, 200 + n, 1, span_of(host, sizeof(host)));
			agent_at(i, 300 + n, 200 + n, span_of(session, sizeof(session)));
			background_session_at(i, 300 + n, status, idle_s);
		}
		all_reported(i);
	}
}

static void keeps_so_many(double count)
{
	daemon_keeps((unsigned)count, "idle", 7200);
}

static void keeps_idle_for(double idle_s)
{
	daemon_keeps(9, "idle", idle_s);
}

static void keeps_busy(double count)
{
	daemon_keeps((unsigned)count, "busy", 7200);
}

static void test_idle_sessions(void **state)
{
	static const struct check_case cases[] = {
		{ "children-idle", keeps_so_many, 8, NULL,
			"low/high: keeps 8 idle background sessions of Claude Code, each for at "
			"least 2 h, with 1.6 GiB|[idle sessions: 8]" },
		{ "children-idle", keeps_so_many, 7, NULL, "fine: " },
		{ "children-idle", keeps_so_many, 7, "children-idle.min-sessions=7", "low/high: " },
		{ "children-idle", keeps_idle_for, 3600, NULL, "low/high: " },
		{ "children-idle", keeps_idle_for, 3500, NULL, "fine: " },
		{ "children-idle", keeps_busy, 20, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_idle(void **state)
{
	static const struct check_case cases[] = {
		{ "children-idle", children_come, 1.5, NULL,
			"low/medium: 20 children (node) do nothing, with 20.0 MiB of memory; one "
			"more each 1.5 s, and none ends [command: node work.js --id=|"
			"[started during the observation: 3 over 5.00s]" },
		{ "children-idle", children_come, 1, NULL, "low/medium: |each 1 s" },
		{ "children-idle", children_come, 0.9, NULL, "fine: " },
		{ "process-flood", children_come, 1.5, NULL, "fine: " },
		{ "children-idle", so_many_come, 13, NULL, "low/medium: 13 " },
		{ "children-idle", so_many_come, 12, NULL, "fine: " },
		{ "children-idle", none_has_come_for, 2, NULL, "low/medium: " },
		{ "children-idle", none_has_come_for, 5, NULL, "fine: " },
		{ "children-idle", some_are_busy, 3, NULL, "low/medium: " },
		{ "children-idle", some_are_busy, 7, NULL, "fine: " },
		{ "children-idle", one_ends, 0, NULL, "low/medium: " },
		{ "children-idle", one_ends, 1, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_blocked),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_idle_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
