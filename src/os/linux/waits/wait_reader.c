/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of a wait: the head, a party to the wait, and the party's process. */
#include "os/linux/waits/wait_reader.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "collect/secrets.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/task_files.h"
#include "os/linux/files/timeout.h"
#include "os/linux/host/freezer.h"
#include "os/linux/waits/database_sessions.h"
#include "os/os.h"
#include "probes/waits.h"

#define STEPS_MAX 48 /* processes of a chain */
#define DEPTH_MAX 16

struct sooth_record wait_record(const struct wait_reader *r, uint32_t tid, uint16_t kind)
{
	struct sooth_record head = r->head;

	head.time_ns = r->run->os->now_ns(r->run->os);
	head.tid = tid;
	head.kind = kind;
	return head;
}

void wait_add_process(struct wait_reader *r, uint32_t pid, uint32_t depth)
{
	struct wait_step step = { (pid_t)pid, depth };
	const struct wait_step *all = (const void *)r->steps.data;
	size_t count = r->steps.size / sizeof(*all);

	for (size_t i = 0; i < count; i++) {
		if (all[i].pid == step.pid)
			return;
	}
	if (count >= STEPS_MAX || depth > DEPTH_MAX || pid == (uint32_t)getpid())
		r->is_cut |= pid != (uint32_t)getpid();
	else
		buffer_append(&r->steps, &step, sizeof(step));
}

void wait_add_party(struct wait_reader *r, const struct wait_node *n, uint32_t tid,
	const struct wait_found *found)
{
	const struct wait_entry *entry = found->pid ? wait_table_get(&r->table, found->pid) : NULL;
	struct waits_party p = { .record = wait_record(r, tid, WAITS_PARTY),
		.node_start_ticks = n->stat.start_ticks,
		.node_pid = n->stat.pid,
		.party_pid = found->pid,
		.party_tid = found->tid,
		.party_start_ticks = entry ? entry->start_ticks : 0,
		.fd = found->fd,
		.relation = (uint8_t)found->relation,
		.source = (uint8_t)found->source,
		.confidence = (uint8_t)found->confidence,
		.is_alive = entry != NULL,
		.waiting_fd = r->waiting_fd };
	const char *name = entry ? entry->name : "";
	struct record_tail tail[] = {
		{ &p.name, name, strlen(name) },
		{ &p.detail, found->detail.data, found->detail.size },
	};

	RECORD_APPEND(&r->run->out, &p, tail, ARRAY_SIZE(tail));
	if (found->follows && entry)
		wait_add_process(r, found->pid, n->depth + 1);
}

/* --- a process of the chain: what it is, its children, its tracer --- */

#define TITLE_BYTES  512
#define CHILDREN_MAX 16
#define KERNEL_FLAG  0x00200000u /* PF_KTHREAD */

/* Values of P_PID and so on, waitid(2). */
enum { WAIT_ALL, WAIT_PID, WAIT_GROUP, WAIT_PIDFD };

/* --- children --- */

struct child_choice {
	unsigned kind;
	uint32_t id;
};

static struct child_choice choice_of(const struct wait_node *n, const struct wait_call *c)
{
	const uint64_t *a = c->thread->arguments;
	int32_t pid = (int32_t)a[0];

	/* In another PID namespace the argument is not the PID that /proc has for the child. */
	if (c->thread->call_state || !c->row || c->what != SYSCALL_WAIT_CHILD || n->numberings != 1)
		return (struct child_choice){ WAIT_ALL, 0 };
	if (wait_find_argument(c->row, ARGUMENT_TYPE_wait_type) == 0)
		return (struct child_choice){ a[0] <= WAIT_GROUP ? (unsigned)a[0] : WAIT_ALL,
			(uint32_t)a[1] };
	if (pid > 0)
		return (struct child_choice){ WAIT_PID, (uint32_t)pid };
	if (pid == -1)
		return (struct child_choice){ WAIT_ALL, 0 };
	return (struct child_choice){ WAIT_GROUP,
		pid ? (uint32_t) - (int64_t)pid : n->stat.process_group };
}

static bool is_child_awaited(const struct wait_entry *e, const struct child_choice *choice)
{
	return choice->kind == WAIT_ALL || (choice->kind == WAIT_PID && e->pid == choice->id) ||
	       (choice->kind == WAIT_GROUP && e->process_group == choice->id);
}

static void add_children(struct wait_reader *r, const struct wait_node *n, uint32_t tid,
	const struct child_choice *choice, enum waits_confidence confidence)
{
	size_t count = wait_table_count(&r->table), added = 0;

	for (size_t i = 0; i < count && added < CHILDREN_MAX; i++) {
		const struct wait_entry *e = wait_table_at(&r->table, i);

		if (e->ppid != n->stat.pid || !is_child_awaited(e, choice))
			continue;
		wait_add_party(r, n, tid,
			&(struct wait_found){ .relation = WAITS_RELATION_CHILD,
				.source = WAITS_SOURCE_PROCESSES,
				.confidence = confidence,
				.pid = e->pid,
				.follows = e->state != 'Z' });
		added++;
	}
}

void wait_add_children(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	struct child_choice choice = choice_of(n, c);

	add_children(r, n, c->thread->record.tid, &choice, WAITS_HIGH);
}

/* --- the process --- */

static void read_title(struct wait_reader *r, const struct wait_node *n, struct waits_process *p,
	struct buffer *title)
{
	_cleanup_close_ int thread = -1;
	struct buffer raw = { 0 };
	int status;

	procfs_open_living(&thread, &n->stat);
	status = timeout_read_at(&r->timeout, thread < 0 ? n->process : thread, "cmdline", &raw,
		PROCFS_STAT, TIMEOUT_MS);
	p->title_state = procfs_state(status < 0 ? status : 0);
	if (status >= 0 && !raw.size)
		p->title_state = SOOTH_STATE_ABSENT;
	if (status >= 0 && raw.size)
		secrets_mask_arguments(title, (const char *)raw.data, raw.size);
	if (title->size > TITLE_BYTES) {
		title->size = TITLE_BYTES;
		p->title_state = SOOTH_STATE_TRUNCATED;
	}
	buffer_fini(&raw);
}

/* Returns the tracer; 0: none. */
static uint32_t tracer_of(const struct wait_node *n)
{
	uint64_t pid;

	if (!task_status_number(&pid, "TracerPid:", n->status.data, n->status.size))
		return 0;
	return (uint32_t)pid;
}

static void add_signals(struct wait_reader *r, const struct wait_node *n)
{
	struct waits_signals s = { .record = wait_record(r, 0, WAITS_SIGNALS),
		.node_start_ticks = n->stat.start_ticks,
		.node_pid = n->stat.pid };
	struct task_signals signals;

	if (!task_signals_parse(&signals, n->status.data, n->status.size))
		return;
	s.pending = signals.shared_pending;
	s.caught = (uint32_t)signals.caught;
	RECORD_APPEND(&r->run->out, &s, NULL, 0);
}

/* Returns whether a thread is frozen. Since Linux 6.1 a frozen thread keeps its earlier state and
 * wait channel; with version 1 it has state D, as in a wait for a disk. */
static bool is_frozen(struct wait_reader *r, const struct wait_node *n)
{
	return (n->stat.state == 'D' || n->stat.state == 'S') &&
	       procfs_read_at(n->process, "cgroup", &r->bytes, PROCFS_SMALL) >= 0 &&
	       freezer_read_state(&r->groups,
		       span_of((const char *)r->bytes.data, r->bytes.size)) == PROC_FROZEN_YES;
}

static void add_parent_and_tracer(struct wait_reader *r, const struct wait_node *n, uint32_t tracer)
{
	if (n->stat.state == 'Z')
		wait_add_party(r, n, n->stat.pid,
			&(struct wait_found){ .relation = WAITS_RELATION_PARENT,
				.source = WAITS_SOURCE_PROCESSES,
				.confidence = WAITS_HIGH,
				.pid = n->stat.ppid,
				.follows = true });
	if (n->stat.state == 't' && tracer)
		wait_add_party(r, n, n->stat.pid,
			&(struct wait_found){ .relation = WAITS_RELATION_TRACER,
				.source = WAITS_SOURCE_PROCESSES,
				.confidence = WAITS_HIGH,
				.pid = tracer,
				.follows = true });
}

/* Follows the job: if one process of a background job reads from the terminal, the terminal stops
 * all of them. */
static void follow_job(struct wait_reader *r, const struct wait_node *n)
{
	size_t count = wait_table_count(&r->table), added = 0;

	if (n->stat.state != 'T' || !n->stat.terminal || n->stat.terminal_group <= 0 ||
		n->stat.process_group == n->stat.terminal_group)
		return;
	for (size_t i = 0; i < count && added < CHILDREN_MAX; i++) {
		const struct wait_entry *e = wait_table_at(&r->table, i);

		if (e->pid == n->stat.pid || e->process_group != n->stat.process_group ||
			e->state != 'T')
			continue;
		wait_add_process(r, e->pid, n->depth + 1);
		added++;
	}
}

static void add_backend(
	struct wait_reader *r, const struct wait_node *n, uint32_t pid, const char *what)
{
	bool is_advisory = !strcmp(what, WAIT_ADVISORY);

	wait_add_party(r, n, n->stat.pid,
		&(struct wait_found){ .relation = WAITS_RELATION_BACKEND,
			.source = WAITS_SOURCE_TITLE,
			.confidence = is_advisory ? WAITS_LOW : WAITS_MEDIUM,
			.pid = pid,
			.detail = span_of_string(what),
			.follows = pid != 0 });
}

static bool is_stopped(const struct wait_entry *e)
{
	return e->state == 'T' || e->state == 't';
}

/* Adds the processes of a database server, which writes into their titles what each of them does: a
 * command waits for a lock of another session, or for a process that does not answer since it is
 * stopped. */
static void add_backends(struct wait_reader *r, const struct wait_node *n, const char *title)
{
	enum database_session own = database_session_from_title(title);
	size_t count = wait_table_count(&r->table);
	struct database_sessions all;
	bool has_stopped = false;

	if (own != DATABASE_SESSION_WAITS && own != DATABASE_SESSION_WORKS)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct wait_entry *e = wait_table_at(&r->table, i);
		enum database_session is;

		/* Only a stopped session matters to one that works. */
		if (e->ppid != n->stat.ppid || e->pid == n->stat.pid ||
			(own == DATABASE_SESSION_WORKS && !is_stopped(e)) ||
			!wait_is_same_user(n, e->pid))
			continue;
		is = database_session_read(r, e->pid);
		if (is && is_stopped(e)) {
			add_backend(r, n, e->pid, "stopped");
			has_stopped = true;
		} else if (is == DATABASE_SESSION_HOLDS && own == DATABASE_SESSION_WAITS) {
			add_backend(r, n, e->pid, "row lock");
		} else if (is == DATABASE_SESSION_COMMITS && own == DATABASE_SESSION_WAITS) {
			add_backend(r, n, e->pid, "row lock at commit");
		}
	}
	if (own != DATABASE_SESSION_WAITS || has_stopped)
		return;
	all = database_sessions_read_all(r, n->stat.ppid);
	if (database_sessions_have_no_holder(&all))
		add_backend(r, n, all.idle == 1 && strstr(title, " SELECT ") ? all.idle_pid : 0,
			WAIT_ADVISORY);
	/* The only one that is within a command: it has locks until the end of its transaction. */
	if (all.working == 1 && !all.holding)
		add_backend(r, n, all.working_pid, "row lock at work");
}

/* Adds the children: an event loop may wait for its children by a signal, as a launcher without
 * connections does. */
void wait_add_loop_children(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	bool is_unknown =
		c->thread->call_state > SOOTH_STATE_ABSENT && c->what == SYSCALL_WAIT_OTHER;

	if (is_unknown || c->what == SYSCALL_WAIT_READY || c->what == SYSCALL_WAIT_SIGNAL)
		add_children(r, n, c->thread->record.tid, &(struct child_choice){ WAIT_ALL, 0 },
			WAITS_LOW);
}

static uint64_t age_ns(const struct wait_reader *r, const struct wait_node *n)
{
	struct host_facts facts = { 0 };
	uint64_t started = n->stat.start_ticks * (NS_PER_S / r->ticks_per_s), now;

	r->run->os->host(r->run->os, &facts);
	now = r->run->os->now_ns(r->run->os) + (uint64_t)facts.boottime_offset_ns;
	return now > started ? now - started : 0;
}

void wait_read_process(
	struct wait_reader *r, struct wait_node *n, uint64_t cpu_ns, uint8_t cpu_state)
{
	struct waits_process p = { .record = wait_record(r, 0, WAITS_PROCESS),
		.node_start_ticks = n->stat.start_ticks,
		.age_ns = age_ns(r, n),
		.cpu_ns = cpu_ns,
		.cpu_state = cpu_state,
		.node_pid = n->stat.pid,
		.depth = n->depth,
		.ppid = n->stat.ppid,
		.process_group = n->stat.process_group,
		.session = n->stat.session,
		.terminal = n->stat.terminal,
		.terminal_group = n->stat.terminal_group,
		.tracer = tracer_of(n),
		.threads = n->stat.threads,
		.state = n->stat.state,
		.is_frozen = is_frozen(r, n),
		.is_closed_to_root = !n->may_read && !geteuid(),
		.is_kernel = (n->stat.flags & KERNEL_FLAG) != 0,
		.detail_state = n->may_read ? SOOTH_STATE_VALUE
					    : SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION) };
	struct buffer title = { 0 }, directory = { 0 };
	struct task_stat times;
	struct stat st;

	add_signals(r, n);
	if (!fstat(n->process, &st))
		p.uid = st.st_uid;
	if (!procfs_read_at(n->process, "stat", &r->bytes, PROCFS_STAT) &&
		task_stat_parse(&times, r->bytes.data, r->bytes.size)) {
		p.system_ns = times.system_ticks * (NS_PER_S / r->ticks_per_s);
		p.user_ns =
			(times.shared.cpu_ticks - times.system_ticks) * (NS_PER_S / r->ticks_per_s);
	}
	read_title(r, n, &p, &title);
	p.directory_state = procfs_state(procfs_link_at(n->process, "cwd", &directory));
	struct record_tail tail[] = {
		{ &p.name, n->name, strlen(n->name) },
		{ &p.title, title.data, title.size },
		{ &p.directory, directory.data, directory.size },
	};
	RECORD_APPEND(&r->run->out, &p, tail, ARRAY_SIZE(tail));
	add_parent_and_tracer(r, n, p.tracer);
	follow_job(r, n);
	add_backends(r, n, buffer_cstr(&title));
	buffer_fini(&title);
	buffer_fini(&directory);
}
