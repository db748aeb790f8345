/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings about threads that wait for what does not come, at both sides of their thresholds. */
#include <fcntl.h>
#include <signal.h>

#include "check_threads.h"

#include "probes/fds.h"
#include "probes/maps.h"
#include "probes/waits.h"

#define HIDDEN SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)

#define TWO_THREADS(name, base, member)                                                            \
	static void name(double value)                                                             \
	{                                                                                          \
		struct thread_made m = base, other = base;                                         \
                                                                                                   \
		m.member = (__typeof__(m.member))value;                                            \
		other.tid = PID + 1;                                                               \
		is_there();                                                                        \
		thread(other);                                                                     \
		thread(m);                                                                         \
		threads_read(2);                                                                   \
	}

/* --- all-threads-waiting --- */

/* 2: as glibc marks a lock that is held; 128: of this process alone. */
static const struct thread_made stuck = {
	.name = "stuck", .call = "futex", .arguments = { 0x1000, 128, 2 }
};

TWO_THREADS(stuck_but_runs, stuck, cpu)
TWO_THREADS(stuck_but_wakes, stuck, voluntary)
TWO_THREADS(stuck_but_switched, stuck, involuntary)
TWO_THREADS(stuck_with_timeout, stuck, arguments[3])
TWO_THREADS(stuck_with_value, stuck, arguments[2])
TWO_THREADS(stuck_unseen, stuck, syscall_state)
TWO_THREADS(stuck_uncounted, stuck, switches_state)
TWO_THREADS(stuck_looks, stuck, looks)
TWO_THREADS(stuck_running, stuck, running)

static void mapped(uint64_t from, uint64_t to, uint8_t protection)
{
	struct maps_mapping m = { .record = head_of(LOOKS - 1, PID, MAPS_MAPPING),
		.from = from,
		.to = to,
		.protection = protection,
		.path_state = SOOTH_STATE_ABSENT };
	struct maps_process p = { .record = head_of(LOOKS - 1, PID, MAPS_PROCESS), .mappings = 1 };

	RECORD_APPEND(&records, &m, NULL, 0);
	RECORD_APPEND(&records, &p, NULL, 0);
}

/* That it is its own the call does not say; the mapping does. */
static void stuck_in(double protection)
{
	is_there();
	for (uint32_t i = 0; i < 2; i++) {
		struct thread_made m = stuck;

		m.tid = PID + i;
		m.arguments[1] = 0;
		thread(m);
	}
	threads_read(2);
	if (protection >= 0)
		mapped(0x1000, 0x2000, (uint8_t)protection);
	else
		mapped(0x2000, 0x3000, MAPS_READ);
}

static void are_stuck(double count)
{
	is_there();
	for (uint32_t i = 0; i < (uint32_t)count; i++) {
		struct thread_made m = stuck;

		m.tid = PID + i;
		thread(m);
	}
	threads_read((uint32_t)count);
}

/* The only thread, at what holds such a value. */
static void one_is_stuck(double value)
{
	struct thread_made m = stuck;

	m.arguments[2] = (uint64_t)value;
	is_there();
	thread(m);
	threads_read(1);
}

static void none_is_locked(double value)
{
	struct thread_made m = stuck;

	m.arguments[2] = (uint64_t)value;
	is_there();
	thread(m);
	m.tid = PID + 1;
	thread(m);
	threads_read(2);
}

static void one_reads(double value)
{
	struct thread_made m = { .name = "reader", .call = "read", .tid = PID + 1 };

	(void)value;
	is_there();
	thread(stuck);
	thread(m);
	threads_read(2);
}

static void reads_stopped(double state)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .state = (char)state }, "thing");
		all_reported(i);
	}
	thread((struct thread_made){ .name = "reader", .call = "read" });
	threads_read(1);
}

/* --- records of the probe waits --- */

static void waits_process(double s, uint32_t pid)
{
	struct waits_process p = { .record = head_of(s, PID, WAITS_PROCESS),
		.node_pid = pid,
		.threads = 1,
		.state = 'S' };
	struct record_tail tail[] = { tail_string(&p.name, "other") };

	RECORD_APPEND(&records, &p, tail, 1);
}

static void waits_thread_since(
	double s, uint32_t pid, const char *call, uint64_t switches, double since_s)
{
	struct waits_thread t = { .record = head_of(s, PID, WAITS_THREAD),
		.node_pid = pid,
		.switches = switches,
		.since_ns = (uint64_t)(int64_t)(since_s * (double)NS_PER_S),
		.syscall = call_number(call),
		.state = 'S',
		.timeout_state = SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { tail_string(&t.name, "other") };

	t.record.tid = pid;
	RECORD_APPEND(&records, &t, tail, 1);
}

static void waits_thread(double s, uint32_t pid, const char *call, uint64_t switches)
{
	waits_thread_since(s, pid, call, switches, 60);
}

static void waits_object(double s, uint32_t pid, uint32_t fd, enum fds_type type)
{
	struct waits_object o = { .record = head_of(s, PID, WAITS_OBJECT),
		.node_pid = pid,
		.fd = fd,
		.type = (uint8_t)type,
		.role = WAITS_ROLE_CALL };
	struct record_tail tail[] = { tail_string(&o.path, "/tmp/x") };

	o.record.tid = pid;
	RECORD_APPEND(&records, &o, tail, 1);
}

static void waits_party(
	double s, uint32_t pid, enum waits_relation relation, uint32_t of, const char *name)
{
	struct waits_party p = { .record = head_of(s, PID, WAITS_PARTY),
		.node_pid = pid,
		.relation = (uint8_t)relation,
		.party_pid = of,
		.party_start_ticks = start_of(of),
		.fd = 1,
		.confidence = WAITS_HIGH,
		.is_alive = true };
	struct record_tail tail[] = { tail_string(&p.name, name) };

	p.record.tid = pid;
	RECORD_APPEND(&records, &p, tail, 1);
}

static void waits_end(double s)
{
	struct waits_snapshot end = { .record = head_of(s, PID, WAITS_SNAPSHOT) };

	RECORD_APPEND(&records, &end, NULL, 0);
}

/* Of another user: neither its call nor its descriptors could be read. */
static void waits_hidden(double state)
{
	is_there();
	add_source("waits");
	for (int i = 0; i < 2; i++) {
		double s = i * (LOOKS - 1);
		struct waits_process p = { .record = head_of(s, PID, WAITS_PROCESS),
			.node_pid = PID,
			.threads = 1,
			.detail_state = HIDDEN,
			.state = (char)state };
		struct waits_thread t = { .record = head_of(s, PID, WAITS_THREAD),
			.node_pid = PID,
			.call_state = HIDDEN,
			.channel_state = HIDDEN,
			.since_ns = 60 * NS_PER_S,
			.state = (char)state };

		t.record.tid = PID;
		RECORD_APPEND(&records, &p, NULL, 0);
		RECORD_APPEND(&records, &t, NULL, 0);
		waits_end(s);
	}
}

/* Two processes with a lock each; `value` context switches of the other in between. */
static void locks_crosswise(double value)
{
	struct thread_made m = { .name = "locks", .call = "flock", .arguments = { 3, 2 } };

	is_there();
	thread(m);
	threads_read(1);
	for (int i = 0; i < 2; i++) {
		double s = i * (LOOKS - 1);

		waits_process(s, PID);
		waits_thread(s, PID, "flock", 5);
		waits_object(s, PID, 3, FDS_FILE);
		waits_party(s, PID, WAITS_RELATION_LOCK, 200, "other");
		waits_process(s, 200);
		waits_thread(s, 200, "flock", (uint64_t)(i * value));
		waits_object(s, 200, 3, FDS_FILE);
		waits_party(s, 200, WAITS_RELATION_LOCK, PID, "thing");
		waits_end(s);
	}
}

/* Each reads what the other does not write; `value` 1: and a third could write. */
static void reads_crosswise(double value)
{
	struct thread_made m = { .name = "reads", .call = "read", .arguments = { 3 } };

	is_there();
	thread(m);
	threads_read(1);
	for (int i = 0; i < 2; i++) {
		double s = i * (LOOKS - 1);

		for (uint32_t pid = PID; pid <= 200; pid += 200 - PID) {
			waits_process(s, pid);
			waits_thread(s, pid, "read", 5);
			waits_object(s, pid, 3, FDS_PIPE);
			waits_party(s, pid, WAITS_RELATION_WRITER, pid == PID ? 200 : PID, "other");
			if (value > 0)
				waits_party(s, pid, WAITS_RELATION_WRITER, 300, "third");
		}
		waits_end(s);
	}
}

/* It reads what the other one writes last, and does not read the other's standard error, or (0) its
 * output. */
static void reads_too_little(double error)
{
	struct thread_made m = { .name = "reads", .call = "read", .arguments = { 3 } };

	is_there();
	thread(m);
	threads_read(1);
	for (int i = 0; i < 2; i++) {
		double s = i * (LOOKS - 1);

		waits_process(s, PID);
		waits_thread(s, PID, "read", 5);
		waits_object(s, PID, 3, FDS_PIPE);
		waits_party(s, PID, WAITS_RELATION_WRITER, 200, "other");
		waits_process(s, 200);
		waits_thread(s, 200, "write", 5);
		waits_object(s, 200, error > 0 ? 2 : 1, FDS_PIPE);
		waits_party(s, 200, WAITS_RELATION_READER, PID, "thing");
		waits_end(s);
	}
}

static struct stopped {
	const char *call, *parent; /* NULL: not known */
	uint32_t parents_group;
} stopped = { "read", NULL, 0 };

/* Stopped in a call on its terminal; `value` 1: while in the foreground. */
static void stopped_at_terminal(double value)
{
	struct waits_process p = { .record = head_of(LOOKS - 1, PID, WAITS_PROCESS),
		.node_pid = PID,
		.ppid = 80,
		.threads = 1,
		.state = 'T',
		.terminal = 1,
		.process_group = PID,
		.terminal_group = value > 0 ? PID : 80 };
	struct waits_thread t = { .record = head_of(LOOKS - 1, PID, WAITS_THREAD),
		.node_pid = PID,
		.state = 'T',
		.syscall = call_number(stopped.call) };
	struct record_tail process_tail[] = { tail_string(&p.name, "cat") };

	for (int i = 0; i < LOOKS; i++) {
		struct proc_process parent = { .record = head_of(i, 80, PROC_PROCESS),
			.ppid = 1,
			.state = 'S',
			.terminal = 1,
			.process_group = stopped.parents_group };
		struct record_tail parents_name[] = { put_text(&parent.name, stopped.parent) };

		if (stopped.parent)
			RECORD_APPEND(&records, &parent, parents_name, 1);
		process_at(i,
			(struct proc_process){ .ppid = stopped.parent ? 80 : 1, .state = 'T' },
			"thing");
		all_reported(i);
	}
	t.record.tid = PID;
	RECORD_APPEND(&records, &p, process_tail, 1);
	RECORD_APPEND(&records, &t, NULL, 0);
	if (!stopped.parent)
		waits_object(LOOKS - 1, PID, 0, FDS_PTY);
	waits_end(LOOKS - 1);
}

/* By Ctrl-Z; `group`: that of its parent, 80 in the foreground. */
static void suspended_by(const char *parent, double group)
{
	stopped = (struct stopped){ "kill", parent, (uint32_t)group };
	stopped_at_terminal(0);
	stopped = (struct stopped){ "read", NULL, 0 };
}

static void suspended_in_shell(double group)
{
	suspended_by("bash", group);
}

static void agent_suspended_in_shell(double group)
{
	runs = CLAUDE;
	suspended_in_shell(group);
}

static void suspended_by_program(double group)
{
	suspended_by("tool", group);
}

static void test_stopped_by_terminal(void **state)
{
	static const struct check_case cases[] = {
		{ "frozen", stopped_at_terminal, 0, NULL,
			"medium/high: stopped by its terminal: it is in the background and used "
			"/tmp/x |<bring it to the foreground with fg in its shell (80); sooth thaw "
			"does not help" },
		{ "frozen", stopped_at_terminal, 1, NULL,
			"medium/high: stopped by SIGSTOP (or|<resume with: sooth thaw --any 99 " },
		{ "frozen", suspended_in_shell, 80, NULL,
			"low/high: stopped by SIGSTOP or Ctrl-Z, in the background of its "
			"terminal; "
			"its shell has the foreground |<fg in its shell (80), or resume with: " },
		{ "frozen", suspended_in_shell, 70, NULL, "medium/high: |its terminal [" },
		{ "frozen", suspended_by_program, 80, NULL, "medium/high: |its terminal [" },
		{ "frozen", agent_suspended_in_shell, 80, NULL, "medium/high: |its terminal [" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- prompt-unanswered --- */

/* A program at a read of /dev/tty for so many seconds, where `typist` has the other end. */
static void asks_with(
	const char *program, const char *title, const char *call, const char *typist, double waited)
{
	struct waits_process p = { .record = head_of(LOOKS - 1, PID, WAITS_PROCESS),
		.node_pid = PID,
		.threads = 1,
		.state = 'S' };
	struct waits_object o = { .record = head_of(LOOKS - 1, PID, WAITS_OBJECT),
		.node_pid = PID,
		.fd = 4,
		.type = FDS_TTY,
		.role = WAITS_ROLE_CALL };
	struct record_tail process_tail[] = { tail_string(&p.name, program),
		tail_string(&p.title, title) };
	struct record_tail object_tail[] = { tail_string(&o.path, "/dev/tty") };

	o.record.tid = PID;
	is_there();
	add_source("waits");
	RECORD_APPEND(&records, &p, process_tail, 2);
	waits_thread_since(LOOKS - 1, PID, call, 5, waited);
	RECORD_APPEND(&records, &o, object_tail, 1);
	if (typist)
		waits_party(LOOKS - 1, PID, WAITS_RELATION_TERMINAL, 200, typist);
	waits_end(LOOKS - 1);
}

static void asks(const char *program, const char *call, const char *typist, double waited)
{
	asks_with(program, "", call, typist, waited);
}

/* An editor: of a merge's message, or of any file. */
static void editor_has(double is_of_git)
{
	asks_with("vim", is_of_git > 0 ? "vim /src/.git/MERGE_MSG" : "vim notes", "read", "python3",
		60);
}

static void git_asks(double s)
{
	asks("git-remote-http", "read", "python3", s);
}

/* pip asks for a user name, a password, or whether to go on. */
static void pip_asks(double s)
{
	asks("pip", "read", "python3", s);
}

static void git_asks_a_person(double s)
{
	asks("git-remote-http", "read", "tmux: server", s);
}

static void shell_reads(double s)
{
	asks("bash", "read", "python3", s);
}

static void test_prompt_unanswered(void **state)
{
	static const struct check_case cases[] = {
		{ "prompt-unanswered", git_asks, 5, NULL,
			"medium/high: asks for a user name or password at its terminal /dev/tty, "
			"and "
			"no answer has come for 5 s; python3 (200) has the other end|<let "
			"python3" },
		{ "prompt-unanswered", git_asks, 4.9, NULL, "blind: it asks" },
		{ "prompt-unanswered", pip_asks, 5, NULL,
			"medium/high: asks for an answer at its terminal /dev/tty, " },
		{ "prompt-unanswered", git_asks_a_person, 59.9, NULL,
			"low/high: |<answer at that" },
		{ "prompt-unanswered", git_asks_a_person, 60, NULL, "medium/high: " },
		{ "prompt-unanswered", shell_reads, 60, NULL, "fine: " },
		{ "prompt-unanswered", editor_has, 1, NULL,
			"medium/high: asks for the message of a merge, in an editor that git "
			"opened" },
		{ "prompt-unanswered", editor_has, 0, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- loop-stuck --- */

static void waits_nothing(double value)
{
	(void)value;
	is_there();
}

enum watched { OWN_EVENT, OWN_PAIR, CLIENT_PAIR, LISTENER_SOCKET, NOTHING };

struct loop {
	const char *program;
	enum watched watches;
	double waited;
	uint32_t caught;
	bool has_child, has_timeout;
};

static void waits_in_loop(const struct loop *l)
{
	runs = l->program;
	is_there();
	runs = "/bin/thing";
	add_source("waits");
	for (int i = 0; i < 2; i++) {
		double s = i * (LOOKS - 1), left = i ? 0 : LOOKS - 1;
		struct waits_object o = { .record = head_of(s, PID, WAITS_OBJECT),
			.node_pid = PID,
			.fd = 4,
			.role = WAITS_ROLE_WATCHED,
			.type = l->watches == OWN_EVENT		? FDS_EVENTFD
				: l->watches == LISTENER_SOCKET ? FDS_TCP
								: FDS_UNIX };
		struct waits_party p = { .record = head_of(s, PID, WAITS_PARTY),
			.node_pid = PID,
			.relation = WAITS_RELATION_PEER,
			.party_pid = l->watches == CLIENT_PAIR ? 200 : PID,
			.waiting_fd = 4 };
		struct waits_signals signals = { .record = head_of(s, PID, WAITS_SIGNALS),
			.node_pid = PID,
			.caught = l->caught };
		struct waits_thread t = { .record = head_of(s, PID, WAITS_THREAD),
			.node_pid = PID,
			.switches = 5,
			.since_ns = (uint64_t)((l->waited - left) * (double)NS_PER_S),
			.syscall = call_number("epoll_wait"),
			.state = 'S',
			.timeout_state = l->has_timeout ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
		struct record_tail tail[] = { tail_string(&t.name, "loop") };

		o.record.tid = p.record.tid = t.record.tid = PID;
		waits_process(s, PID);
		RECORD_APPEND(&records, &t, tail, 1);
		if (l->watches != NOTHING)
			RECORD_APPEND(&records, &o, NULL, 0);
		if (l->watches == OWN_PAIR || l->watches == CLIENT_PAIR)
			RECORD_APPEND(&records, &p, NULL, 0);
		if (l->has_child)
			waits_party(s, PID, WAITS_RELATION_CHILD, 201, "child");
		RECORD_APPEND(&records, &signals, NULL, 0);
		waits_end(s);
	}
}

static void loop_of_python(double waited)
{
	waits_in_loop(&(struct loop){ .program = "/usr/bin/python3.11",
		.watches = OWN_PAIR,
		.waited = waited,
		.caught = 2 });
}

static void loop_watches(double watched)
{
	waits_in_loop(&(struct loop){
		.program = "/usr/bin/python3.11", .watches = (enum watched)watched, .waited = 30 });
}

static void loop_handles(double mask)
{
	waits_in_loop(&(struct loop){ .program = "/usr/bin/python3.11",
		.watches = OWN_PAIR,
		.waited = 30,
		.caught = (uint32_t)mask });
}

static void loop_of_node(double mask)
{
	waits_in_loop(&(struct loop){ .program = "/usr/bin/node",
		.watches = OWN_EVENT,
		.waited = 30,
		.caught = (uint32_t)mask });
}

static void loop_of_other(double waited)
{
	waits_in_loop(
		&(struct loop){ .program = "/bin/thing", .watches = OWN_EVENT, .waited = waited });
}

static void loop_has(double child)
{
	waits_in_loop(&(struct loop){ .program = "/usr/bin/python3.11",
		.watches = OWN_PAIR,
		.waited = 30,
		.has_child = child > 0,
		.has_timeout = child <= 0 });
}

static void test_loop_stuck(void **state)
{
	static const struct check_case cases[] = {
		{ "loop-stuck", loop_of_python, 8, NULL,
			"medium/medium: nothing can wake its event loop any more: for 8 s it has "
			"waited without a timer, a connection or a child, and no other thread" },
		{ "loop-stuck", loop_of_python, 7.9, NULL, "blind: " },
		{ "loop-stuck", loop_watches, OWN_EVENT, NULL, "medium/medium: " },
		{ "loop-stuck", loop_watches, CLIENT_PAIR, NULL, "fine: something can wake" },
		{ "loop-stuck", loop_watches, LISTENER_SOCKET, NULL, "fine: " },
		{ "loop-stuck", loop_watches, NOTHING, NULL, "fine: " },
		{ "loop-stuck", loop_handles, 1 << 14, NULL, "fine: " },
		{ "loop-stuck", loop_of_node, 0x4602, NULL, "medium/medium: " },
		{ "loop-stuck", loop_of_node, 0x4603, NULL, "fine: " },
		{ "loop-stuck", loop_of_other, 30, NULL, "fine: it has no event loop" },
		{ "loop-stuck", loop_has, 1, NULL, "fine: " },
		{ "loop-stuck", loop_has, 0, NULL, "fine: " },
		{ "loop-stuck", waits_nothing, 0, NULL, "blind: |the probe `waits`" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- wal-kept --- */

#define PAGE 4096

/* A log of a thousand frames that grows by a tenth between the looks, and what a transaction of
 * `of` sees of it at each. */
static void reads_database(
	uint32_t of, uint32_t seen, uint32_t seen_then, uint32_t grows, uint32_t copied)
{
	is_there();
	add_source("waits");
	for (int i = 0; i < 2; i++) {
		struct waits_reader w = { .record = head_of(i * (LOOKS - 1), PID, WAITS_READER),
			.reader_pid = of,
			.fd = 6,
			.log_pages = 1000 + (i ? grows : 0),
			.copied_pages = copied,
			.seen_pages = i ? seen_then : seen,
			.page_bytes = PAGE,
			.slot = 1 };
		struct record_tail tail[] = { tail_string(&w.reader_name, "viewer"),
			tail_string(&w.path, "/srv/a.db-shm") };

		RECORD_APPEND(&records, &w, tail, 2);
		waits_end(i * (LOOKS - 1));
	}
}

static void sees_then(double frames)
{
	reads_database(200, 300, (uint32_t)frames, 100, 300);
}

static void log_grows_by(double frames)
{
	reads_database(200, 300, 300, (uint32_t)frames, 300);
}

static void is_copied_to(double frames)
{
	reads_database(200, 300, 300, 100, (uint32_t)frames);
}

static void reads_itself(double unused)
{
	(void)unused;
	reads_database(PID, 300, 300, 100, 300);
}

static void test_wal_kept(void **state)
{
	static const struct check_case cases[] = {
		{ "wal-kept", sees_then, 300, NULL,
			"low/high: /srv/a.db-wal grows (4.3 MiB, 402 KiB more) and cannot be "
			"emptied: "
			"viewer (200) keeps a transaction open that reads {path /srv/a.db-wal}" },
		{ "wal-kept", sees_then, 1100, NULL, "fine: transactions that read" },
		{ "wal-kept", log_grows_by, 1, NULL, "low/high: " },
		{ "wal-kept", log_grows_by, 0, NULL, "fine: " },
		{ "wal-kept", is_copied_to, 1099, NULL, "low/high: " },
		{ "wal-kept", is_copied_to, 1100, NULL, "fine: " },
		{ "wal-kept", log_grows_by, 100, "wal-kept.grave-size=4000000", "medium/high: " },
		{ "wal-kept", log_grows_by, 100, "wal-kept.min-size=5000000", "fine: " },
		{ "wal-kept", reads_itself, 0, NULL,
			"low/high: keeps a transaction open that reads, so that /srv/a.db-wal "
			"grows" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- lock-kept --- */

/* Two wait for its lock, the longest for `waited` s; it last ran `rested` s ago, in that call. */
static void keeps_lock(double waited, double rested, const char *call, uint32_t session)
{
	is_there();
	add_source("waits");
	for (int i = 0; i < 2; i++) {
		double s = i * (LOOKS - 1), left = i ? 0 : LOOKS - 1;
		struct waits_wanted w = { .record = head_of(s, PID, WAITS_WANTED),
			.longest_ns =
				waited > left ? (uint64_t)((waited - left) * (double)NS_PER_S) : 0,
			.waiters = 2,
			.waiter_pid = 200,
			.session_pid = session,
			.source = session ? WAITS_SOURCE_TITLE : WAITS_SOURCE_LOCKS,
			.confidence = session ? WAITS_MEDIUM : WAITS_HIGH };
		struct record_tail tail[] = { tail_string(&w.waiter_name, "waiter"),
			tail_string(&w.detail, session ? "" : "/run/lock/deploy") };

		waits_process(s, PID);
		waits_thread_since(s, PID, call, 5, rested - left);
		RECORD_APPEND(&records, &w, tail, 2);
		waits_end(s);
	}
}

static void keeps_it_for(double s)
{
	keeps_lock(s, 500, "clock_nanosleep", 0);
}

static void keeps_and_rests(double s)
{
	keeps_lock(500, s, "clock_nanosleep", 0);
}

static void keeps_on_duty(double s)
{
	keeps_lock(s, s, "pause", 0);
}

/* The program may do other things meanwhile. */
static void session_keeps(double s)
{
	keeps_lock(s, 0.1, "clock_nanosleep", 77);
}

static void test_lock_kept(void **state)
{
	static const struct check_case cases[] = {
		{ "lock-kept", keeps_it_for, 5, NULL,
			"low/high: keeps /run/lock/deploy locked: 2 processes wait for it, the "
			"longest, waiter (200), for 5 s; meanwhile it sleeps" },
		{ "lock-kept", keeps_it_for, 4.9, NULL, "blind: " },
		{ "lock-kept", keeps_and_rests, 59.9, NULL, "low/high: " },
		{ "lock-kept", keeps_and_rests, 60, NULL, "medium/high: " },
		{ "lock-kept", keeps_and_rests, 60, "lock-kept.grave-time=61s", "low/high: " },
		{ "lock-kept", keeps_and_rests, 60, "lock-kept.min-time=61s", "blind: " },
		{ "lock-kept", keeps_and_rests, 0, NULL, "fine: " },
		{ "lock-kept", keeps_on_duty, 100, NULL, "fine: it has no lock " },
		{ "lock-kept", session_keeps, 5, NULL,
			"low/medium: its database session postgres (77) is idle in a transaction "
			"that is not committed, and probably has a lock: 2 database sessions "
			"wait" },
		{ "lock-kept", session_keeps, 4, NULL, "blind: " },
		{ "lock-kept", waits_hidden, 'S', NULL,
			"blind: |run sooth as the user of the process" },
		{ "lock-kept", waits_hidden, 'R', NULL, "fine: " },
		{ "lock-kept", waits_nothing, 0, NULL, "blind: |the probe `waits`" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- held-up --- */

/* It waits for a lock for `waited` seconds, whose holder last ran `rested` seconds ago. */
static void waits_for_lock(double waited, double rested, const char *holder_call)
{
	is_there();
	add_source("waits");
	for (int i = 0; i < 2; i++) {
		double s = i * (LOOKS - 1), left = i ? 0 : LOOKS - 1;

		waits_process(s, PID);
		waits_thread_since(s, PID, "flock", 5, waited - left);
		waits_object(s, PID, 3, FDS_FILE);
		waits_party(s, PID, WAITS_RELATION_LOCK, 200, "holder");
		waits_process(s, 200);
		waits_thread_since(s, 200, holder_call, 5, rested - left);
		waits_end(s);
	}
}

static void lock_waited(double s)
{
	waits_for_lock(s, 500, "clock_nanosleep");
}

static void lock_rested(double s)
{
	waits_for_lock(500, s, "clock_nanosleep");
}

/* A standby of a server. */
static void lock_of_idle(double s)
{
	waits_for_lock(s, s, "pause");
}

/* A thread of the process waits for a mutex in shared memory. */
static void wants_mutex(double s, uint32_t pid, double waited, const struct waits_party *owner)
{
	struct waits_thread t = { .record = head_of(s, PID, WAITS_THREAD),
		.node_pid = pid,
		.since_ns = (uint64_t)(waited * (double)NS_PER_S),
		.syscall = call_number("futex"),
		.state = 'S',
		.lock = WAITS_LOCK_MUTEX,
		.timeout_state = SOOTH_STATE_ABSENT };
	struct waits_party p = *owner;
	struct record_tail none[] = { tail_string(&t.name, "other") };

	p.record = head_of(s, PID, WAITS_PARTY);
	p.node_pid = t.record.tid = p.record.tid = pid;
	RECORD_APPEND(&records, &t, none, 1);
	RECORD_APPEND(&records, &p, NULL, 0);
}

static void mutex_left(double waited, bool is_of_child, struct waits_party owner)
{
	is_there();
	add_source("waits");
	for (int i = 0; i < 2; i++) {
		double s = i * (LOOKS - 1), left = i ? 0 : LOOKS - 1;

		waits_process(s, PID);
		if (is_of_child) {
			waits_thread_since(s, PID, "wait4", 5, waited - left);
			waits_party(s, PID, WAITS_RELATION_CHILD, 200, "worker");
			waits_process(s, 200);
		}
		wants_mutex(s, is_of_child ? 200 : PID, waited - left, &owner);
		waits_end(s);
	}
}

static const struct waits_party ended = {
	.relation = WAITS_RELATION_LOCK, .confidence = WAITS_MEDIUM, .party_tid = 300
};

static void mutex_of_ended(double waited)
{
	mutex_left(waited, false, ended);
}

/* A semaphore that process 300 changed last. */
static void semaphore_of(double waited, bool is_alive)
{
	struct waits_party user = { .node_pid = PID,
		.party_pid = 300,
		.relation = WAITS_RELATION_LAST_USER,
		.confidence = WAITS_MEDIUM,
		.is_alive = is_alive };

	is_there();
	add_source("waits");
	for (int i = 0; i < 2; i++) {
		double s = i * (LOOKS - 1), left = i ? 0 : LOOKS - 1;

		waits_process(s, PID);
		waits_thread_since(s, PID, "semop", 5, waited - left);
		user.record = head_of(s, PID, WAITS_PARTY);
		user.record.tid = PID;
		RECORD_APPEND(&records, &user, NULL, 0);
		waits_end(s);
	}
}

static void semaphore_of_ended(double waited)
{
	semaphore_of(waited, false);
}

static void semaphore_of_living(double waited)
{
	semaphore_of(waited, true);
}

static void child_at_mutex_of_ended(double waited)
{
	mutex_left(waited, true, ended);
}

static void mutex_of_unknown(double waited)
{
	mutex_left(waited, false, (struct waits_party){ .relation = WAITS_RELATION_LOCK });
}

/* Of an older capture: the number may be that of another PID namespace. */
static void mutex_of_number(double waited)
{
	mutex_left(waited, false,
		(struct waits_party){ .relation = WAITS_RELATION_THREAD, .party_tid = 300 });
}

/* A shell with a script, which waits for its child of that name. */
static void runs_script(const char *script, const char *child)
{
	add_source("waits");
	for (int i = 0; i < LOOKS; i++) {
		struct proc_process p = { .record = head_of(i, PID, PROC_PROCESS),
			.ppid = 1,
			.threads = 1,
			.state = 'S' };
		char arguments[256];
		int size = snprintf(arguments, sizeof(arguments), "bash%c-c%c%s", 0, 0, script);
		struct record_tail tail[] = { tail_string(&p.name, "bash"),
			tail_string(&p.executable, "/bin/bash"),
			{ &p.arguments, arguments, (size_t)size } };

		RECORD_APPEND(&records, &p, tail, 3);
		all_reported(i);
	}
	for (int i = 0; i < 2; i++) {
		double s = i * (LOOKS - 1);
		struct waits_process p = { .record = head_of(s, PID, WAITS_PROCESS),
			.node_start_ticks = start_of(PID),
			.node_pid = PID,
			.age_ns = 20 * NS_PER_S,
			.threads = 1,
			.state = 'S' };
		struct record_tail tail[] = { tail_string(&p.name, "bash") };

		RECORD_APPEND(&records, &p, tail, 1);
		waits_thread_since(s, PID, "wait4", 5, 0.5);
		waits_party(s, PID, WAITS_RELATION_CHILD, 300, child);
		waits_end(s);
	}
}

static const char *const scripts[] = {
	"until ! pgrep -f \"job.sh --all\" > /dev/null; do sleep 2; done",
	"while pgrep -fl job.sh; do sleep 2; done",
	"while true; do pgrep -f 'job.sh' || break; sleep 1; done",
	/* It waits until one is there, compares names, or has a pattern that does not match itself.
	 */
	"until pgrep -f job.sh; do sleep 2; done",
	"while ! pgrep -f job.sh; do sleep 2; done",
	"while pgrep job.sh; do sleep 2; done",
	"while pgrep -f '[j]ob.sh'; do sleep 2; done",
	"pgrep -f job.sh; sleep 2",
	/* Its result is filtered, it leaves processes out, or it is no condition of the loop. */
	"while pgrep -f job.sh | grep -v $$; do sleep 2; done",
	"while pgrep -xf job.sh; do sleep 2; done",
	"while pgrep -fu bob job.sh; do sleep 2; done",
	"while true; do pgrep -f job.sh && echo up; sleep 5; done",
};

static void waits_for_itself(double script)
{
	runs_script(scripts[(int)script], "sleep");
}

/* The loop is over, or has not begun. */
static void runs_other(double script)
{
	runs_script(scripts[(int)script], "make");
}

static void locked_crosswise(double value)
{
	locks_crosswise(value);
	add_source("waits");
}

/* A server of 20 % of a CPU that runs at both samples, and a client of it in poll or read at every
 * look; `waits` a second. */
static void asks_server(double waits, double cpu, const char *state)
{
	is_there();
	add_source("waits");
	for (int i = 0; i < LOOKS; i++)
		process_at(i, (struct proc_process){ .record.pid = 200 }, "server");
	thread((struct thread_made){
		.name = "thing", .call = "read", .arguments = { 3 }, .voluntary = waits });
	threads_read(1);
	for (int i = 0; i < 2; i++) {
		double s = i * (LOOKS - 1);
		struct waits_process server = { .record = head_of(s, PID, WAITS_PROCESS),
			.node_start_ticks = start_of(200),
			.node_pid = 200,
			.threads = 1,
			.cpu_ns = (uint64_t)(s * cpu / 100 * (double)NS_PER_S),
			.user_ns = (uint64_t)(s * cpu / 100 * (double)NS_PER_S),
			.state = state[i] };
		struct waits_thread t = { .record = head_of(s, PID, WAITS_THREAD),
			.node_pid = 200,
			.node_start_ticks = start_of(200),
			.call_state = SOOTH_STATE_ABSENT,
			.state = state[i] };
		struct record_tail tail[] = { tail_string(&server.name, "server") };
		struct record_tail name[] = { tail_string(&t.name, "server") };

		t.record.tid = 200;
		waits_process(s, PID);
		waits_thread_since(s, PID, "read", (uint64_t)s, 0.3);
		waits_object(s, PID, 3, FDS_TCP);
		waits_party(s, PID, WAITS_RELATION_PEER, 200, "server");
		RECORD_APPEND(&records, &server, tail, 1);
		RECORD_APPEND(&records, &t, name, 1);
		waits_end(s);
	}
}

static void asks_busy(double waits)
{
	asks_server(waits, 60, "RR");
}

static void asks_starved(double cpu)
{
	asks_server(2, cpu, "RR");
}

static void asks_resting(double cpu)
{
	asks_server(2, cpu, "SR");
}

/* It reads a pipe whose other end a process with this parent has. */
static void reads_from_child_of(double ppid)
{
	is_there();
	add_source("waits");
	for (int i = 0; i < LOOKS; i++)
		process_at(i, (struct proc_process){ .record.pid = 200, .ppid = (uint32_t)ppid },
			"server");
	for (int i = 0; i < 2; i++) {
		double s = i * (LOOKS - 1);

		waits_process(s, PID);
		waits_thread(s, PID, "read", 5);
		waits_object(s, PID, 3, FDS_PIPE);
		waits_party(s, PID, WAITS_RELATION_WRITER, 200, "server");
		waits_process(s, 200);
		waits_thread(s, 200, "clock_nanosleep", 5);
		waits_end(s);
	}
}

static void opens_fifo(double flags)
{
	is_there();
	add_source("waits");
	for (int i = 0; i < 2; i++) {
		struct waits_object o = { .record = head_of(i * (LOOKS - 1), PID, WAITS_OBJECT),
			.node_pid = PID,
			.events = (uint32_t)flags,
			.type = FDS_FIFO,
			.fd_state = SOOTH_STATE_ABSENT,
			.role = WAITS_ROLE_CALL };
		struct record_tail tail[] = { tail_string(&o.path, "/tmp/x") };

		o.record.tid = PID;
		waits_process(i * (LOOKS - 1), PID);
		waits_thread(i * (LOOKS - 1), PID, "openat", 5);
		RECORD_APPEND(&records, &o, tail, 1);
		waits_end(i * (LOOKS - 1));
	}
}

static void test_held_up(void **state)
{
	static const struct check_case cases[] = {
		{ "held-up", lock_waited, 10, NULL,
			"low/high: held up for 10 s by other (200): it has the lock on /tmp/x and "
			"does nothing|[chain of waits: other (99) waits for a lock|[could end the "
			"wait: other (200)]|[waiting for at least: 10.0s]|<sooth why 200 shows" },
		{ "held-up", lock_waited, 9.9, NULL,
			"blind: |other (200)|the check needs 10 s|<observe longer" },
		{ "held-up", lock_rested, 9.9, NULL, "blind: |other (200)" },
		{ "held-up", lock_rested, 59.9, NULL, "low/high: " },
		{ "held-up", lock_rested, 60, NULL, "medium/high: held up for 1 min by " },
		{ "held-up", lock_rested, 60, "held-up.grave-time=61s", "low/high: " },
		{ "held-up", lock_rested, 60, "held-up.min-time=61s", "blind: " },
		{ "held-up", lock_rested, 4, NULL, "fine: it waits for no process " },
		{ "held-up", lock_of_idle, 100, NULL, "fine: it waits for no process " },
		{ "held-up", locked_crosswise, 0, NULL, "fine: " },
		{ "held-up", waits_for_itself, 0, NULL,
			"medium/high: stuck for 20 s: it waits until no process matches \"job.sh "
			"--all\", and its own command line does: it never ends|<sooth kill --tree "
			"--any 99" },
		{ "held-up", waits_for_itself, 1, NULL, "medium/high: |\"job.sh\"" },
		{ "held-up", waits_for_itself, 2, "held-up.grave-time=20s",
			"high/high: |\"job.sh\"" },
		{ "held-up", waits_for_itself, 3, NULL, "fine: " },
		{ "held-up", waits_for_itself, 4, NULL, "fine: " },
		{ "held-up", waits_for_itself, 5, NULL, "fine: " },
		{ "held-up", waits_for_itself, 6, NULL, "fine: " },
		{ "held-up", waits_for_itself, 7, NULL, "fine: " },
		{ "held-up", waits_for_itself, 8, NULL, "fine: " },
		{ "held-up", waits_for_itself, 9, NULL, "fine: " },
		{ "held-up", waits_for_itself, 10, NULL, "fine: " },
		{ "held-up", waits_for_itself, 11, NULL, "fine: " },
		{ "held-up", runs_other, 0, NULL, "fine: " },
		{ "held-up", mutex_of_ended, 70, NULL,
			"high/medium: stuck for 1 min 10 s: it waits for a mutex held by thread "
			"300, which has ended: nothing can release it|<only its end helps: sooth "
			"kill --any 99" },
		{ "held-up", mutex_of_ended, 9, NULL, "blind: " },
		{ "held-up", semaphore_of_ended, 20, NULL,
			"low/medium: held up for 20 s: it waits for System V semaphore set |last "
			"changed by process 300, which has ended|<ipcs -s -i " },
		{ "held-up", semaphore_of_ended, 60, NULL, "medium/medium: " },
		{ "held-up", semaphore_of_ended, 9, NULL, "blind: " },
		{ "held-up", semaphore_of_living, 60, NULL, "fine: " },
		{ "held-up", mutex_of_ended, 10, NULL, "medium/medium: " },
		{ "held-up", mutex_of_ended, 59.9, NULL, "medium/medium: " },
		{ "held-up", mutex_of_ended, 60, NULL, "high/medium: " },
		{ "held-up", mutex_of_unknown, 70, NULL, "fine: " },
		{ "held-up", mutex_of_number, 70, NULL, "fine: " },
		{ "held-up", child_at_mutex_of_ended, 20, NULL,
			"medium/medium: held up for 20 s by other (200): it waits for a mutex held "
			"by "
			"thread 300, which has ended|<sooth diagnose 200 shows the deadlock" },
		{ "held-up", asks_busy, 20, NULL,
			"low/medium: most of its time it waits for server (200), which uses 60 % "
			"of a CPU [chain of waits: |<sooth profile 200 shows what it computes>" },
		{ "held-up", asks_busy, 21, NULL, "fine: " },
		{ "held-up", asks_starved, 10, NULL, "low/" },
		{ "held-up", asks_starved, 9, NULL, "fine: " },
		{ "held-up", asks_resting, 30, NULL, "low/" },
		{ "held-up", asks_resting, 29, NULL, "fine: " },
		{ "held-up", reads_from_child_of, 1, NULL,
			"medium/high: waits for an output to close: its command has ended, but "
			"left "
			"server (200) running, which still has the output open|[age of what was "
			"left behind: |<sooth kill --any 200 ends it" },
		{ "held-up", reads_from_child_of, PID, NULL, "fine: " },
		{ "held-up", opens_fifo, O_RDONLY, NULL,
			"low/high: |to read, and no process has it open to write" },
		{ "held-up", opens_fifo, O_WRONLY, NULL,
			"high/high: |to write, and no process has it open to read" },
		{ "held-up", opens_fifo, O_WRONLY, "held-up.grave-time=1h", "medium/high: " },
		{ "held-up", waits_hidden, 'S', NULL,
			"blind: |run sooth as the user of the process" },
		{ "held-up", waits_hidden, 'R', NULL, "fine: " },
		{ "held-up", waits_nothing, 0, NULL, "blind: |the probe `waits`" },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_circles(void **state)
{
	static const struct check_case cases[] = {
		{ "all-threads-waiting", locks_crosswise, 0, NULL,
			"high/high: deadlock: 2 processes wait for each other |[chain of waits: "
			"|held by other (99), 60 s: a deadlock|<ending one of these processes "
			"frees the others" },
		{ "all-threads-waiting", locks_crosswise, 1, NULL, "fine: " },
		{ "all-threads-waiting", locks_crosswise, 0, "all-threads-waiting.min-time=5001ms",
			"fine: " },
		{ "all-threads-waiting", reads_crosswise, 0, NULL,
			"medium/medium: deadlock: this process and other (200) each wait for the "
			"other to write|<flush after each message" },
		{ "all-threads-waiting", reads_crosswise, 1, NULL, "fine: " },
		{ "all-threads-waiting", reads_too_little, 1, NULL,
			"high/high: deadlock: it waits for other (200), which is blocked writing "
			"its "
			"standard error to this process: that does not read it" },
		{ "all-threads-waiting", reads_too_little, 0, NULL,
			"high/high: deadlock: it waits for other (200), which is blocked writing "
			"to "
			"this process" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* The only thread, in a process that handles these signals. */
static void one_handles(double caught)
{
	struct waits_signals signals = { .record = head_of(5, PID, WAITS_SIGNALS),
		.node_pid = PID,
		.node_start_ticks = 99,
		.caught = (uint32_t)caught };

	one_is_stuck(0);
	RECORD_APPEND(&records, &signals, NULL, 0);
	waits_end(5);
}

static void test_all_threads_waiting(void **state)
{
	static const struct check_case cases[] = {
		{ "all-threads-waiting", are_stuck, 2, NULL,
			"high/high: deadlock: all 2 threads wait for each other, none can wake "
			"another [threads: 2] [threads that wait for a lock that another thread "
			"has locked: 2] [time in which no thread of the process ran: 5.00s over "
			"5.00s] [waiting: every thread waits in futex, without a timeout, and no "
			"lock is in shared memory] [thread: stuck (|waits at 0x1000]|(unseen: "
			"which thread holds|(unseen: whether a POSIX timer|<sooth stack 99 shows "
			"where each thread waits" },
		{ "all-threads-waiting", are_stuck, 8, NULL, "high/high: |!more threads" },
		{ "all-threads-waiting", are_stuck, 9, NULL, "high/high: |[more threads: 1]" },
		{ "all-threads-waiting", are_stuck, 0, NULL, "blind: " },
		{ "all-threads-waiting", one_is_stuck, 2, NULL,
			"high/high: deadlock: the only thread of the process waits for a lock that "
			"it holds itself, or that nothing holds any more" },
		{ "all-threads-waiting", one_is_stuck, 0, NULL, "=fine: waiting in futex\n" },
		{ "all-threads-waiting", one_handles, 1 << 10 | 1 << 6, NULL,
			"medium/medium: deadlock: the only thread of the process waits for another "
			"thread to wake it, and none is left" },
		{ "all-threads-waiting", one_handles, 1 << 10 | 1 << 9, NULL,
			"=fine: waiting in futex\n" },
		{ "all-threads-waiting", one_handles, 0, NULL, "=fine: waiting in futex\n" },
		{ "all-threads-waiting", none_is_locked, 0, NULL,
			"medium/medium: |has locked: 0]" },
		{ "all-threads-waiting", stuck_with_value, 0, NULL, "high/high: |has locked: 1]" },
		{ "all-threads-waiting", stuck_but_runs, 1, NULL,
			"=fine: thread stuck (99) ran\n" },
		{ "all-threads-waiting", stuck_but_wakes, 1, NULL, "fine: thread stuck (99) ran" },
		{ "all-threads-waiting", stuck_but_switched, 1, NULL, "fine: |(99) ran" },
		{ "all-threads-waiting", stuck_with_timeout, 1, NULL,
			"=fine: thread stuck (99) can still be woken\n" },
		{ "all-threads-waiting", stuck_running, 1, NULL, "fine: |can still be woken" },
		{ "all-threads-waiting", one_reads, 0, NULL, "fine: thread reader (100) can" },
		{ "all-threads-waiting", reads_stopped, 'T', NULL, "fine: the process is stopped" },
		{ "all-threads-waiting", reads_stopped, 'S', NULL, "fine: |can still be woken" },
		{ "all-threads-waiting", stuck_unseen, HIDDEN, NULL,
			"blind: |<run sooth as the user of the process" },
		{ "all-threads-waiting", stuck_unseen, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED), NULL,
			"=blind: the process exited before sooth could read this <>\n" },
		{ "all-threads-waiting", stuck_uncounted, HIDDEN, NULL,
			"blind: |<run sooth as the user of the process" },
		{ "all-threads-waiting", stuck_looks, 3, NULL, "high/high: |process ran: 2.00s" },
		{ "all-threads-waiting", stuck_looks, 2, NULL, "blind: |<observe longer" },
		{ "all-threads-waiting", stuck_looks, 3, "all-threads-waiting.min-time=2001ms",
			"blind: |<observe longer" },
		{ "all-threads-waiting", stuck_in, MAPS_READ | MAPS_WRITE, NULL, "high/high: " },
		{ "all-threads-waiting", stuck_in, MAPS_READ | MAPS_SHARED, NULL,
			"fine: |can still be woken" },
		{ "all-threads-waiting", stuck_in, -1, NULL, "=blind: could not be read <>\n" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- blocked-io --- */

static const struct thread_made blocked = {
	.name = "reader", .state = 'D', .call = "read", .arguments = { 3 }, .channel = "folio_wait"
};

static void descriptor(uint8_t type, const char *path)
{
	struct fds_descriptor d = { .record = head_of(LOOKS - 1, PID, FDS_DESCRIPTOR),
		.fd = 3,
		.type = type,
		.device_major = 8,
		.device_minor = 1,
		.path_state = path ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct fds_process p = { .record = head_of(LOOKS - 1, PID, FDS_PROCESS), .descriptors = 1 };
	struct record_tail tail[] = { put_text(&d.path, path) };

	RECORD_APPEND(&records, &d, tail, 1);
	RECORD_APPEND(&records, &p, NULL, 0);
}

/* The thread that it is about, beside one that does nothing. */
static void is_blocked(struct thread_made m)
{
	is_there();
	thread(m);
	thread((struct thread_made){ .tid = PID + 1, .call = "epoll_wait" });
	threads_read(2);
}

static void blocked_on(double type)
{
	is_blocked(blocked);
	descriptor((uint8_t)type, "/mnt/file");
}

#define BLOCKED(name, member)                                                                      \
	static void name(double value)                                                             \
	{                                                                                          \
		struct thread_made m = blocked;                                                    \
                                                                                                   \
		m.member = (__typeof__(m.member))value;                                            \
		is_blocked(m);                                                                     \
		descriptor(FDS_FILE, "/mnt/file");                                                 \
	}

BLOCKED(blocked_looks, looks)
BLOCKED(blocked_but_runs, cpu)
BLOCKED(blocked_but_wakes, voluntary)
BLOCKED(blocked_but_switched, involuntary)
BLOCKED(blocked_uncounted, switches_state)
BLOCKED(blocked_unseen, syscall_state)
BLOCKED(blocked_running, running)

static void asleep_on(uint8_t type, const char *path)
{
	struct thread_made m = blocked;

	m.state = 'S';
	is_blocked(m);
	descriptor(type, path);
}

static void sleeps_on_file(double type)
{
	asleep_on((uint8_t)type, "/mnt/file");
}

static void sleeps_on_made_up(double type)
{
	asleep_on((uint8_t)type, "/proc/kmsg");
}

static void sleeps_for_server(double state)
{
	struct thread_made m = { .name = "asker",
		.state = (char)state,
		.call = "newfstatat",
		.channel = "request_wait_answer" };

	is_blocked(m);
}

/* The thread of a process waits for the mount that another one serves. */
static void mount_wait(double s, uint32_t pid, uint32_t server)
{
	struct waits_thread t = { .record = head_of(s, PID, WAITS_THREAD),
		.node_pid = pid,
		.since_ns = 7 * NS_PER_S,
		.syscall = call_number("newfstatat"),
		.state = 'S',
		.timeout_state = SOOTH_STATE_ABSENT };
	struct waits_party p = { .record = head_of(s, PID, WAITS_PARTY),
		.node_pid = pid,
		.relation = WAITS_RELATION_DAEMON,
		.party_pid = server,
		.confidence = WAITS_HIGH,
		.is_alive = server > 0 };
	struct record_tail of_thread[] = { tail_string(&t.name, "other"),
		tail_string(&t.wait_channel, "request_wait_answer") };
	struct record_tail of_party[] = { tail_string(&p.name, "viewfs"),
		tail_string(&p.detail, "/mnt/view") };

	t.record.tid = p.record.tid = pid;
	RECORD_APPEND(&records, &t, of_thread, 2);
	RECORD_APPEND(&records, &p, of_party, 2);
	waits_process(s, pid);
}

static void waits_for_mount_of(uint32_t server, const char *server_call)
{
	is_there();
	thread((struct thread_made){ .name = "asker",
		.state = 'S',
		.call = "newfstatat",
		.channel = "request_wait_answer" });
	threads_read(1);
	add_source("waits");
	for (int i = 0; i < 2; i++) {
		double s = i * (LOOKS - 1);

		mount_wait(s, PID, server);
		if (server && server != PID && server_call) {
			waits_process(s, server);
			waits_thread(s, server, server_call, 5);
		} else if (server && server != PID) {
			mount_wait(s, server, server);
		}
		waits_end(s);
	}
}

static void server_serves_itself(double server)
{
	waits_for_mount_of((uint32_t)server, NULL);
}

static void server_sleeps(double server)
{
	waits_for_mount_of((uint32_t)server, "pause");
}

static void serves_files(double value)
{
	(void)value;
	is_blocked((struct thread_made){
		.name = "server", .state = 'S', .call = "read", .channel = "fuse_dev_do_read" });
}

static void vforks(double has_child)
{
	struct thread_made m = { .name = "parent", .state = 'D', .call = "vfork" };

	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ 0 }, "thing");
		for (uint32_t child = 200; has_child > 0 && child < 203; child++)
			process_at(i, (struct proc_process){ .record.pid = child, .ppid = PID },
				"child");
		all_reported(i);
	}
	thread(m);
	threads_read(1);
}

static void is_frozen_at(double value)
{
	struct thread_made m = stuck;

	(void)value;
	m.state = 'D';
	is_blocked(m);
}

static void is_frozen_by_name(double value)
{
	(void)value;
	is_blocked((struct thread_made){
		.state = 'D', .call = "io_submit", .channel = "__refrigerator" });
}

static void all_blocked_unseen(double other_is)
{
	struct thread_made m = blocked;

	m.syscall_state = HIDDEN;
	is_there();
	thread(m);
	m.tid = PID + 1;
	m.state = (char)other_is;
	thread(m);
	threads_read(2);
}

static void pool_is_blocked(double threads)
{
	struct thread_made m = blocked;

	is_there();
	for (uint32_t i = 0; i < (uint32_t)threads; i++) {
		m.tid = PID + i;
		thread(m);
	}
	threads_read((uint32_t)threads);
}

static void test_blocked_io(void **state)
{
	static const struct check_case cases[] = {
		{ "blocked-io", blocked_on, FDS_FILE, NULL,
			"=high/high: stuck waiting for /mnt/file: thread reader (99), for 5 s {fd "
			"3} {path /mnt/file} [time the thread has spent in this wait: 5.00s over "
			"5.00s] [number of threads stuck in the same wait: 1] [state: D in 6 of 6 "
			"samples, and no context switch between them] [system call: read] [kernel "
			"function: "
			"folio_wait] [file: /mnt/file, fd 3] [device number of the file system: "
			"8:1] <repair the disk, mount or device: dmesg shows disk and network "
			"errors, umount -f drops a dead network or FUSE mount, fsfreeze -u thaws a "
			"file system (no signal ends this wait, except perhaps SIGKILL)>\n" },
		{ "blocked-io", blocked_on, FDS_DEVICE, NULL, "high/high: " },
		{ "blocked-io", blocked_on, FDS_UNKNOWN, NULL, "high/high: " },
		{ "blocked-io", blocked_on, FDS_DIRECTORY, NULL, "high/high: " },
		{ "blocked-io", blocked_on, FDS_PIPE, NULL,
			"=fine: no thread waits for a file: the control group of the process is "
			"frozen\n" },
		{ "blocked-io", blocked_looks, 3, NULL,
			"high/high: |time the thread has spent in this wait: 2.00s" },
		{ "blocked-io", blocked_looks, 2, NULL,
			"=fine: no thread is stuck waiting for a file\n" },
		{ "blocked-io", blocked_looks, 6, "blocked-io.min-time=5s", "high/high: " },
		{ "blocked-io", blocked_looks, 6, "blocked-io.min-time=5001ms", "fine: " },
		{ "blocked-io", blocked_but_runs, 1, NULL, "fine: no thread is " },
		{ "blocked-io", blocked_but_wakes, 1, NULL, "fine: no thread is " },
		{ "blocked-io", blocked_but_switched, 1, NULL, "fine: no thread is " },
		{ "blocked-io", blocked_running, 1, NULL, "fine: no thread is " },
		{ "blocked-io", blocked_uncounted, HIDDEN, NULL,
			"blind: permission denied <run sooth as" },
		{ "blocked-io", blocked_unseen, HIDDEN, NULL,
			"high/low: stuck waiting for a file or device: thread reader (99), for 5 s "
			"{thread 99}|(unseen: which system call|(unseen: which file the" },
		{ "blocked-io", all_blocked_unseen, 'D', NULL, "low/low: " },
		{ "blocked-io", all_blocked_unseen, 'S', NULL, "high/low: |in the same wait: 1]" },
		{ "blocked-io", sleeps_on_file, FDS_FILE, NULL,
			"high/medium: |[state: S in 6 of 6|<repair or restart the server" },
		{ "blocked-io", sleeps_on_file, FDS_DELETED, NULL, "high/medium: " },
		{ "blocked-io", sleeps_on_file, FDS_PIPE, NULL, "fine: no thread is " },
		{ "blocked-io", sleeps_on_made_up, FDS_FILE, NULL, "fine: no thread is " },
		{ "blocked-io", serves_files, 0, NULL, "fine: no thread is stuck" },
		{ "blocked-io", sleeps_for_server, 'S', NULL,
			"high/medium: |a file or device|(unseen: which file the thread waits for: "
			"sooth does not read" },
		{ "blocked-io", server_serves_itself, 200, NULL,
			"high/medium: stuck for 5 s: it waits for the mount /mnt/view, served by "
			"other (200), in newfstatat; 200 waits for the mount /mnt/view, which it "
			"serves itself, in newfstatat, 7 s: a deadlock, it cannot go on|<sooth why "
			"200 shows what the server does" },
		{ "blocked-io", server_sleeps, 200, NULL,
			"high/medium: stuck for 5 s: it waits for the mount /mnt/view, served by "
			"other (200), in newfstatat; 200 waits for a signal|!deadlock" },
		{ "blocked-io", server_sleeps, 0, NULL,
			"high/medium: stuck waiting for a file or device|!served by" },
		{ "all-threads-waiting", server_serves_itself, PID, NULL,
			"high/high: deadlock: it waits for the mount /mnt/view, which it serves "
			"itself, in newfstatat" },
		{ "all-threads-waiting", server_serves_itself, 200, NULL, "fine: |!deadlock" },
		{ "blocked-io", sleeps_for_server, 'T', NULL, "fine: no thread is " },
		{ "blocked-io", vforks, 1, NULL,
			"medium/high: waiting for its vforked child 202 to exec or exit: thread "
			"parent (99)|<sooth diagnose 202 shows" },
		{ "blocked-io", vforks, 0, NULL,
			"medium/high: waiting for a vforked child to exec" },
		{ "blocked-io", is_frozen_at, 0, NULL,
			"fine: no thread waits for a file: the control group of the process is "
			"frozen" },
		{ "blocked-io", is_frozen_by_name, 0, NULL,
			"fine: no thread waits for a file: the control group of the process is "
			"frozen" },
		{ "blocked-io", pool_is_blocked, 5, NULL, "high/high: |in the same wait: 5]" },
		{ "blocked-io", pool_is_blocked, 0, NULL, "blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* A pool of ten that waits for one file is told four times. */
static void test_many(void **state)
{
	const char *line;
	unsigned told = 0;

	(void)state;
	begin_stream();
	pool_is_blocked(10);
	line = check_says("blocked-io", PID, NULL);
	for (; (line = strstr(line, "stuck waiting")); line++)
		told++;
	assert_int_equal(told, 4);
	buffer_fini(&records);
	text_free(&line_said);
}

/* --- signal-pending --- */

static void signals_at(double s, unsigned signal)
{
	struct waits_signals w = { .record = head_of(s, PID, WAITS_SIGNALS),
		.node_pid = PID,
		.pending = signal ? 1ull << (signal - 1) : 0 };

	waits_process(s, PID);
	RECORD_APPEND(&records, &w, NULL, 0);
	waits_end(s);
}

/* Pending in the last look; and in the first. */
static void holds_signal(double signal)
{
	add_source("waits");
	is_there();
	signals_at(0, (unsigned)signal);
	signals_at(LOOKS - 1, (unsigned)signal);
}

static void was_just_sent(double signal)
{
	add_source("waits");
	is_there();
	signals_at(0, 0);
	signals_at(LOOKS - 1, (unsigned)signal);
}

static void holds_signal_once(double signal)
{
	add_source("waits");
	is_there();
	signals_at(LOOKS - 1, (unsigned)signal);
}

static void holds_signal_on_descriptor(double signal)
{
	holds_signal(signal);
	descriptor(FDS_SIGNALFD, "anon_inode:[signalfd]");
}

static void holds_signal_stopped(double signal)
{
	add_source("waits");
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .state = 'T' }, "thing");
		all_reported(i);
	}
	signals_at(0, (unsigned)signal);
	signals_at(LOOKS - 1, (unsigned)signal);
}

static void test_signal_pending(void **state)
{
	static const struct check_case cases[] = {
		{ "signal-pending", holds_signal, SIGTERM, NULL,
			"medium/high: was sent SIGTERM and does not end: it blocks this signal, "
			"which stays pending|[pending for the process: SIGTERM]|[pending for at "
			"least: 5.00s]|<sooth kill --any 99 ends it" },
		{ "signal-pending", holds_signal, SIGHUP, NULL, "medium/high: was sent SIGHUP" },
		{ "signal-pending", holds_signal, SIGTERM, "signal-pending.min-time=5001ms",
			"blind: a request to end was pending" },
		{ "signal-pending", holds_signal_on_descriptor, SIGTERM, NULL,
			"medium/high: |[not read: the signalfd on fd 3]" },
		{ "signal-pending", holds_signal, SIGCHLD, NULL, "fine: no request to end " },
		{ "signal-pending", was_just_sent, SIGTERM, NULL, "fine: no request to end " },
		{ "signal-pending", holds_signal_stopped, SIGTERM, NULL, "fine: no request to " },
		{ "signal-pending", holds_signal_once, SIGTERM, NULL,
			"blind: a request to end was pending, but not for long" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- writer-stuck --- */

static struct thread_made writer = { .name = "writer", .call = "write", .arguments = { 3 } };

static void writes_to(double type)
{
	is_there();
	thread(writer);
	threads_read(1);
	descriptor((uint8_t)type, type == FDS_FIFO ? "/run/console" : "pipe:[7]");
}

static void calls_with(const char *call)
{
	struct thread_made m = writer;

	m.call = call;
	is_there();
	thread(m);
	threads_read(1);
	descriptor(FDS_PIPE, "pipe:[7]");
}

static void reads_from(double value)
{
	(void)value;
	calls_with("read");
}

static void sends_to(double value)
{
	(void)value;
	calls_with("sendmsg");
}

static void writes_but(struct thread_made m)
{
	m.name = writer.name;
	m.call = writer.call;
	m.arguments[0] = 3;
	is_there();
	thread(m);
	threads_read(1);
	descriptor(FDS_PIPE, "pipe:[7]");
}

static void writes_and_wakes(double hz)
{
	writes_but((struct thread_made){ .voluntary = hz });
}

static void writes_in_looks(double looks)
{
	writes_but((struct thread_made){ .looks = (int)looks });
}

static void writes_unseen(double state)
{
	writes_but((struct thread_made){ .syscall_state = (uint8_t)state });
}

static void has_holder(double access)
{
	struct fds_holder h = { .record = head_of(LOOKS - 1, PID, FDS_HOLDER),
		.holder_pid = 200,
		.holder_fd = 4,
		.access = (uint8_t)access,
		.holder_name = "reader" };

	is_there();
	thread(writer);
	threads_read(1);
	RECORD_APPEND(&records, &h, NULL, 0);
	descriptor(FDS_PIPE, "pipe:[7]");
}

/* With the probe waits the reader has a name. */
static void writes_to_other(double value)
{
	writes_to(value);
	waits_process(LOOKS - 1, PID);
	waits_thread(LOOKS - 1, PID, "write", 5);
	waits_object(LOOKS - 1, PID, 3, FDS_PIPE);
	waits_party(LOOKS - 1, PID, WAITS_RELATION_READER, 200, "reader");
	waits_process(LOOKS - 1, 200);
	waits_thread(LOOKS - 1, 200, "pause", 5);
	waits_end(LOOKS - 1);
}

static void reader_waits_for_child(double type)
{
	writes_to(type);
	waits_process(LOOKS - 1, PID);
	waits_thread(LOOKS - 1, PID, "write", 5);
	waits_object(LOOKS - 1, PID, 3, FDS_PIPE);
	waits_party(LOOKS - 1, PID, WAITS_RELATION_READER, 200, "reader");
	waits_process(LOOKS - 1, 200);
	waits_thread(LOOKS - 1, 200, "wait4", 5);
	waits_party(LOOKS - 1, 200, WAITS_RELATION_CHILD, 201, "child");
	waits_process(LOOKS - 1, 201);
	waits_thread(LOOKS - 1, 201, "clock_nanosleep", 5);
	waits_end(LOOKS - 1);
}

static void test_writer_stuck(void **state)
{
	static const struct check_case cases[] = {
		{ "writer-stuck", writes_to, FDS_PIPE, NULL,
			"low/high: blocked writing to a full pipe: its reader does not read "
			"|[blocked for: 5.00s |[number of threads stuck in the same wait: "
			"1]|[thread: writer (99) in write, fd 3]|(unseen: which process has|<sooth "
			"inspect --fds 99 " },
		{ "writer-stuck", writes_to_other, FDS_PIPE, NULL,
			"low/high: blocked writing to a pipe: the reader other (200) does not "
			"read: it waits for a signal|[chain of waits: other (99) is blocked|[could "
			"end the wait: other "
			"(200)]|<sooth diagnose 200 shows" },
		{ "writer-stuck", writes_to_other, FDS_FIFO, NULL,
			"low/high: blocked writing to the FIFO /run/console: the reader other "
			"(200) does not read: it waits for a signal" },
		{ "writer-stuck", writes_to, FDS_FIFO, NULL,
			"low/high: blocked writing to the full FIFO /run/console: its reader" },
		{ "writer-stuck", reader_waits_for_child, FDS_PIPE, NULL,
			"low/high: blocked writing to a pipe: the reader other (200) does not "
			"read: it waits for its child other (201); 201 sleeps" },
		{ "writer-stuck", writes_to, FDS_UNIX, NULL,
			"low/high: |writing to a full socket" },
		{ "writer-stuck", writes_to, FDS_TCP, NULL, "fine: " },
		{ "writer-stuck", writes_to, FDS_FILE, NULL, "fine: no thread is " },
		{ "writer-stuck", reads_from, 0, NULL, "fine: " },
		{ "writer-stuck", sends_to, 0, NULL, "low/high: |in sendmsg, fd" },
		{ "writer-stuck", writes_and_wakes, 1, NULL, "fine: " },
		{ "writer-stuck", writes_in_looks, 4, NULL, "low/high: |for: 3.00s " },
		{ "writer-stuck", writes_in_looks, 3, NULL, "fine: " },
		{ "writer-stuck", writes_to, FDS_PIPE, "writer-stuck.min-time=5001ms", "fine: " },
		{ "writer-stuck", writes_to, FDS_PIPE, "writer-stuck.min-readings=7", "fine: " },
		{ "writer-stuck", writes_unseen, HIDDEN, NULL,
			"blind: |<run sooth as the user of the process" },
		{ "writer-stuck", writes_unseen, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED), NULL,
			"=blind: the process exited before sooth could read this <>\n" },
		{ "writer-stuck", has_holder, FDS_ACCESS_READ, NULL,
			"low/high: blocked writing to a pipe: the reader (200) does not "
			"read|[process that may be the reader: reader (200), fd 4]|<sooth diagnose "
			"200 shows" },
		{ "writer-stuck", has_holder, FDS_ACCESS_WRITE, NULL,
			"low/high: |(unseen: which process has" },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_threads_waiting),
		cmocka_unit_test(test_loop_stuck),
		cmocka_unit_test(test_wal_kept),
		cmocka_unit_test(test_lock_kept),
		cmocka_unit_test(test_held_up),
		cmocka_unit_test(test_prompt_unanswered),
		cmocka_unit_test(test_circles),
		cmocka_unit_test(test_stopped_by_terminal),
		cmocka_unit_test(test_signal_pending),
		cmocka_unit_test(test_writer_stuck),
		cmocka_unit_test(test_blocked_io),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
