/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread: its call, how long it has not run, and, if it waits, the cause. If the call cannot be
 * read because the caller may not trace the process, the wait channel still shows the kind. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/task_files.h"
#include "os/linux/waits/wait_reader.h"

/* Returns the last user of a semaphore. The kernel does not show which operation of a call waits:
 * in most programs it is the first. */
static int last_operator(
	struct wait_reader *r, const struct wait_node *n, const uint64_t *arguments)
{
	struct sembuf first;

	return wait_read_memory(r, n, arguments[1], &first, sizeof(first))
		       ? semctl((int)arguments[0], first.sem_num, GETPID)
		       : -1;
}

static int last_sender(int queue)
{
	struct msqid_ds state;

	return msgctl(queue, IPC_STAT, &state) ? -1 : state.msg_lspid;
}

static int last_receiver(int queue)
{
	struct msqid_ds state;

	return msgctl(queue, IPC_STAT, &state) ? -1 : state.msg_lrpid;
}

/* Adds the last user of a System V semaphore or queue. */
static void wait_ipc(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	const uint64_t *arguments = c->thread->arguments;
	bool is_queue = wait_find_argument(c->row, ARGUMENT_TYPE_msgq_flags) >= 0;
	int pid;

	if (!n->may_read || !procfs_shares_namespace(n->process, "ns/ipc"))
		return;
	if (!is_queue)
		pid = last_operator(r, n, arguments);
	else if (c->row->arguments[3] == ARGUMENT_TYPE_long)
		pid = last_sender((int)arguments[0]);
	else
		pid = last_receiver((int)arguments[0]);
	/* If the process itself was the last user, this does not show which process could end the
	 * wait. */
	if (pid <= 0 || (uint32_t)pid == n->stat.pid)
		return;
	wait_add_party(r, n, c->thread->record.tid,
		&(struct wait_found){ .relation = WAITS_RELATION_LAST_USER,
			.source = WAITS_SOURCE_IPC,
			.confidence = WAITS_MEDIUM,
			.pid = (uint32_t)pid,
			.follows = true });
}

#define CHANNEL_SIZE 128

#define FAILED	    SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED)
#define UNSUPPORTED SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)

static int read_file(struct wait_reader *r, const struct wait_node *n, uint32_t tid,
	const char *name, size_t limit)
{
	char path[64];

	snprintf(path, sizeof(path), "task/%u/%s", tid, name);
	return procfs_read_at(n->process, path, &r->bytes, limit);
}

/* --- since when --- */

static void read_since(
	struct wait_reader *r, const struct wait_node *n, struct waits_thread *t, uint32_t cpu)
{
	uint64_t now, then;

	t->since_state = UNSUPPORTED;
	if (t->state == 'R') {
		t->since_state = SOOTH_STATE_ABSENT;
		return;
	}
	if (read_file(r, n, t->record.tid, "sched", PROCFS_SMALL) ||
		!cpu_clock_last_run(&r->bytes, &then) || !cpu_clock_now(&r->clock, cpu, &now))
		return;
	/* migrate_task_rq_fair() clears the time. Since Linux 6.12 a sleeper may be migrated, too:
	 * it stays in the queue for some ms (delayed dequeue). */
	if (!then) {
		t->since_state = FAILED;
		return;
	}
	t->since_ns = now > then ? now - then : 0;
	t->since_state = SOOTH_STATE_VALUE;
}

/* --- the call --- */

static void read_call(struct wait_reader *r, const struct wait_node *n, struct waits_thread *t)
{
	int status = read_file(r, n, t->record.tid, "syscall", PROCFS_STAT);
	struct task_call call;

	t->call_state = procfs_state(status);
	if (status)
		return;
	if (!task_call_parse(&call, r->bytes.data, r->bytes.size)) {
		t->call_state = FAILED;
		return;
	}
	if (call.is_running || !call.has_call) {
		t->call_state = SOOTH_STATE_ABSENT;
		return;
	}
	t->syscall = call.number;
	t->abi = n->abi;
#if defined(__x86_64__)
	if (call.number & SYSCALL_X32_BIT) {
		t->syscall = call.number & ~SYSCALL_X32_BIT;
		t->abi = SYSCALL_ABI_X32;
	}
#endif
	memcpy(t->arguments, call.arguments, sizeof(t->arguments));
}

static void read_channel(struct wait_reader *r, const struct wait_node *n, struct waits_thread *t,
	char channel[CHANNEL_SIZE])
{
	int status = read_file(r, n, t->record.tid, "wchan", PROCFS_STAT);
	size_t size = r->bytes.size < CHANNEL_SIZE ? r->bytes.size : CHANNEL_SIZE - 1;

	channel[0] = '\0';
	t->channel_state = procfs_state(status);
	if (status)
		return;
	if (!size || (size == 1 && r->bytes.data[0] == '0')) {
		t->channel_state = SOOTH_STATE_ABSENT;
		return;
	}
	memcpy(channel, r->bytes.data, size);
	channel[size] = '\0';
}

static void read_cpu(struct wait_reader *r, const struct wait_node *n, struct waits_thread *t)
{
	uint64_t waited;
	struct span voluntary;

	if (!read_file(r, n, t->record.tid, "schedstat", PROCFS_STAT) &&
		task_schedstat_parse(&t->cpu_ns, &waited, r->bytes.data, r->bytes.size))
		t->cpu_state = SOOTH_STATE_VALUE;
	else
		t->cpu_state = UNSUPPORTED;
	t->switches_state = UNSUPPORTED;
	if (!read_file(r, n, t->record.tid, "status", PROCFS_SMALL) &&
		task_status_find(
			&voluntary, "voluntary_ctxt_switches:", r->bytes.data, r->bytes.size) &&
		span_decimal(voluntary, &t->switches))
		t->switches_state = SOOTH_STATE_VALUE;
}

/* --- what it waits for --- */

/* Adds the FIFO that open(2) opens: the call waits for the other end, and the path is in memory. */
static void add_opened(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	const struct syscall_effect *effect = &c->row->effect;
	uint64_t address = syscall_value(c->thread->arguments, effect->path, 0);
	uint64_t flags = syscall_value(c->thread->arguments, effect->flags, 0);
	char path[WAIT_PATH_SIZE];
	struct waits_object o = { .record = wait_record(r, c->thread->record.tid, WAITS_OBJECT),
		.node_pid = n->stat.pid,
		.node_start_ticks = n->stat.start_ticks,
		.role = WAITS_ROLE_CALL,
		.type = strstr(c->channel, "partner") || strstr(c->channel, "fifo") ||
					strstr(c->channel, "pipe")
				? FDS_FIFO
				: FDS_FILE,
		.events = (uint32_t)(flags & O_ACCMODE),
		.fd_state = SOOTH_STATE_ABSENT,
		.socket_state_state = SOOTH_STATE_ABSENT,
		.expires_state = SOOTH_STATE_ABSENT };

	wait_read_path(r, n, address, path);
	struct record_tail tail[] = { { &o.path, path, strlen(path) } };
	RECORD_APPEND(&r->run->out, &o, tail, 1);
}

/* Adds the owner of a mutex in shared memory. The memory may be that of a liar, or have an id of
 * another PID namespace: the owner is only named if it has the same memory. */
static void add_shared_owner(
	struct wait_reader *r, struct wait_node *n, const struct waits_thread *t, uint32_t owner)
{
	struct wait_found found = { .relation = WAITS_RELATION_LOCK,
		.source = WAITS_SOURCE_MEMORY,
		.confidence = WAITS_MEDIUM,
		.follows = true };
	int status = procfs_read((pid_t)owner, "status", &r->bytes, PROCFS_SMALL);
	struct span text;
	uint64_t pid;
	uint32_t inner;

	if (n->numberings == 1 && (status == -ENOENT || status == -ESRCH))
		found.tid = owner; /* it has ended */
	else if (n->numberings == 1 && !status &&
		 task_status_find(&text, "Tgid:", r->bytes.data, r->bytes.size) &&
		 span_decimal(text, &pid) &&
		 task_status_inner_pid(&inner, r->bytes.data, r->bytes.size) == 1 &&
		 wait_shares_memory(r, n, t->arguments[0], (uint32_t)pid))
		found.pid = (uint32_t)pid;
	wait_add_party(r, n, t->record.tid, &found);
}

static void read_runtime_owners(struct wait_reader *r, struct wait_node *n)
{
	n->has_owners = true;
	RUNTIME_CALL(&r->runtimes, locks, r, n);
	for (unsigned i = 0; n->owners && i < n->owners->count; i++) {
		struct wait_owner *e = &n->owners->all[i];

		e->waiter = wait_own_thread(r, n, e->waiter);
		e->owner = wait_own_thread(r, n, e->owner);
	}
}

/* Adds the owner of a runtime's lock. A timed wait for a lock of java.util.concurrent ends by
 * itself; HotSpot's wait for a monitor has a timeout only to check again. */
static void add_runtime_owner(struct wait_reader *r, struct wait_node *n, struct waits_thread *t)
{
	if (!n->has_owners)
		read_runtime_owners(r, n);
	if (!n->owners || !n->numberings)
		return;
	t->lock = WAITS_LOCK_JAVA_IDLE;
	for (const struct wait_owner *e = n->owners->all; e < n->owners->all + n->owners->count;
		e++) {
		if (e->waiter != t->record.tid || (e->lock != WAITS_LOCK_JAVA_MONITOR &&
							  t->timeout_state != SOOTH_STATE_ABSENT))
			continue;
		t->lock = (uint8_t)e->lock;
		/* A virtual machine lists only living threads: an unknown number belongs to a
		 * thread that has just ended, or to a program that is no such machine. */
		if (!e->owner)
			return;
		wait_add_party(r, n, t->record.tid,
			&(struct wait_found){ .relation = WAITS_RELATION_THREAD,
				.source = WAITS_SOURCE_MEMORY,
				.confidence = WAITS_HIGH,
				.pid = n->stat.pid,
				.tid = e->owner,
				.detail = span_of(e->class, strlen(e->class)) });
		return;
	}
}

static void add_owner(struct wait_reader *r, struct wait_node *n, struct waits_thread *t)
{
	uint32_t owner, own;

	t->lock = wait_read_futex(r, n, t, &owner);
	if (!owner) {
		add_runtime_owner(r, n, t);
		if (!(t->arguments[1] & FUTEX_PRIVATE_FLAG))
			wait_add_sharers(r, n, t);
		return;
	}
	own = wait_own_thread(r, n, owner);
	if (!own && !(t->arguments[1] & FUTEX_PRIVATE_FLAG)) {
		add_shared_owner(r, n, t, owner);
		return;
	}
	if (!n->numberings)
		return;
	wait_add_party(r, n, t->record.tid,
		&(struct wait_found){ .relation = WAITS_RELATION_THREAD,
			.source = t->lock == WAITS_LOCK_JOIN ? WAITS_SOURCE_NONE
							     : WAITS_SOURCE_MEMORY,
			.confidence = WAITS_HIGH,
			.pid = own ? n->stat.pid : 0,
			.tid = own ? own : owner });
}

static void add_of_kind(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	switch (c->what) {
	case SYSCALL_WAIT_READY:
		wait_add_watched(r, n, c);
		/* Ruby sleeps until a descriptor of its own is ready. */
		if (c->row && c->row->wait.count &&
			syscall_value(c->thread->arguments, c->row->wait.count, 0) == 1)
			wait_add_polled_causes(r, n, c);
		break;
	case SYSCALL_WAIT_TIME:
		wait_add_polled_causes(r, n, c);
		break;
	case SYSCALL_WAIT_TURN:
		if (c->row && c->row->wait.descriptor)
			wait_add_lock_owners(r, n, c);
		else if (c->row)
			wait_ipc(r, n, c);
		break;
	case SYSCALL_WAIT_CHILD:
	case SYSCALL_WAIT_SPAWN:
		wait_add_children(r, n, c);
		break;
	default:
		break;
	}
}

/* Adds the pipe of an unknown call: it is likely standard input or output, if one is a pipe. */
static void add_standard_pipe(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	bool reads = strstr(c->channel, "pipe_read"), writes = strstr(c->channel, "pipe_write");

	if (reads)
		wait_add_descriptor(r, n, c, STDIN_FILENO, WAITS_ROLE_WATCHED, POLLIN, true);
	else if (writes)
		wait_add_descriptor(r, n, c, STDOUT_FILENO, WAITS_ROLE_WATCHED, POLLOUT, true);
}

static void add_parties(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	const struct syscall_wait *w = c->row ? &c->row->wait : NULL;
	const uint64_t *arguments = c->thread->arguments;

	if (w && w->count && !syscall_value(arguments, w->count, 1)) {
		wait_add_polled_causes(r, n, c); /* for a wait without a descriptor: a sleep */
		return;
	}
	if (w && c->row->effect.what == SYSCALL_FD_OPENS_FILE) {
		add_opened(r, n, c);
		if (waits_is_lease(span_of_string(c->channel)))
			wait_add_lock_owners(r, n, c);
		return;
	}
	if (w && w->descriptor &&
		wait_add_descriptor(r, n, c, (uint32_t)syscall_value(arguments, w->descriptor, 0),
			WAITS_ROLE_CALL, 0, c->what != SYSCALL_WAIT_TURN) == FDS_PIPE &&
		c->row->transfer.direction == SYSCALL_READS)
		wait_add_unread_output(r, n, c);
	if (!w)
		add_standard_pipe(r, n, c);
	add_of_kind(r, n, c);
}

/* Returns the kind that the wait channel names, for an unknown call. */
static enum syscall_wait_kind kind_of_channel(const char *channel)
{
	static const struct {
		const char *channel;
		enum syscall_wait_kind what;
	} known[] = { { "do_wait", SYSCALL_WAIT_CHILD }, { "hrtimer_nanosleep", SYSCALL_WAIT_TIME },
		{ "kernel_clone", SYSCALL_WAIT_SPAWN } };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (!strcmp(channel, known[i].channel))
			return known[i].what;
	}
	return SYSCALL_WAIT_OTHER;
}

/* Returns whether a call was restarted: after a stop it goes on under another name, without
 * arguments. */
static bool is_restarted(const struct syscall_row *row)
{
	return row->wait.what == SYSCALL_WAIT_TIME && !(row->traits & SYSCALL_SLEEPS);
}

static void set_call(struct wait_call *c)
{
	const struct waits_thread *t = c->thread;
	const struct syscall_row *row = t->call_state ? NULL : syscall_row_of(t->abi, t->syscall);

	if (!row || is_restarted(row)) {
		c->what = kind_of_channel(c->channel);
		return;
	}
	c->row = row;
	c->what = (enum syscall_wait_kind)row->wait.what;
}

static bool is_waiting(char state)
{
	return state == 'S' || state == 'D';
}

static void read_wait(struct wait_reader *r, struct wait_node *n, struct waits_thread *t,
	const struct wait_call *c)
{
	if (c->row)
		t->timeout_state = wait_read_timeout(r, n, t, c->row, &t->timeout_ns);
	if (c->row && c->row->traits & SYSCALL_FUTEX)
		add_owner(r, n, t);
	add_parties(r, n, c);
	if (waits_is_of_file_system(c->channel))
		wait_add_file_system(r, n, c);
	wait_add_handlers(r, n, c);
	if (t->record.tid != n->stat.pid)
		return;
	wait_add_loop_children(r, n, c);
	if (c->what == SYSCALL_WAIT_READY || c->what == SYSCALL_WAIT_TIME ||
		(c->row && c->row->wait.descriptor))
		wait_read_unflushed(r, n, t);
}

enum syscall_wait_kind wait_read_thread_call(
	struct wait_reader *r, const struct wait_node *n, uint32_t tid, struct waits_thread *t)
{
	char channel[CHANNEL_SIZE];
	struct wait_call c = { .thread = t, .channel = channel };
	struct task_stat stat;

	*t = (struct waits_thread){ .timeout_state = SOOTH_STATE_ABSENT,
		.unflushed_state = SOOTH_STATE_ABSENT };
	if (read_file(r, n, tid, "stat", PROCFS_STAT) ||
		!task_stat_parse(&stat, r->bytes.data, r->bytes.size))
		return SYSCALL_WAIT_OTHER;
	t->record.tid = tid;
	t->state = stat.shared.state;
	read_since(r, n, t, stat.processor);
	read_call(r, n, t);
	read_channel(r, n, t, channel);
	if (is_waiting(t->state))
		set_call(&c);
	if (c.row)
		t->timeout_state = wait_read_timeout(r, n, t, c.row, &t->timeout_ns);
	return c.what;
}

void wait_read_thread(
	struct wait_reader *r, struct wait_node *n, uint32_t tid, struct waits_thread *t)
{
	char channel[CHANNEL_SIZE], name[16] = "";
	struct wait_call c = { .thread = t, .channel = channel };
	struct task_stat stat;
	size_t size;

	*t = (struct waits_thread){ .record = wait_record(r, tid, WAITS_THREAD),
		.node_pid = n->stat.pid,
		.node_start_ticks = n->stat.start_ticks,
		.timeout_state = SOOTH_STATE_ABSENT,
		.unflushed_state = SOOTH_STATE_ABSENT,
		.is_namespace_init = n->numberings > 1 && n->inner_pid == 1 };
	t->record.tid = 0;
	if (read_file(r, n, tid, "stat", PROCFS_STAT) ||
		!task_stat_parse(&stat, r->bytes.data, r->bytes.size))
		return;
	t->record.tid = tid;
	t->state = stat.shared.state;
	size = stat.shared.name.size < sizeof(name) ? stat.shared.name.size : sizeof(name) - 1;
	memcpy(name, stat.shared.name.data, size);
	read_since(r, n, t, stat.processor);
	read_call(r, n, t);
	read_channel(r, n, t, channel);
	read_cpu(r, n, t);
	if (t->state != 'R')
		set_call(&c);
	if (is_waiting(t->state))
		read_wait(r, n, t, &c);
	else if (t->state == 'R' && !n->depth)
		wait_add_polled_locks(r, n, &c); /* it may request a lock without a pause */
	else if (t->state == 'T' && c.row && c.row->wait.descriptor)
		wait_add_descriptor(r, n, &c,
			(uint32_t)syscall_value(t->arguments, c.row->wait.descriptor, 0),
			WAITS_ROLE_CALL, 0, false);
	struct record_tail tail[] = {
		{ &t->name, name, size },
		{ &t->wait_channel, channel, strlen(channel) },
	};
	RECORD_APPEND(&r->run->out, t, tail, ARRAY_SIZE(tail));
}
