/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits of a process, explained from records made by hand. */
#include "support.h"

#include <poll.h>

#include "analyze/waits/wait_activity.h"
#include "analyze/waits/wait_beside.h"
#include "analyze/waits/wait_beyond.h"
#include "analyze/waits/wait_circle.h"
#include "analyze/waits/wait_text.h"
#include "base/units.h"
#include "probes/fds.h"
#include "probes/sockets.h"
#include "model/field.h"
#include "probes/syscall_names.h"

#define STARTED 500

static struct buffer records, before;

static struct sooth_record head(uint16_t kind, uint32_t tid)
{
	return (struct sooth_record){
		.time_ns = 2 * NS_PER_S, .start_ticks = STARTED, .pid = 10, .tid = tid, .kind = kind
	};
}

static uint32_t number(const char *call)
{
	return (uint32_t)syscall_number(SYSCALL_ABI_X86_64, call, strlen(call));
}

static void process_of(uint32_t parent, uint32_t pid, const char *name, char state)
{
	struct waits_process p = { .record = head(WAITS_PROCESS, 0),
		.node_start_ticks = STARTED,
		.node_pid = pid,
		.ppid = parent,
		.threads = 1,
		.state = state };
	struct record_tail tail[] = { tail_string(&p.name, name) };

	RECORD_APPEND(&records, &p, tail, 1);
}

static void process(uint32_t pid, const char *name, char state)
{
	process_of(0, pid, name, state);
}

static void thread(uint32_t pid, uint32_t tid, const char *call, uint64_t argument)
{
	struct waits_thread t = { .record = head(WAITS_THREAD, tid),
		.node_start_ticks = STARTED,
		.since_ns = 180 * NS_PER_S,
		.arguments = { argument },
		.node_pid = pid,
		.syscall = call ? number(call) : 0,
		.state = call ? 'S' : 'R',
		.call_state = state_if(call != NULL),
		.timeout_state = SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { tail_string(&t.name, "worker") };

	RECORD_APPEND(&records, &t, tail, 1);
}

static void object(uint32_t pid, uint32_t fd, enum fds_type type, uint8_t role, const char *text)
{
	struct waits_object o = { .record = head(WAITS_OBJECT, pid),
		.node_start_ticks = STARTED,
		.node_pid = pid,
		.fd = fd,
		.role = role,
		.type = type,
		.events = 1,
		.socket_state = SOCKETS_LISTEN,
		.socket_state_state = state_if(type == FDS_TCP) };
	struct record_tail tail[] = { tail_string(&o.path, text), tail_string(&o.local, text) };

	RECORD_APPEND(&records, &o, tail, 2);
}

static void party(uint32_t pid, uint32_t tid, enum waits_relation relation, uint32_t of,
	uint32_t of_tid, const char *name)
{
	struct waits_party p = { .record = head(WAITS_PARTY, tid),
		.node_start_ticks = STARTED,
		.party_start_ticks = STARTED,
		.node_pid = pid,
		.party_pid = of,
		.party_tid = of_tid,
		.relation = (uint8_t)relation,
		.confidence = WAITS_HIGH,
		.is_alive = 1,
		.waiting_fd = WAITS_NO_FD };
	struct record_tail tail[] = { tail_string(&p.name, name),
		tail_string(&p.detail, "/tmp/x.lock") };

	RECORD_APPEND(&records, &p, tail, 2);
}

static int reset(void **state)
{
	(void)state;
	buffer_reset(&records);
	buffer_reset(&before);
	return 0;
}

static void expect(const char *state, const char *text)
{
	struct wait_graph g = { .records = { records.data, records.size },
		.before = { before.data, before.size } };
	struct buffer out = { 0 };
	struct wait_chain chain;

	wait_chain_follow(&g, 10, &chain);
	wait_chain_text(&out, &g, &chain);
	wait_put_beside(&out, &g, &chain);
	assert_string_equal(buffer_cstr(&out), text);
	assert_string_equal(wait_chain_state(&chain), state);
	buffer_fini(&out);
}

static void expect_remedy(const char *text)
{
	struct wait_graph g = { .records = { records.data, records.size } };
	struct buffer out = { 0 };
	struct wait_chain chain;

	wait_chain_follow(&g, 10, &chain);
	wait_chain_remedy(&out, &chain);
	assert_string_equal(buffer_cstr(&out), text);
	buffer_fini(&out);
}

static void test_chain(void **state)
{
	(void)state;
	process(10, "sh", 'S');
	thread(10, 10, "wait4", (uint64_t)-1);
	party(10, 10, WAITS_RELATION_CHILD, 11, 0, "cat");
	process(11, "cat", 'S');
	thread(11, 11, "read", 0);
	object(11, 0, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[7]");
	party(11, 11, WAITS_RELATION_WRITER, 12, 0, "flock");
	process(12, "flock", 'S');
	thread(12, 12, "flock", 3);
	object(12, 3, FDS_FILE, WAITS_ROLE_CALL, "/tmp/x.lock");
	party(12, 12, WAITS_RELATION_LOCK, 13, 0, "make");
	expect("waits",
		"sh (10) waits for its child cat (11), 3 min; 11 waits for data from flock (12) "
		"through a pipe, 3 min; 12 waits for a lock on /tmp/x.lock held by make (13), 3 "
		"min");
}

/* Its first thread has ended, or none of its threads could be read. */
static void test_without_first_thread(void **state)
{
	process(10, "pool", 'S');
	thread(10, 11, "futex", 0);
	expect("waits", "pool (10) in thread worker (11) waits for a lock, semaphore or condition "
			"inside the process: no owner is recorded, 3 min");
	reset(state);
	process(10, "pool", 'R');
	expect("runs", "pool (10) runs");
}

/* A pidfd may be one of a process that another one started; a child is found twice, and is one. */
static void waits_by_pidfd(uint32_t parent)
{
	process(10, "guard", 'S');
	thread(10, 10, "select", 4);
	object(10, 3, FDS_PIDFD, WAITS_ROLE_WATCHED, "anon_inode:[pidfd]");
	party(10, 10, WAITS_RELATION_CHILD, 11, 0, "sleep");
	party(10, 10, WAITS_RELATION_CHILD, 11, 0, "sleep");
	process_of(parent, 11, "sleep", 'S');
	thread(11, 11, "read", 0);
	object(11, 0, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[7]");
	party(11, 11, WAITS_RELATION_WRITER, 12, 0, "make");
}

/* A process that its child cannot wake does not wait for it: it has no handler of SIGCHLD, and
 * nothing watched is the child's. */
static void watches_with_child(const char *call, uint32_t caught)
{
	struct waits_signals signals = { .record = { .kind = WAITS_SIGNALS,
						 .pid = 10,
						 .words = sizeof(signals) / SOOTH_RECORD_WORD,
						 .fixed_words =
							 sizeof(signals) / SOOTH_RECORD_WORD },
		.node_pid = 10,
		.caught = caught };

	process(10, "client", 'S');
	thread(10, 10, call, 4);
	if (!strcmp(call, "select"))
		object(10, 3, FDS_UNIX, WAITS_ROLE_WATCHED, "socket:[7]");
	party(10, 10, WAITS_RELATION_CHILD, 11, 0, "sleep");
	buffer_append(&records, &signals, sizeof(signals));
	process_of(10, 11, "sleep", 'S');
	thread(11, 11, "clock_nanosleep", 0);
}

static void test_bystander(void **state)
{
	static const char *const calls[] = { "select", "pause", "rt_sigsuspend" };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		watches_with_child(calls[i], 1u << 16);
		expect("waits", "client (10) waits for its child sleep (11), 3 min; 11 sleeps");
		reset(state);
	}
	watches_with_child("pause", 1u << 1);
	expect("idle", "client (10) waits for a signal, idle 3 min");
	reset(state);
	watches_with_child("select", 1u << 1);
	expect("waits", "client (10) waits for data, 3 min");
}

/* A process that no record names is not called one. */
static void test_pipe_without_writer(void **state)
{
	(void)state;
	process_of(1, 10, "cat", 'S');
	thread(10, 10, "read", 0);
	object(10, 0, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[7]");
	expect("waits", "cat (10) waits for data from a pipe: its writer is not known, 3 min");
}

static void test_pidfd(void **state)
{
	waits_by_pidfd(1);
	expect("waits",
		"guard (10) waits for the end of sleep (11), 3 min; 11 waits for data from make "
		"(12) through a pipe, 3 min");
	reset(state);
	waits_by_pidfd(10);
	expect("waits",
		"guard (10) waits for its child sleep (11), 3 min; 11 waits for data from make "
		"(12) through a pipe, 3 min");
}

static void test_deadlock(void **state)
{
	(void)state;
	process(10, "sh", 'S');
	thread(10, 10, "wait4", (uint64_t)-1);
	party(10, 10, WAITS_RELATION_CHILD, 11, 0, "cat");
	process(11, "cat", 'S');
	thread(11, 11, "write", 1);
	object(11, 1, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[7]");
	party(11, 11, WAITS_RELATION_READER, 10, 0, "sh");
	expect("deadlock",
		"sh (10) waits for its child cat (11), 3 min; 11 is blocked writing to a pipe: sh "
		"(10) does not read, 3 min: a deadlock, none of them can go on");
}

/* Two threads with a mutex each, that want the other's. */
static void test_mutexes(void **state)
{
	(void)state;
	process(10, "prog", 'S');
	thread(10, 10, "futex", 0x1000);
	party(10, 10, WAITS_RELATION_THREAD, 10, 20, "prog");
	thread(10, 20, "futex", 0x2000);
	party(10, 20, WAITS_RELATION_THREAD, 10, 10, "prog");
	expect("deadlock", "prog (10) waits for a mutex held by its thread worker (20), 3 min; "
			   "thread 20 waits "
			   "for a mutex held by its main thread (10), 3 min: a deadlock, none of "
			   "them can go on");
}

/* The lock of the thread that was added last. */
static void of_java(size_t at, enum waits_lock lock, uint64_t switches)
{
	struct waits_thread *t = (void *)(records.data + at);

	t->lock = (uint8_t)lock;
	t->switches = switches;
	t->switches_state = SOOTH_STATE_VALUE;
}

static void java_circle(uint64_t switches)
{
	size_t at;

	process(10, "java", 'S');
	at = records.size;
	thread(10, 11, "futex", 0x1000);
	of_java(at, WAITS_LOCK_JAVA_MONITOR, switches);
	party(10, 11, WAITS_RELATION_THREAD, 10, 12, "java");
	at = records.size;
	thread(10, 12, "futex", 0x2000);
	of_java(at, WAITS_LOCK_JAVA, 7);
	party(10, 12, WAITS_RELATION_THREAD, 10, 11, "java");
}

/* HotSpot wakes one that waits for a monitor to look again: it has run, and waits all the same. */
static void test_java(void **state)
{
	(void)state;
	java_circle(7);
	buffer_append(&before, records.data, records.size);
	buffer_reset(&records);
	java_circle(9);
	expect("deadlock",
		"java (10) in thread worker (11) waits for a Java monitor (of a /tmp/x.lock) held "
		"by "
		"its thread worker (12), 3 min; thread 12 waits for a Java lock (lock) held by "
		"its thread worker (11), 3 min: a deadlock, none of them can go on");
}

static void test_owner_that_ended(void **state)
{
	size_t at;

	(void)state;
	process(10, "prog", 'S');
	at = records.size;
	thread(10, 10, "futex", 0x1000);
	((struct waits_thread *)(void *)(records.data + at))->arguments[1] = WAITS_FUTEX_PRIVATE;
	party(10, 10, WAITS_RELATION_THREAD, 0, 20, "");
	expect("deadlock",
		"prog (10) waits for a mutex held by thread 20, which has ended: nothing can "
		"release it, 3 min");
}

/* In shared memory the owner may be a thread of another PID namespace. */
static void test_owner_of_shared_mutex(void **state)
{
	process(10, "prog", 'S');
	thread(10, 10, "futex", 0x1000);
	party(10, 10, WAITS_RELATION_LOCK, 0, 20, "");
	expect("waits",
		"prog (10) waits for a mutex held by thread 20, which has ended: nothing can "
		"release it, 3 min");
	reset(state);
	process(10, "prog", 'S');
	thread(10, 10, "futex", 0x1000);
	party(10, 10, WAITS_RELATION_LOCK, 0, 0, "");
	expect("waits",
		"prog (10) waits for a mutex in shared memory held by an unknown process, 3 min");
	reset(state);
	process(10, "prog", 'S');
	thread(10, 10, "futex", 0x1000);
	party(10, 10, WAITS_RELATION_THREAD, 0, 20, ""); /* of an older capture */
	expect("waits",
		"prog (10) waits for a mutex in shared memory held by an unknown process, 3 min");
}

/* Two that only read from a pipe of the other. */
static void reads_from(uint32_t pid, uint32_t other)
{
	process(pid, "talk", 'S');
	thread(pid, pid, "read", 0);
	object(pid, 0, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[7]");
	party(pid, pid, WAITS_RELATION_WRITER, other, 0, "talk");
}

static void test_readers(void **state)
{
	(void)state;
	reads_from(10, 11);
	reads_from(11, 10);
	expect("deadlock",
		"talk (10) waits for data from talk (11) through a pipe, 3 min; 11 waits for data "
		"from talk (10) through a pipe, 3 min: a deadlock, none of them can go on");
}

static bool is_open(void)
{
	struct wait_graph g = { .records = { records.data, records.size } };
	struct wait_chain chain;

	wait_chain_follow(&g, 10, &chain);
	return chain.is_open;
}

/* The same circle, with and without a thread that could write in place of the main thread. */
static void test_open_circle(void **state)
{
	(void)state;
	process(10, "sh", 'S');
	thread(10, 10, "wait4", (uint64_t)-1);
	party(10, 10, WAITS_RELATION_CHILD, 11, 0, "talk");
	reads_from(11, 10);
	assert_false(is_open());
	thread(10, 12, "clock_nanosleep", 0);
	assert_true(is_open());
	expect("waits",
		"sh (10) waits for its child talk (11), 3 min; 11 waits for data from sh (10) "
		"through a pipe, 3 min: perhaps a deadlock (low confidence)");
}

/* The records so far become the sample before; its threads ran since by so many switches. */
static void sampled_before(uint64_t switches)
{
	struct batch all = { records.data, records.size };

	buffer_reset(&before);
	batch_for_each (r, &all) {
		const struct waits_thread *t = record_as(r, WAITS_THREAD, sizeof(*t));
		size_t at = before.size;

		buffer_append(&before, r, (size_t)r->words * SOOTH_RECORD_WORD);
		((struct sooth_record *)(void *)(before.data + at))->time_ns -= NS_PER_S;
		if (t)
			((struct waits_thread *)(void *)(before.data + at))->switches -= switches;
	}
}

/* The ring of reads, and of a pipeline whose writer is as fast as its reader: not stuck when one
 * of them ran in between. */
static void test_ring_that_runs(void **state)
{
	static const char ring[] = "talk (10) waits for data from talk (11) through a pipe, 3 "
				   "min; 11 waits for data from talk (10) through a pipe, 3 min";
	char deadlock[sizeof(ring) + 64];

	(void)state;
	reads_from(10, 11);
	reads_from(11, 10);
	sampled_before(0);
	snprintf(deadlock, sizeof(deadlock), "%s: a deadlock, none of them can go on", ring);
	expect("deadlock", deadlock);
	/* They exchanged something meanwhile: the reader at the end of the chain is at rest. */
	sampled_before(1);
	expect("idle",
		"talk (10) waits for data from talk (11) through a pipe, 3 min; 11 waits for data "
		"from talk (10) through a pipe, idle 3 min");
}

static struct waits_thread *thread_at(const struct buffer *in, uint32_t pid)
{
	struct wait_graph g = { .records = { in->data, in->size } };

	return (struct waits_thread *)(uintptr_t)wait_graph_thread(&g, pid, NULL);
}

/* A client with a timer, and a server whose answer is in its buffer: only while the server has not
 * run. */
static void test_answer_in_a_buffer(void **state)
{
	(void)state;
	reads_from(10, 11);
	reads_from(11, 10);
	thread_at(&records, 10)->timeout_state = SOOTH_STATE_VALUE;
	thread_at(&records, 10)->timeout_ns = NS_PER_S;
	thread_at(&records, 11)->unflushed_bytes = 66;
	sampled_before(0);
	expect("deadlock",
		"talk (10) waits for data from talk (11) through a pipe, 3 min; 11 waits for data "
		"from talk (10) through a pipe, 3 min: a deadlock, none of them can go on; 11 has "
		"written 66 bytes of output to a buffer of its own, and not flushed them (stdbuf "
		"-oL talk writes each line)");
	sampled_before(1);
	expect("idle",
		"talk (10) waits for data from talk (11) through a pipe, 3 min; 11 waits for data "
		"from talk (10) through a pipe, idle 3 min");
}

/* The session file is not written while the main thread is in a loop. */
static void test_session_that_computes(void **state)
{
	struct wait_graph g = { 0 };
	struct wait_chain chain = { .count = 1, .links[0].what = WAIT_RUNS };

	(void)state;
	for (unsigned percent = 20; percent < 100; percent += 60) {
		struct activity a = { .state = ACTIVITY_IDLE, .has_since = true };

		chain.links[0].cpu_percent = percent;
		assert_false(wait_activity_add(&a, &g, &chain));
		assert_int_equal(a.state, percent > 50 ? ACTIVITY_COMPUTES : ACTIVITY_IDLE);
		assert_int_equal(a.is_status_idle, percent > 50);
	}
}

static void test_ring_of_a_writer(void **state)
{
	(void)state;
	process(10, "gzip", 'S');
	thread(10, 10, "read", 0);
	object(10, 0, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[7]");
	party(10, 10, WAITS_RELATION_WRITER, 11, 0, "cat");
	process(11, "cat", 'S');
	thread(11, 11, "write", 1);
	object(11, 1, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[7]");
	party(11, 11, WAITS_RELATION_READER, 10, 0, "gzip");
	sampled_before(5);
	for (uint32_t pid = 10; pid <= 11; pid++)
		thread_at(&records, pid)->since_ns = NS_PER_MS;
	expect("waits", "gzip (10) waits for data from cat (11) through a pipe; 11 writes to a "
			"pipe as fast as gzip (10) reads");
}

/* Woken by a timer while the second sample is taken: its reader was read with the first. */
static void test_woken_writer(void **state)
{
	(void)state;
	process(10, "writer", 'S');
	thread(10, 10, "write", 1);
	object(10, 1, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[7]");
	party(10, 10, WAITS_RELATION_READER, 11, 0, "reader");
	process(11, "reader", 'S');
	thread(11, 11, "clock_nanosleep", 0);
	sampled_before(1);
	buffer_reset(&records);
	process(10, "writer", 'R');
	thread(10, 10, NULL, 0);
	expect("waits",
		"writer (10) is blocked writing to a pipe: reader (11) does not read, 3 min; "
		"11 sleeps");
}

/* The scheduler's time of its last run is not known. */
static void test_long_sleep(void **state)
{
	struct waits_thread *t;

	(void)state;
	process(10, "sleep", 'S');
	thread(10, 10, "clock_nanosleep", 0);
	t = thread_at(&records, 10);
	t->timeout_state = SOOTH_STATE_VALUE;
	t->timeout_ns = 600 * NS_PER_S;
	expect("waits", "sleep (10) sleeps: 7 min of 10 min left");
	t->since_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	expect("waits", "sleep (10) sleeps for 10 min, since when is not known");
	t->timeout_ns = NS_PER_MS / 4;
	expect("waits", "sleep (10) sleeps for less than 1 ms at a time");
}

/* An event loop that was met on its way into the next wait, as redis is ten times a second. */
static void test_between_waits(void **state)
{
	(void)state;
	process(10, "redis-server", 'S');
	thread(10, 10, "epoll_wait", 5);
	sampled_before(1);
	buffer_reset(&records);
	process(10, "redis-server", 'S');
	thread(10, 10, NULL, 0);
	thread_at(&records, 10)->state = 'S';
	expect("idle", "redis-server (10) waits for events, idle 3 min");
	buffer_reset(&before);
	expect("unknown", "redis-server (10) is waiting, not known for what, 3 min");
}

/* A process that computes waits for no other, whatever call it was last seen in. */
static void test_busy_reader(void **state)
{
	struct waits_thread *used;

	(void)state;
	process(10, "gzip", 'S');
	thread(10, 10, "read", 0);
	object(10, 0, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[7]");
	party(10, 10, WAITS_RELATION_WRITER, 11, 0, "cat");
	process(11, "cat", 'S');
	thread(11, 11, "write", 1);
	object(11, 1, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[7]");
	party(11, 11, WAITS_RELATION_READER, 10, 0, "gzip");
	sampled_before(0);
	used = thread_at(&records, 10);
	used->cpu_ns = 800 * NS_PER_MS;
	((struct waits_process *)(void *)records.data)->cpu_ns = used->cpu_ns;
	expect("runs", "gzip (10) runs: 80 % of a CPU in user mode");
}

/* A second writer could be the one that writes. */
static void test_second_writer(void **state)
{
	(void)state;
	reads_from(10, 11);
	reads_from(11, 10);
	party(11, 11, WAITS_RELATION_WRITER, 12, 0, "other");
	assert_true(is_open());
}

/* A child may share the file, and with it the lock. */
static void test_own_lock(void **state)
{
	(void)state;
	process(10, "prog", 'S');
	thread(10, 10, "flock", 3);
	object(10, 3, FDS_FILE, WAITS_ROLE_CALL, "/tmp/x.lock");
	party(10, 10, WAITS_RELATION_LOCK, 10, 0, "prog");
	assert_true(is_open());
}

/* No other process has an inherited lock of which only the process itself is reported. */
static void test_own_inherited_lock(void **state)
{
	struct waits_party *p;
	size_t at;

	(void)state;
	process(10, "prog", 'S');
	thread(10, 10, "flock", 4);
	object(10, 4, FDS_FILE, WAITS_ROLE_CALL, "/tmp/x.lock");
	at = records.size;
	party(10, 10, WAITS_RELATION_LOCK, 10, 0, "prog");
	p = (void *)(records.data + at);
	p->fd = 3;
	p->source = WAITS_SOURCE_INHERITED;
	assert_false(is_open());
	expect("deadlock",
		"prog (10) waits for a lock on /tmp/x.lock held by its own descriptor 3, inherited "
		"from a process that has ended: it waits for itself, 3 min: a deadlock, it cannot "
		"go on");
}

static void test_polled_lock(void **state)
{
	struct waits_party *p;
	size_t at;

	(void)state;
	process(10, "prog", 'S');
	thread(10, 10, "clock_nanosleep", 0);
	at = records.size;
	party(10, 10, WAITS_RELATION_LOCK, 20, 0, "heir");
	p = (void *)(records.data + at);
	p->source = WAITS_SOURCE_INHERITED;
	expect("waits", "prog (10) sleeps and tries again: heir (20) has a lock on /tmp/x.lock, "
			"inherited from a process that has ended");
	p = (void *)(records.data + at);
	p->source = WAITS_SOURCE_LOCKS;
	p->is_alive = 0;
	expect("waits", "prog (10) sleeps and tries again: process 20, which has ended, has a lock "
			"on /tmp/x.lock");
}

/* The futex may be of this process only: then the owner is no thread of another one. */
static void test_abandoned(void **state)
{
	struct wait_graph g = { 0 };
	struct wait_chain chain;
	struct waits_thread *t;
	size_t at;

	(void)state;
	process(10, "prog", 'S');
	at = records.size;
	thread(10, 10, "futex", 0x1000);
	party(10, 10, WAITS_RELATION_THREAD, 0, 20, "");
	for (int is_private = 0; is_private < 2; is_private++) {
		t = (void *)(records.data + at);
		t->arguments[1] = is_private ? 128 : 0;
		g.records = (struct batch){ records.data, records.size };
		wait_chain_follow(&g, 10, &chain);
		assert_int_equal(chain.is_deadlock, is_private);
		wait_chain_follow_thread(&g, 10, 10, &chain);
		assert_int_equal(chain.count, 1);
	}
	wait_chain_follow_thread(&g, 10, 11, &chain);
	assert_int_equal(chain.count, 0);
}

static void test_all_threads(void **state)
{
	(void)state;
	process(10, "python3", 'S');
	thread(10, 10, "futex", 0x1000);
	thread(10, 11, "futex", 0x1000);
	expect("deadlock",
		"python3 (10) waits for a lock of Python (threading): all 2 threads wait, "
		"and none can wake another, 3 min: a deadlock");
}

static void shared_thread(uint32_t pid, uint32_t tid)
{
	size_t at = records.size;
	struct waits_thread *t;

	thread(pid, tid, "futex", 0x1000);
	t = (void *)(records.data + at);
	t->lock = WAITS_LOCK_SIGNAL;
}

/* A semaphore in shared memory: another process can post it. */
static void test_shared(void **state)
{
	(void)state;
	process(10, "python3", 'S');
	shared_thread(10, 10);
	shared_thread(10, 11);
	expect("waits", "python3 (10) waits for a lock, semaphore or condition that other "
			"processes can share: no owner is recorded, 3 min");
}

/* Each has a mutex in shared memory that the other wants. */
static void test_shared_mutexes(void **state)
{
	(void)state;
	for (uint32_t pid = 10; pid <= 11; pid++) {
		process(pid, "prog", 'S');
		shared_thread(pid, pid);
		party(pid, pid, WAITS_RELATION_LOCK, 21 - pid, 0, "prog");
	}
	expect("deadlock",
		"prog (10) waits for a mutex in shared memory held by prog (11), 3 min; 11 waits "
		"for a mutex in shared memory held by prog (10), 3 min: a deadlock, none of them "
		"can go on");
}

static void test_queues(void **state)
{
	static const char *const calls[][2] = { { "msgrcv", "System V queue 5" },
		{ "semop", "System V semaphore set 5" } };
	char text[128];

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		reset(state);
		process(10, "prog", 'S');
		thread(10, 10, calls[i][0], 5);
		snprintf(text, sizeof(text),
			"prog (10) waits for %s (%s): no owner is recorded, 3 min", calls[i][1],
			calls[i][0]);
		expect("waits", text);
	}
}

/* The kernel records which process used it last. */
static void test_last_users(void **state)
{
	static const char *const calls[][2] = { { "msgrcv",
							"System V queue 5 (msgrcv): last sender" },
		{ "msgsnd", "System V queue 5 (msgsnd): last receiver" },
		{ "semop", "System V semaphore set 5 (semop): last changed by" } };
	char text[160];

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		reset(state);
		process(10, "prog", 'S');
		thread(10, 10, calls[i][0], 5);
		party(10, 10, WAITS_RELATION_LAST_USER, 12, 0, "user");
		snprintf(
			text, sizeof(text), "prog (10) waits for %s user (12), 3 min", calls[i][1]);
		expect("waits", text);
	}
}

/* A make below a make waits for a free place of the jobs, which the other child has. */
static void make_with(const char *call_of_other)
{
	process(10, "make", 'S');
	thread(10, 10, "wait4", (uint64_t)-1);
	party(10, 10, WAITS_RELATION_CHILD, 12, 0, "cc");
	party(10, 10, WAITS_RELATION_CHILD, 13, 0, "make");
	process_of(10, 12, "cc", 'S');
	thread(12, 12, call_of_other, 0);
	process_of(10, 13, "make", 'S');
	thread(13, 13, "read", 3);
	object(13, 3, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[7]");
	party(13, 13, WAITS_RELATION_WRITER, 10, 0, "make");
}

static void test_job_server(void **state)
{
	(void)state;
	make_with("clock_nanosleep");
	expect("waits", "make (10) waits for its child cc (12) and 1 other, 3 min; 12 sleeps");
}

static void test_stuck_children(void **state)
{
	(void)state;
	make_with("write");
	object(12, 0, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[8]");
	party(12, 12, WAITS_RELATION_READER, 13, 0, "make");
	expect("deadlock",
		"make (10) waits for its child make (13) and 1 other, 3 min; 13 waits for data "
		"from make (10) through a pipe, 3 min: a deadlock, none of them can go on");
}

/* A thread that works outweighs a main thread that waits for it inside the process. */
static void test_worker(void **state)
{
	(void)state;
	process(10, "prog", 'S');
	thread(10, 10, "futex", 0x1000);
	thread(10, 11, "wait4", (uint64_t)-1);
	party(10, 11, WAITS_RELATION_CHILD, 12, 0, "cc");
	expect("waits", "prog (10) in thread worker (11) waits for its child cc (12), 3 min");
}

/* The first thread of a JVM joins the one that runs main(). */
static void test_jvm(void **state)
{
	struct waits_thread *last_thread;
	size_t at;

	(void)state;
	process(10, "java", 'S');
	thread(10, 10, "futex", 0x1000);
	party(10, 10, WAITS_RELATION_THREAD, 10, 11, "java");
	thread_at(&records, 10)->lock = WAITS_LOCK_JOIN;
	at = records.size;
	thread(10, 11, "futex", 0x2000);
	last_thread = (void *)(records.data + at);
	expect("waits", "java (10) waits inside the JVM, for work or for a lock of Java, 3 min");
	/* A thread that works at intervals is not stuck. */
	last_thread->timeout_state = SOOTH_STATE_VALUE;
	last_thread->timeout_ns = 20 * NS_PER_MS;
	expect("waits", "java (10) in thread worker (11) sleeps for 20 ms at a time");
	last_thread->timeout_ns = NS_PER_S - NS_PER_MS;
	expect("waits", "java (10) waits inside the JVM, for work or for a lock of Java, 3 min");
	thread(10, 12, "epoll_wait", 5);
	expect("idle", "java (10) in thread worker (12) waits for events, idle 3 min");
}

static void test_idle_server(void **state)
{
	(void)state;
	process(10, "nginx", 'S');
	thread(10, 10, "epoll_wait", 5);
	object(10, 6, FDS_TCP, WAITS_ROLE_WATCHED, "0.0.0.0:80");
	object(10, 7, FDS_EVENTFD, WAITS_ROLE_WATCHED, "anon_inode:[eventfd]");
	expect("idle", "nginx (10) waits for connections on 0.0.0.0:80, idle 3 min");
}

static struct waits_object *object_at(uint32_t pid, uint32_t fd)
{
	struct batch all = { records.data, records.size };

	batch_for_each (r, &all) {
		struct waits_object *o = (void *)r;

		if (r->kind == WAITS_OBJECT && o->node_pid == pid && o->fd == fd)
			return o;
	}
	fail();
	return NULL;
}

static struct waits_party *party_at(uint32_t pid)
{
	struct wait_graph g = { .records = { records.data, records.size } };

	return (struct waits_party *)(uintptr_t)wait_graph_party(&g, pid, pid, NULL);
}

/* A proxy: it listens, has accepted a client, and asked a server. */
static void watches_request(uint32_t pid)
{
	process(pid, "nginx", 'S');
	thread(pid, pid, "epoll_wait", 5);
	for (uint32_t fd = 6; fd < 12; fd++)
		object(pid, fd, fd < 9 ? FDS_TCP : FDS_EVENTFD, WAITS_ROLE_WATCHED, "127.0.0.1:80");
	object_at(pid, 7)->socket_state = SOCKETS_ESTABLISHED;
	object_at(pid, 8)->socket_state = SOCKETS_ESTABLISHED;
	object_at(pid, 8)->has_open_request = 1;
	party(pid, pid, WAITS_RELATION_PEER, 12, 0, "python3");
	party_at(pid)->waiting_fd = 8;
	process(12, "python3", 'S');
	thread(12, 12, "clock_nanosleep", 0);
}

/* By itself it serves; of a client that waits for it the request is the cause. */
static void test_proxy(void **state)
{
	watches_request(10);
	expect("idle", "nginx (10) waits for connections on 127.0.0.1:80, idle 3 min");
	reset(state);
	process(10, "curl", 'S');
	thread(10, 10, "read", 3);
	object(10, 3, FDS_TCP, WAITS_ROLE_CALL, "127.0.0.1:80");
	object_at(10, 3)->socket_state = SOCKETS_ESTABLISHED;
	party(10, 10, WAITS_RELATION_PEER, 11, 0, "nginx");
	watches_request(11);
	expect("waits",
		"curl (10) waits for nginx (11) on 127.0.0.1:80, 3 min; 11 waits for python3 (12) "
		"on 127.0.0.1:80, 3 min; 12 sleeps");
	/* Two requests are open, and it is not known which one is the client's. */
	object_at(11, 7)->has_open_request = 1;
	expect("waits", "curl (10) waits for nginx (11) on 127.0.0.1:80, 3 min; 11 waits for "
			"connections on "
			"127.0.0.1:80, idle 3 min");
	object_at(10, 3)->has_open_request = 1;
	expect("waits", "curl (10) waits for nginx (11) on 127.0.0.1:80, 3 min; 11 has not "
			"answered and waits for connections on 127.0.0.1:80, idle 3 min");
}

/* A client with a timer of its own asks again when that is due: no circle, as without it. */
static void test_ring_with_timer(void **state)
{
	(void)state;
	reads_from(10, 11);
	reads_from(11, 10);
	thread_at(&records, 11)->timeout_state = SOOTH_STATE_VALUE;
	thread_at(&records, 11)->timeout_ns = 20 * NS_PER_S;
	expect("idle",
		"talk (10) waits for data from talk (11) through a pipe, 3 min; 11 waits for "
		"data from talk (10) through a pipe, idle 3 min");
}

static void asks(uint32_t pid, uint32_t other, enum waits_relation relation, uint8_t request)
{
	process(pid, "web", 'S');
	thread(pid, pid, "epoll_wait", 5);
	object(pid, 7, FDS_TCP, WAITS_ROLE_WATCHED, "127.0.0.1:80");
	object_at(pid, 7)->socket_state = SOCKETS_ESTABLISHED;
	object_at(pid, 7)->events = POLLIN;
	object_at(pid, 7)->has_open_request = request;
	party(pid, pid, relation, other, 0, "web");
	party_at(pid)->waiting_fd = 7;
	thread_at(&records, pid)->timeout_state = SOOTH_STATE_VALUE;
	thread_at(&records, pid)->timeout_ns = 300 * NS_PER_S;
}

/* A proxy and the server behind it, which has asked the proxy: both have open requests. */
static void test_asked_by_both(void **state)
{
	asks(10, 11, WAITS_RELATION_LISTENER, WAITS_REQUEST_OWED);
	asks(11, 10, WAITS_RELATION_PEER, WAITS_REQUEST_OWED);
	expect("waits",
		"web (10) waits for web (11) on 127.0.0.1:80, which has not accepted the "
		"connection, 3 min; 11 waits for web (10) on 127.0.0.1:80, 3 min: perhaps a "
		"deadlock (low confidence)");
	reset(state);
	asks(10, 11, WAITS_RELATION_PEER, WAITS_REQUEST_OWED);
	asks(11, 10, WAITS_RELATION_PEER, WAITS_REQUEST_NONE);
	expect("waits",
		"web (10) waits for web (11) on 127.0.0.1:80, 3 min; 11 has not answered and waits "
		"for events on 1 descriptor, idle 3 min; a timer of its own wakes it in 2 min");
}

/* A request to its own listener; that it gives up after a time does not end the deadlock before. */
static void test_own_listener(void **state)
{
	(void)state;
	process(10, "php", 'S');
	thread(10, 10, "poll", 0);
	thread_at(&records, 10)->arguments[1] = 1;
	thread_at(&records, 10)->timeout_state = SOOTH_STATE_VALUE;
	thread_at(&records, 10)->timeout_ns = 60 * NS_PER_S;
	object(10, 6, FDS_TCP, WAITS_ROLE_WATCHED, "127.0.0.1:80");
	object_at(10, 6)->socket_state = SOCKETS_ESTABLISHED;
	object_at(10, 6)->peer_port = 80;
	party(10, 10, WAITS_RELATION_LISTENER, 10, 0, "php");
	party_at(10)->waiting_fd = 6;
	expect("deadlock", "php (10) waits for itself on 127.0.0.1:80, which has not accepted the "
			   "connection, 3 min: a deadlock, it cannot go on");
}

#define SERVES "python3 (10) waits for connections on 127.0.0.1:80, idle 3 min"

static void serves(enum fds_type also)
{
	reset(NULL);
	process(10, "python3", 'S');
	thread(10, 10, "epoll_wait", 5);
	object(10, 6, FDS_TCP, WAITS_ROLE_WATCHED, "127.0.0.1:80");
	object(10, 7, also, WAITS_ROLE_WATCHED, also == FDS_TCP ? "127.0.0.1:9" : "pipe:[7]");
	object_at(10, 7)->socket_state = SOCKETS_ESTABLISHED;
	object_at(10, 7)->peer_port = 9;
}

/* A server that watches more than its listener. */
static void test_beside_listener(void **state)
{
	(void)state;
	for (unsigned is_stopped = 0; is_stopped < 2; is_stopped++) {
		serves(FDS_PIPE);
		party(10, 10, WAITS_RELATION_WRITER, 11, 0, "cat");
		party_at(10)->waiting_fd = 7;
		process(11, "cat", is_stopped ? 'T' : 'S');
		thread(11, 11, "clock_nanosleep", 0);
		thread_at(&records, 11)->state = is_stopped ? 'T' : 'S';
		expect(is_stopped ? "waits" : "idle",
			is_stopped ? "python3 (10) waits for data from cat (11) through a pipe, 3 "
				     "min; 11 is stopped by a signal (SIGSTOP), 3 min"
				   : SERVES);
	}
	for (unsigned is_held = 0; is_held < 2; is_held++) {
		serves(FDS_EVENTFD);
		party(10, 10, WAITS_RELATION_CHILD, 11, 0, "gzip");
		process_of(10, 11, "gzip", 'S');
		thread(11, 11, is_held ? "write" : "clock_nanosleep", 1);
		object(11, 1, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[8]");
		expect(is_held ? "waits" : "idle",
			is_held ? "python3 (10) waits for its child gzip (11), 3 min; 11 is "
				  "blocked writing to a pipe: its reader does not read, 3 min"
				: SERVES);
	}
	for (uint8_t request = 0; request <= WAITS_REQUEST_OWED; request++) {
		serves(FDS_TCP);
		object_at(10, 7)->has_open_request = request;
		party(10, 10, WAITS_RELATION_PEER, 11, 0, "redis");
		party_at(10)->waiting_fd = 7;
		expect(request == WAITS_REQUEST_OWED ? "waits" : "idle",
			request == WAITS_REQUEST_OWED
				? "python3 (10) waits for redis (11) on 127.0.0.1:9, 3 min"
				: SERVES);
	}
}

/* The main thread serves, and another one waits for an answer or for a child. */
static void test_thread_behind_server(void **state)
{
	(void)state;
	for (uint8_t request = 0; request <= WAITS_REQUEST_OWED; request++) {
		serves(FDS_EVENTFD);
		thread(10, 12, "recvfrom", 8);
		object(10, 8, FDS_TCP, WAITS_ROLE_CALL, "127.0.0.1:9");
		object_at(10, 8)->socket_state = SOCKETS_ESTABLISHED;
		object_at(10, 8)->has_open_request = request;
		object_at(10, 8)->record.tid = 12;
		party(10, 12, WAITS_RELATION_PEER, 11, 0, "redis");
		((struct waits_party *)(uintptr_t)wait_graph_party(
			 &(struct wait_graph){ .records = { records.data, records.size } }, 10, 12,
			 NULL))
			->waiting_fd = 8;
		expect(request == WAITS_REQUEST_OWED ? "waits" : "idle",
			request == WAITS_REQUEST_OWED
				? "python3 (10) in thread worker (12) waits for redis (11) on "
				  "127.0.0.1:9, 3 min"
				: SERVES);
	}
	for (unsigned is_idle = 0; is_idle < 2; is_idle++) {
		serves(FDS_EVENTFD);
		thread(10, 12, "wait4", 11);
		party(10, 12, WAITS_RELATION_CHILD, 11, 0, "sleep");
		process_of(10, 11, "sleep", 'S');
		thread(11, 11, is_idle ? "rt_sigsuspend" : "clock_nanosleep", 0);
		expect(is_idle ? "idle" : "waits",
			is_idle ? SERVES
				: "python3 (10) in thread worker (12) waits for its child sleep "
				  "(11), 3 min; 11 sleeps");
	}
}

/* `until mkdir x.lock; do sleep 5; done` */
static void test_lock_directory(void **state)
{
	(void)state;
	process(10, "sleep", 'S');
	thread(10, 10, "clock_nanosleep", 0);
	party(10, 10, WAITS_RELATION_LOCK_FILE, 11, 0, "make");
	party_at(10)->source = WAITS_SOURCE_FILE;
	expect("waits", "sleep (10) sleeps for short times; the lock file /tmp/x.lock is there, of "
			"make (11)");
	party_at(10)->source = WAITS_SOURCE_DIRECTORY;
	expect("waits", "sleep (10) sleeps for short times; the lock directory /tmp/x.lock is "
			"there, of make (11)");
}

/* A connection within the host that no other socket has. */
static void test_half_open(void **state)
{
	(void)state;
	process(10, "ruby", 'S');
	thread(10, 10, "recvfrom", 3);
	object(10, 3, FDS_TCP, WAITS_ROLE_CALL, "127.0.0.1:40000");
	object_at(10, 3)->socket_state = SOCKETS_ESTABLISHED;
	object_at(10, 3)->is_peer_gone = 1;
	expect("waits",
		"ruby (10) waits for data from 127.0.0.1:40000: the other end is gone, no data "
		"will come, 3 min");
	thread_at(&records, 10)->since_ns = NS_PER_S;
	expect("waits", "ruby (10) waits for data from 127.0.0.1:40000, 1 s");
}

/* Processes that wait for one that waits for itself are no part of the circle. */
static void test_itself(void **state)
{
	(void)state;
	process(10, "curl", 'S');
	thread(10, 10, "recvfrom", 3);
	object(10, 3, FDS_TCP, WAITS_ROLE_CALL, "127.0.0.1:80");
	object_at(10, 3)->socket_state = SOCKETS_ESTABLISHED;
	party(10, 10, WAITS_RELATION_PEER, 11, 0, "server");
	process(11, "server", 'S');
	thread(11, 11, "recvfrom", 3);
	object(11, 3, FDS_TCP, WAITS_ROLE_CALL, "127.0.0.1:81");
	object_at(11, 3)->socket_state = SOCKETS_ESTABLISHED;
	party(11, 11, WAITS_RELATION_PEER, 11, 0, "server");
	expect("deadlock",
		"curl (10) waits for server (11) on 127.0.0.1:80, 3 min; 11 waits for itself on "
		"127.0.0.1:81, 3 min: a deadlock, it cannot go on");
	expect_remedy("only ending the process helps: sooth kill --any 11");
}

/* Two workers can write to its pipe; one of them waits for work. */
static void reads_of_pool(void)
{
	process(10, "python3", 'S');
	thread(10, 10, "read", 3);
	object(10, 3, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[7]");
	party(10, 10, WAITS_RELATION_WRITER, 11, 0, "python3");
	party(10, 10, WAITS_RELATION_WRITER, 12, 0, "python3");
	process(11, "python3", 'S');
	shared_thread(11, 11);
}

static void test_pool(void **state)
{
	reads_of_pool();
	process(12, "python3", 'S');
	thread(12, 12, "clock_nanosleep", 0);
	expect("waits", "python3 (10) waits for data from python3 (12) and 1 other through a pipe, "
			"3 min; 12 sleeps");
	reset(state);
	reads_of_pool();
	process(12, "python3", 'S');
	shared_thread(12, 12);
	expect("waits",
		"python3 (10) waits for data from python3 (11) and 1 other through a pipe, "
		"3 min; 11 waits for a lock, semaphore or condition that other processes can "
		"share: no owner is recorded, 3 min");
}

static void used(uint32_t pid, uint64_t cpu_ns)
{
	struct batch all = { records.data, records.size };

	batch_for_each (r, &all) {
		struct waits_process *p = (void *)r;

		if (r->kind == WAITS_PROCESS && p->node_pid == pid)
			p->cpu_ns = cpu_ns;
	}
}

/* The pipe only tells it that its parent has ended. */
static void test_death_watch(void **state)
{
	(void)state;
	process_of(11, 10, "postgres", 'S');
	thread(10, 10, "epoll_wait", 5);
	object(10, 6, FDS_SIGNALFD, WAITS_ROLE_WATCHED, "anon_inode:[signalfd]");
	object(10, 7, FDS_PIPE, WAITS_ROLE_WATCHED, "pipe:[7]");
	party(10, 10, WAITS_RELATION_WRITER, 11, 0, "postgres");
	party_at(10)->waiting_fd = 7;
	process(11, "postgres", 'S');
	thread(11, 11, "epoll_wait", 5);
	expect("idle", "postgres (10) waits for events on 2 descriptors, idle 3 min");
	object_at(10, 6)->type = FDS_EVENTFD; /* as a worker that is sent its work */
	expect("waits",
		"postgres (10) waits for data from postgres (11) through a pipe, 3 min; 11 waits "
		"for events, idle 3 min");
}

/* An event loop that works between its waits: from 15 % of a CPU on, in the second between. */
static void test_active(void **state)
{
	(void)state;
	process(10, "node", 'S');
	thread(10, 10, "epoll_wait", 5);
	sampled_before(1);
	used(10, 149 * NS_PER_MS);
	expect("idle", "node (10) waits for events, idle 3 min");
	used(10, 300 * NS_PER_MS);
	expect("runs", "node (10) waits for events and uses 30 % of a CPU between waits");
}

static void test_running(void **state)
{
	(void)state;
	process(10, "prog", 'S');
	thread(10, 10, NULL, 0);
	expect("runs", "prog (10) runs");
}

static void job_at_pipe(uint32_t pid, uint32_t other, uint32_t third)
{
	process(pid, "bash", 'S');
	thread(pid, pid, "read", 5);
	object(pid, 5, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[7]");
	party(pid, pid, WAITS_RELATION_WRITER, other, 0, "bash");
	party(pid, pid, WAITS_RELATION_WRITER, third, 0, "bash");
}

/* A job server after its last token was lost: all that could write to the pipe wait to read it. */
static void test_lost_token(void **state)
{
	struct wait_graph g;
	struct wait_chain chain;

	(void)state;
	job_at_pipe(10, 11, 12);
	job_at_pipe(11, 10, 12);
	process(12, "bash", 'S');
	thread(12, 12, "nanosleep", 0);
	expect("waits",
		"bash (10) waits for data from bash (12) and 1 other through a pipe, 3 min; 12 "
		"sleeps");
	reset(NULL);
	job_at_pipe(10, 11, 12);
	job_at_pipe(11, 10, 12);
	job_at_pipe(12, 10, 11);
	expect("deadlock",
		"bash (10) waits for data from bash (11) and 1 other through a pipe, 3 min; 11 "
		"waits for data from bash (10) and 1 other through a pipe, 3 min: a deadlock, none "
		"of them can go on");
	expect_remedy("only ending all of these processes helps: sooth kill --any 11");
	g = (struct wait_graph){ .records = { records.data, records.size } };
	wait_chain_follow(&g, 10, &chain);
	assert_non_null(wait_circle_pipe(&chain));
	/* One that was not read may write. */
	reset(NULL);
	job_at_pipe(10, 11, 12);
	job_at_pipe(11, 10, 12);
	g = (struct wait_graph){ .records = { records.data, records.size } };
	wait_chain_follow(&g, 10, &chain);
	assert_null(wait_circle_pipe(&chain));
}

/* An event loop at rest does not hide the threads that do its work. */
static void test_held_threads(void **state)
{
	(void)state;
	process(10, "server", 'S');
	thread(10, 10, "epoll_wait", 5);
	thread(10, 11, "futex", 0x1000);
	expect("idle", "server (10) waits for events, idle 3 min");
	thread(10, 12, "flock", 3);
	object(10, 3, FDS_FILE, WAITS_ROLE_CALL, "/tmp/x.lock");
	party(10, 12, WAITS_RELATION_LOCK, 13, 0, "make");
	expect("idle",
		"server (10) waits for events, idle 3 min; its thread 12 waits for a lock on "
		"/tmp/x.lock held by make (13), 3 min");
	thread(10, 14, "flock", 3);
	party(10, 14, WAITS_RELATION_LOCK, 13, 0, "make");
	expect("idle",
		"server (10) waits for events, idle 3 min; 2 of its threads are held up: 12 waits "
		"for a lock on /tmp/x.lock held by make (13), 3 min");
}

/* A subreaper adopted the process that has the output open: its parent shows nothing. */
static void test_left_output(void **state)
{
	(void)state;
	process(10, "node", 'S');
	thread(10, 10, "read", 5);
	object(10, 5, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[7]");
	process_of(3, 11, "sleep", 'S');
	thread(11, 11, "clock_nanosleep", 0);
	party(10, 10, WAITS_RELATION_WRITER, 11, 0, "sleep");
	party_at(10)->fd = 1;
	expect("waits",
		"node (10) waits for data from sleep (11) through a pipe, 3 min; 11 sleeps");
	party_at(10)->source = WAITS_SOURCE_ADOPTED;
	expect("waits", "node (10) waits for an output to close: its command has ended, but left "
			"sleep (11) running, which still has the output open, as descriptor 1, 3 "
			"min; 11 sleeps");
	party_at(10)->fd = 7;
	expect("waits", "node (10) waits for an output to close: its command has ended, but left "
			"sleep (11) running, which still has the output open, as descriptor 7, 3 "
			"min; 11 sleeps");
}

/* A loop watches a pipe for messages of a process, which was adopted. */
static void test_messages(void **state)
{
	(void)state;
	process(10, "node", 'S');
	thread(10, 10, "epoll_wait", 5);
	object(10, 5, FDS_PIPE, WAITS_ROLE_WATCHED, "pipe:[7]");
	object_at(10, 5)->events = POLLIN;
	process_of(3, 11, "sleep", 'S');
	thread(11, 11, "clock_nanosleep", 0);
	party(10, 10, WAITS_RELATION_WRITER, 11, 0, "sleep");
	party_at(10)->fd = 7;
	party_at(10)->waiting_fd = 5;
	party_at(10)->source = WAITS_SOURCE_ADOPTED;
	expect("waits",
		"node (10) waits for data from sleep (11) through a pipe, 3 min; 11 sleeps");
	party_at(10)->fd = 1;
	expect("waits", "node (10) waits for an output to close: its command has ended, but left "
			"sleep (11) running, which still has the output open, as descriptor 1, 3 "
			"min; 11 sleeps");
}

/* A server that keeps the input of its child open. */
static void keeps_input(uint8_t unflushed_state, uint32_t writer)
{
	reset(NULL);
	process(10, "node", 'S');
	thread(10, 10, "epoll_wait", 5);
	object(10, 6, FDS_TCP, WAITS_ROLE_WATCHED, "127.0.0.1:80");
	party(10, 10, WAITS_RELATION_CHILD, 11, 0, "sh");
	process_of(10, 11, "sh", 'S');
	thread(11, 11, "wait4", (uint64_t)-1);
	party(11, 11, WAITS_RELATION_CHILD, 12, 0, "wc");
	process_of(11, 12, "wc", 'S');
	thread(12, 12, "read", 0);
	thread_at(&records, 12)->unflushed_state = unflushed_state;
	object(12, 0, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[7]");
	party(12, 12, WAITS_RELATION_WRITER, writer, 0, "node");
	party_at(12)->waiting_fd = 0;
}

#define LISTENS "node (10) waits for connections on 127.0.0.1:80, idle 3 min"

static void test_unfed_child(void **state)
{
	(void)state;
	keeps_input(SOOTH_STATE_ABSENT, 10);
	expect("idle", LISTENS "; its child sh (11), in it wc (12), waits for input that only this "
			       "process can send, or end by closing it, 3 min");
	/* Its output is a pipe or socket: it may be a server of the process. */
	keeps_input(SOOTH_STATE_VALUE, 10);
	expect("idle", LISTENS);
	keeps_input(SOOTH_STATE_ABSENT, 13);
	expect("idle", LISTENS);
}

#define ASKING                                                                                     \
	"python3 (10) waits for events, idle 3 min; its thread 14 waits for keyd (12) "            \
	"on /run/keyd, 3 min; 12 "
#define AT_REST "and waits for connections on 127.0.0.1:80, idle 3 min"

/* A thread that waits for one connection, which it made to the Unix socket of a server at rest. */
static void test_asking_thread(void **state)
{
	struct waits_object asked = { .node_start_ticks = STARTED,
		.node_pid = 10,
		.fd = 8,
		.type = FDS_UNIX,
		.socket_state_state = SOOTH_STATE_ABSENT };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		/* Without a name the other end is the one that connected: this one serves it. */
		struct record_tail tail[] = { tail_string(&asked.path, "socket:[8]"),
			tail_string(&asked.local, ""),
			tail_string(&asked.peer, i < 2 ? "/run/keyd" : "") };

		reset(NULL);
		process(10, "python3", 'S');
		thread(10, 10, "epoll_wait", 5);
		thread(10, 14, "recvfrom", 8);
		asked.record = head(WAITS_OBJECT, 14);
		asked.send_queue = i == 1 ? 768 : 0;
		RECORD_APPEND(&records, &asked, tail, 3);
		party(10, 14, WAITS_RELATION_PEER, 12, 0, "keyd");
		process(12, "keyd", 'S');
		thread(12, 12, "epoll_wait", 5);
		object(12, 6, FDS_TCP, WAITS_ROLE_WATCHED, "127.0.0.1:80");
		expect("idle", i == 0	? ASKING "has read all that came from it " AT_REST
			       : i == 1 ? ASKING "has not read the request " AT_REST
					: "python3 (10) waits for events, idle 3 min");
	}
}

static void test_namespace_init(void **state)
{
	struct waits_signals s = { .record = head(WAITS_SIGNALS, 0), .node_pid = 10 };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		reset(NULL);
		process(10, "sh", 'S');
		s.caught = i == 1 ? 1u << 14 : 1;
		RECORD_APPEND(&records, &s, NULL, 0);
		thread(10, 10, "wait4", (uint64_t)-1);
		thread_at(&records, 10)->is_namespace_init = i < 2;
		expect("waits", i ? "sh (10) waits for a child, 3 min"
				  : "sh (10) waits for a child, 3 min; as process 1 of its PID "
				    "namespace (container) it has no handler for SIGTERM, so the "
				    "kernel drops it: only SIGKILL ends it");
	}
}

#define BLOCKED "push (10) is blocked sending to 127.0.0.1:80: ruby (11) does not read, 3 min"
#define CHILD	"push (10) waits for its child sleep (12), 3 min; 12 sleeps"

/* An event loop that wants to write to a connection whose peer does not read. */
static void test_full_queue(void **state)
{
	static const struct {
		uint32_t events;
		uint64_t send_queue;
		bool is_blocked;
	} rows[] = { { POLLOUT, 8000, true }, { POLLIN | POLLOUT, 8000, true },
		{ POLLIN, 8000, false }, { POLLIN | POLLOUT, 0, false },
		{ POLLIN | POLLOUT | 1u << 31, 8000, false }, /* edge-triggered */
		{ POLLIN | POLLOUT | 1u << 31, 80000, true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		reset(NULL);
		process(10, "push", 'S');
		thread(10, 10, "epoll_wait", 5);
		object(10, 7, FDS_TCP, WAITS_ROLE_WATCHED, "127.0.0.1:80");
		object_at(10, 7)->socket_state = SOCKETS_ESTABLISHED;
		object_at(10, 7)->peer_port = 80;
		object_at(10, 7)->events = rows[i].events;
		object_at(10, 7)->send_queue = rows[i].send_queue;
		party(10, 10, WAITS_RELATION_PEER, 11, 0, "ruby");
		party_at(10)->waiting_fd = 7;
		/* A child does not matter then. */
		party(10, 10, WAITS_RELATION_CHILD, 12, 0, "sleep");
		process_of(10, 12, "sleep", 'S');
		thread(12, 12, "clock_nanosleep", 0);
		expect("waits", rows[i].is_blocked ? BLOCKED : CHILD);
	}
}

/* The server watches its end of the connection, and has read all of it. */
static void test_taken_request(void **state)
{
	(void)state;
	process(10, "get", 'S');
	thread(10, 10, "read", 3);
	object(10, 3, FDS_TCP, WAITS_ROLE_CALL, "127.0.0.1:80");
	object_at(10, 3)->socket_state = SOCKETS_ESTABLISHED;
	object_at(10, 3)->has_open_request = WAITS_REQUEST_OWED;
	object_at(10, 3)->peer_port = object_at(10, 3)->local_port = 80;
	object_at(10, 3)->local_port = 4711;
	party(10, 10, WAITS_RELATION_PEER, 11, 0, "redis-server");
	process(11, "redis-server", 'S');
	thread(11, 11, "epoll_wait", 5);
	object(11, 6, FDS_TCP, WAITS_ROLE_WATCHED, "127.0.0.1:80");
	object(11, 7, FDS_TCP, WAITS_ROLE_WATCHED, "127.0.0.1:80");
	object_at(11, 7)->socket_state = SOCKETS_ESTABLISHED;
	object_at(11, 7)->local_port = 80;
	object_at(11, 7)->peer_port = 4711;
	expect("waits", "get (10) waits for redis-server (11) on 127.0.0.1:80, 3 min; 11 has taken "
			"the request, has not answered and waits for connections on 127.0.0.1:80, "
			"idle 3 min");
	expect_remedy(
		"unless the request itself waits (BLPOP, SUBSCRIBE), the clients may be paused: "
		"redis-cli CLIENT UNPAUSE");
	object_at(11, 7)->receive_queue = 20;
	expect("waits",
		"get (10) waits for redis-server (11) on 127.0.0.1:80, 3 min; 11 has not answered "
		"and waits for connections on 127.0.0.1:80, idle 3 min");
	/* Another thread of the server is held up. */
	thread(11, 12, "write", 1);
	object(11, 1, FDS_PIPE, WAITS_ROLE_CALL, "pipe:[8]");
	object_at(11, 1)->record.tid = 12;
	expect("waits",
		"get (10) waits for redis-server (11) on 127.0.0.1:80, 3 min; 11 in thread "
		"worker (12) is blocked writing to a pipe: its reader does not read, 3 min");
}

/* A server reads a connection that its client opened in advance; another client waits for it. */
static void test_silent_client(void **state)
{
	(void)state;
	for (uint8_t request = 0; request <= WAITS_REQUEST_OWED; request += WAITS_REQUEST_OWED) {
		reset(NULL);
		process(10, "curl", 'S');
		thread(10, 10, "read", 3);
		object(10, 3, FDS_TCP, WAITS_ROLE_CALL, "127.0.0.1:80");
		object_at(10, 3)->socket_state = SOCKETS_ESTABLISHED;
		party(10, 10, WAITS_RELATION_LISTENER, 11, 0, "serve");
		process(11, "serve", 'S');
		thread(11, 11, "read", 5);
		object(11, 5, FDS_TCP, WAITS_ROLE_CALL, "127.0.0.1:4711");
		object_at(11, 5)->socket_state = SOCKETS_ESTABLISHED;
		object_at(11, 5)->local_port = 80;
		object_at(11, 5)->peer_port = 4711;
		party(11, 11, WAITS_RELATION_PEER, 12, 0, "browser");
		process(12, "browser", 'S');
		thread(12, 12, "read", 6);
		object(12, 6, FDS_TCP, WAITS_ROLE_CALL, "127.0.0.1:80");
		object_at(12, 6)->socket_state = SOCKETS_ESTABLISHED;
		object_at(12, 6)->local_port = 4711;
		object_at(12, 6)->peer_port = 80;
		object_at(12, 6)->has_open_request = request;
		party(12, 12, WAITS_RELATION_PEER, 11, 0, "serve");
		expect("waits",
			request ? "curl (10) waits for serve (11) on 127.0.0.1:80, which has not "
				  "accepted the connection, 3 min; 11 waits for browser (12) on "
				  "127.0.0.1:4711, 3 min; 12 waits for serve (11) on 127.0.0.1:80, "
				  "3 min: perhaps a deadlock (low confidence)"
				: "curl (10) waits for serve (11) on 127.0.0.1:80, which has not "
				  "accepted the connection, 3 min; 11 waits for a request of "
				  "browser (12) on 127.0.0.1:4711, 3 min; 12 waits for serve (11) "
				  "on 127.0.0.1:80, idle 3 min");
	}
}

static void test_nothing(void **state)
{
	struct wait_graph g = { 0 };
	struct wait_chain chain;

	(void)state;
	wait_chain_follow(&g, 10, &chain);
	assert_int_equal(chain.count, 0);
	assert_string_equal(wait_chain_state(&chain), "ended");
}

static void test_durations(void **state)
{
	char out[WAIT_DURATION_SIZE];

	(void)state;
	assert_string_equal(wait_duration(out, 300 * NS_PER_MS), "0.3 s");
	assert_string_equal(wait_duration(out, 42 * NS_PER_S), "42 s");
	assert_string_equal(wait_duration(out, 480 * NS_PER_S), "8 min");
	assert_string_equal(wait_duration(out, 7500 * NS_PER_S), "2 h 5 min");
	assert_string_equal(wait_duration(out, 300000 * NS_PER_S), "3 d");
}

/* --- what is beyond it --- */

static void peer(uint32_t pid, uint64_t unread_bytes, char state)
{
	struct waits_peer p = { .record = head(WAITS_PEER, 0),
		.peer_pid = pid,
		.connections = 1,
		.unread_bytes = unread_bytes,
		.peer_state = state };
	struct record_tail tail[] = { tail_string(&p.peer_name, "node") };

	RECORD_APPEND(&records, &p, tail, 1);
}

/* Up to three PIDs; 0: none. */
static void expect_beyond(uint32_t a, uint32_t b, uint32_t c)
{
	const uint32_t expected[] = { a, b, c };
	struct buffer found = { 0 };
	const uint32_t *pids;
	size_t count;

	wait_find_beyond(&(struct batch){ records.data, records.size }, 10, &found);
	pids = (const void *)found.data;
	count = found.size / sizeof(*pids);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_int_equal(i < count ? pids[i] : 0, expected[i]);
	assert_true(count <= ARRAY_SIZE(expected));
	buffer_fini(&found);
}

/* The whole chain, also its end, which no record describes. */
static void test_beyond_chain(void **state)
{
	(void)state;
	process(10, "client", 'S');
	thread(10, 10, "flock", 3);
	party(10, 10, WAITS_RELATION_LOCK, 20, 0, "holder");
	process(20, "holder", 'S');
	thread(20, 20, "flock", 4);
	party(20, 20, WAITS_RELATION_LOCK, 30, 0, "other");
	expect_beyond(20, 30, 0);
}

static void test_beyond_one_that_rests(void **state)
{
	(void)state;
	process(10, "server", 'S');
	thread(10, 10, "accept", 3);
	object(10, 3, FDS_TCP, WAITS_ROLE_CALL, "127.0.0.1:80");
	party(10, 10, WAITS_RELATION_TERMINAL, 20, 0, "tmux");
	expect_beyond(0, 0, 0);
}

/* Much that is not read, or anything that a stopped process does not read. */
static void test_beyond_connection(void **state)
{
	(void)state;
	process(10, "server", 'S');
	thread(10, 10, "accept", 3);
	object(10, 3, FDS_TCP, WAITS_ROLE_CALL, "127.0.0.1:80");
	peer(20, 32 << 10, 'S');
	peer(21, 100, 'S');
	peer(22, 100, 't');
	peer(23, 0, 'T');
	expect_beyond(20, 22, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_chain, reset),
		cmocka_unit_test_setup(test_pipe_without_writer, reset),
		cmocka_unit_test_setup(test_without_first_thread, reset),
		cmocka_unit_test_setup(test_pidfd, reset),
		cmocka_unit_test_setup(test_deadlock, reset),
		cmocka_unit_test_setup(test_ring_with_timer, reset),
		cmocka_unit_test_setup(test_asked_by_both, reset),
		cmocka_unit_test_setup(test_own_listener, reset),
		cmocka_unit_test_setup(test_beside_listener, reset),
		cmocka_unit_test_setup(test_thread_behind_server, reset),
		cmocka_unit_test_setup(test_lock_directory, reset),
		cmocka_unit_test_setup(test_half_open, reset),
		cmocka_unit_test_setup(test_mutexes, reset),
		cmocka_unit_test_setup(test_java, reset),
		cmocka_unit_test_setup(test_owner_that_ended, reset),
		cmocka_unit_test_setup(test_owner_of_shared_mutex, reset),
		cmocka_unit_test_setup(test_readers, reset),
		cmocka_unit_test_setup(test_open_circle, reset),
		cmocka_unit_test_setup(test_ring_that_runs, reset),
		cmocka_unit_test_setup(test_answer_in_a_buffer, reset),
		cmocka_unit_test(test_session_that_computes),
		cmocka_unit_test_setup(test_ring_of_a_writer, reset),
		cmocka_unit_test_setup(test_woken_writer, reset),
		cmocka_unit_test_setup(test_long_sleep, reset),
		cmocka_unit_test_setup(test_between_waits, reset),
		cmocka_unit_test_setup(test_busy_reader, reset),
		cmocka_unit_test_setup(test_second_writer, reset),
		cmocka_unit_test_setup(test_own_lock, reset),
		cmocka_unit_test_setup(test_own_inherited_lock, reset),
		cmocka_unit_test_setup(test_polled_lock, reset),
		cmocka_unit_test_setup(test_abandoned, reset),
		cmocka_unit_test_setup(test_all_threads, reset),
		cmocka_unit_test_setup(test_shared, reset),
		cmocka_unit_test_setup(test_shared_mutexes, reset),
		cmocka_unit_test_setup(test_queues, reset),
		cmocka_unit_test_setup(test_last_users, reset),
		cmocka_unit_test_setup(test_job_server, reset),
		cmocka_unit_test_setup(test_bystander, reset),
		cmocka_unit_test_setup(test_stuck_children, reset),
		cmocka_unit_test_setup(test_worker, reset),
		cmocka_unit_test_setup(test_jvm, reset),
		cmocka_unit_test_setup(test_itself, reset),
		cmocka_unit_test_setup(test_pool, reset),
		cmocka_unit_test_setup(test_idle_server, reset),
		cmocka_unit_test_setup(test_proxy, reset),
		cmocka_unit_test_setup(test_death_watch, reset),
		cmocka_unit_test_setup(test_active, reset),
		cmocka_unit_test_setup(test_running, reset),
		cmocka_unit_test_setup(test_lost_token, reset),
		cmocka_unit_test_setup(test_held_threads, reset),
		cmocka_unit_test_setup(test_left_output, reset),
		cmocka_unit_test_setup(test_messages, reset),
		cmocka_unit_test_setup(test_namespace_init, reset),
		cmocka_unit_test_setup(test_full_queue, reset),
		cmocka_unit_test_setup(test_unfed_child, reset),
		cmocka_unit_test_setup(test_asking_thread, reset),
		cmocka_unit_test_setup(test_taken_request, reset),
		cmocka_unit_test_setup(test_silent_client, reset),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_durations),
		cmocka_unit_test_setup(test_beyond_chain, reset),
		cmocka_unit_test_setup(test_beyond_one_that_rests, reset),
		cmocka_unit_test_setup(test_beyond_connection, reset),
	};
	int status = cmocka_run_group_tests(tests, NULL, NULL);

	buffer_fini(&records);
	buffer_fini(&before);
	return status;
}
