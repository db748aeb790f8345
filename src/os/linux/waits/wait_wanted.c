/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other side of a lock: for which locks of the observed process others wait, how many they are,
 * and the one that waits longest. Locks of files are known from /proc/locks. Clients of SQLite
 * sleep and try again: they are found as processes that have the database open and sleep for short
 * times. Sessions of PostgreSQL are found by the titles of its processes, for the session itself
 * and for the program at its other end.
 *
 * Cannot be seen: for which lock of a database a session waits, and since when a lock exists.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/lock_name.h"
#include "base/units.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/waits/wait_lock_lines.h"
#include "os/linux/waits/wait_reader.h"
#include "os/linux/waits/database_sessions.h"

#define FDS_MAX	    512 /* descriptors that are compared */
#define WAITERS_MAX 64
#define THREADS_MAX 256
#define POLL_MAX    NS_PER_S /* SQLite sleeps for at most 100 ms */

/* --- the processes that wait --- */

struct waiters {
	struct waits_wanted record;
	char name[16]; /* name of the process that waits longest */
	bool has_longest;
};

enum glance { GLANCE_TURN, GLANCE_POLL, GLANCE_MAIN };

static bool is_waiter_of(
	const struct waits_thread *t, enum syscall_wait_kind kind, enum glance wanted, uint32_t pid)
{
	switch (wanted) {
	case GLANCE_TURN:
		return kind == SYSCALL_WAIT_TURN;
	case GLANCE_POLL:
		return kind == SYSCALL_WAIT_TIME && t->timeout_state == SOOTH_STATE_VALUE &&
		       t->timeout_ns <= POLL_MAX;
	default:
		return t->record.tid == pid;
	}
}

/* Finds a thread of a process that waits as `wanted`; false: none does. */
static bool find_thread(struct wait_reader *r, uint32_t pid, enum glance wanted,
	struct waits_thread *found, uint64_t *start_ticks)
{
	struct wait_node n = { .process = -1, .may_read = true };
	_cleanup_process_snapshot_ struct process_snapshot of = { .process = -1 };
	struct buffer bytes = { 0 }, tids = { 0 };
	bool is_found = false;

	if (!process_snapshot_open_stat(&of, r->run, (pid_t)pid, NULL, &n.stat, &bytes) &&
		process_snapshot_threads(&of, &tids, THREADS_MAX) >= 0) {
		n.process = of.process;
		*start_ticks = n.stat.start_ticks;
		buffer_each_while (const uint32_t, tid, &tids, !is_found) {
			enum syscall_wait_kind kind = wait_read_thread_call(r, &n, *tid, found);

			is_found = found->record.tid && is_waiter_of(found, kind, wanted, pid);
		}
	}
	buffer_fini(&bytes);
	buffer_fini(&tids);
	return is_found;
}

static void name_waiter(struct wait_reader *r, struct waiters *w, uint32_t pid)
{
	const struct wait_entry *e = wait_table_get(&r->table, pid);

	w->record.waiter_pid = pid;
	if (e)
		memcpy(w->name, e->name, sizeof(w->name));
}

/* Adds a process if it waits as `wanted`. Returns whether it does. */
static bool add_waiter(struct wait_reader *r, struct waiters *w, uint32_t pid, enum glance wanted)
{
	struct waits_thread t;
	uint64_t start_ticks = 0;

	if (!find_thread(r, pid, wanted, &t, &start_ticks))
		return false;
	if (w->record.waiter_pid &&
		(t.since_state || (w->has_longest && t.since_ns <= w->record.longest_ns)))
		return true;
	name_waiter(r, w, pid);
	w->record.waiter_start_ticks = start_ticks;
	w->has_longest = !t.since_state;
	w->record.longest_ns = t.since_state ? 0 : t.since_ns;
	return true;
}

static void emit_waiters(struct wait_reader *r, struct waiters *w, struct span detail)
{
	struct record_tail tail[] = {
		{ &w->record.waiter_name, w->name, strnlen(w->name, sizeof(w->name)) },
		{ &w->record.detail, detail.data, detail.size },
	};

	w->record.record = wait_record(r, 0, WAITS_WANTED);
	w->record.longest_state = w->record.is_polled ? SOOTH_STATE_ABSENT
				  : w->has_longest    ? SOOTH_STATE_VALUE
						      : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	RECORD_APPEND(&r->run->out, &w->record, tail, ARRAY_SIZE(tail));
}

/* --- files --- */

static struct span path_of(struct wait_reader *r, const struct wait_node *n, uint32_t fd)
{
	char path[48];

	snprintf(path, sizeof(path), "fd/%u", fd);
	if (procfs_link_at(n->process, path, &r->text))
		return span_of("", 0);
	return span_of((const char *)r->text.data, r->text.size);
}

/* Counts the waiters in the kernel's list. Waiters for open files have no PID there: they are
 * searched for among the processes that have the file open. */
static void count_listed(struct wait_reader *r, const struct wait_node *n, struct waiters *w,
	const struct lock_line *held, struct span path)
{
	unsigned unnamed = 0;
	const struct wait_end *ends;
	size_t count;

	for (const struct lock_line *l = held + 1; l->number == held->number; l++) {
		if (l->pid == n->stat.pid)
			continue;
		w->record.waiters++;
		if (!l->pid)
			unnamed++;
		else if (w->record.waiters <= WAITERS_MAX)
			add_waiter(r, w, (uint32_t)l->pid, GLANCE_TURN);
	}
	ends = unnamed ? wait_ends_first(&r->ends, WAIT_END_PATH, wait_ends_hash_path(path), &count)
		       : NULL;
	for (size_t i = 0; ends && i < count && i < WAITERS_MAX; i++) {
		if (ends[i].pid != n->stat.pid)
			add_waiter(r, w, ends[i].pid, GLANCE_TURN);
	}
}

static void count_polling(
	struct wait_reader *r, const struct wait_node *n, struct waiters *w, struct span path)
{
	size_t count;
	const struct wait_end *ends =
		wait_ends_first(&r->ends, WAIT_END_PATH, wait_ends_hash_path(path), &count);
	uint32_t last = 0;

	w->record.is_polled = true;
	for (size_t i = 0; i < count && i < WAITERS_MAX; i++) {
		if (ends[i].pid == n->stat.pid || ends[i].pid == last)
			continue;
		last = ends[i].pid;
		w->record.waiters += add_waiter(r, w, last, GLANCE_POLL);
	}
}

static void write_waiters_of_lock(
	struct wait_reader *r, const struct wait_node *n, const struct lock_line *l, uint32_t fd)
{
	struct waiters w = { .record = { .source = WAITS_SOURCE_LOCKS, .confidence = WAITS_HIGH } };
	struct buffer path = { 0 };
	struct span link = path_of(r, n, fd), text;

	buffer_append(&path, link.data, link.size);
	text = span_of((const char *)path.data, path.size);
	count_listed(r, n, &w, l, text);
	if (!w.record.waiters && is_database_name(text) && span_equal(l->type, "POSIX") &&
		span_equal(l->mode, "WRITE"))
		count_polling(r, n, &w, text);
	if (w.record.waiters)
		emit_waiters(r, &w, text);
	buffer_fini(&path);
}

/* Writes one lock of each file. */
static void write_waiters_of_files(struct wait_reader *r, struct wait_node *n)
{
	const struct lock_table *t = wait_lock_table(r);
	size_t files, count;
	const struct locked_file *own = wait_own_files(r, n, &files);

	for (size_t i = 0; i < files; i++) {
		bool is_written = own[i].is_again;
		struct lock_line *const *all = lock_table_of_file(t, &own[i], &count);

		for (size_t j = 0; j < count && !is_written; j++) {
			uint32_t fd = own[i].fd;

			if (!wait_has_lock(r, n, all[j], &fd))
				continue;
			is_written = true;
			write_waiters_of_lock(r, n, all[j], fd);
		}
	}
}

/* --- sessions of PostgreSQL --- */

struct database_process {
	uint32_t pid, ppid;
	enum database_session is;
};

/* Returns whether its parent is a server, too, of the same user: what the titles say is believed
 * only of such a family. */
static bool is_of_server(struct wait_reader *r, const struct wait_entry *e)
{
	const struct wait_entry *parent = wait_table_get(&r->table, e->ppid);
	char own[32], above[32];
	struct stat a, b;

	snprintf(own, sizeof(own), "/proc/%u", e->pid);
	snprintf(above, sizeof(above), "/proc/%u", e->ppid);
	return parent && !strncmp(parent->name, "postgres", 8) && !stat(own, &a) &&
	       !stat(above, &b) && a.st_uid == b.st_uid;
}

static void read_database_processes(struct wait_reader *r, struct buffer *out)
{
	size_t count = wait_table_count(&r->table);

	for (size_t i = 0; i < count; i++) {
		const struct wait_entry *e = wait_table_at(&r->table, i);
		struct database_process s = { .pid = e->pid, .ppid = e->ppid };

		/* A server of another user could name any session. */
		if (!strncmp(e->name, "postgres", 8) && is_of_server(r, e))
			s.is = database_session_read(r, e->pid);
		if (s.is)
			buffer_append(out, &s, sizeof(s));
	}
}

/* Returns whether the program is at the other end of a connection of the session. */
static bool is_client(struct wait_reader *r, const struct wait_node *n, uint32_t session)
{
	struct buffer fds = { 0 };
	bool is_found = false;
	_cleanup_close_ int process = procfs_open((pid_t)session);
	size_t count;

	if (process < 0)
		return false;
	for (uint32_t fd = 0; fd < FDS_MAX && !is_found; fd++) {
		const struct wait_socket *own, *peer;
		const struct wait_end *ends;
		char path[48];
		uint64_t inode;

		snprintf(path, sizeof(path), "fd/%u", fd);
		if (procfs_link_at(process, path, &fds) ||
			!procfs_link_inode(
				span_of((const char *)fds.data, fds.size), "socket:[", &inode))
			continue;
		own = wait_sockets_get(&r->sockets, process, inode);
		peer = own ? wait_sockets_peer(&r->sockets, own) : NULL;
		ends = peer ? wait_ends_first(&r->ends, WAIT_END_SOCKET, peer->inode, &count)
			    : NULL;
		for (size_t i = 0; ends && i < count; i++)
			is_found |= ends[i].pid == n->stat.pid;
	}
	buffer_fini(&fds);
	return is_found;
}

/* Returns the session of this process, or the one that it is: a session in a transaction, or one
 * that may have an advisory lock. */
static const struct database_process *own_database_process(struct wait_reader *r,
	const struct wait_node *n, const struct database_process *all, size_t count,
	enum database_session is)
{
	for (size_t i = 0; i < count; i++) {
		if (all[i].is == is && (all[i].pid == n->stat.pid || is_client(r, n, all[i].pid)))
			return &all[i];
	}
	return NULL;
}

static void write_waiters_of_sessions(struct wait_reader *r, const struct wait_node *n)
{
	struct waiters w = { .record = { .source = WAITS_SOURCE_TITLE } };
	struct buffer sessions = { 0 };
	const struct database_process *all, *own = NULL;
	struct database_sessions of_server;
	bool is_advisory = false;
	unsigned waiting = 0;
	size_t count;

	read_database_processes(r, &sessions);
	all = (const void *)sessions.data;
	count = sessions.size / sizeof(*all);
	for (size_t i = 0; i < count; i++)
		waiting += all[i].is == DATABASE_SESSION_WAITS;
	if (waiting)
		own = own_database_process(r, n, all, count, DATABASE_SESSION_HOLDS);
	if (waiting && !own) {
		own = own_database_process(r, n, all, count, DATABASE_SESSION_IDLE);
		is_advisory = own != NULL;
	}
	of_server =
		own ? database_sessions_read_all(r, own->ppid) : (struct database_sessions){ 0 };
	if (is_advisory &&
		(!database_sessions_may_hold_advisory_lock(&of_server) || of_server.idle > 1))
		own = NULL;
	for (size_t i = 0; own && i < count; i++) {
		if (all[i].ppid == own->ppid && all[i].is == DATABASE_SESSION_WAITS)
			w.record.waiters += add_waiter(r, &w, all[i].pid, GLANCE_MAIN);
	}
	if (w.record.waiters) {
		w.record.session_pid = own->pid == n->stat.pid ? 0 : own->pid;
		w.record.confidence =
			!is_advisory && of_server.holding == 1 ? WAITS_MEDIUM : WAITS_LOW;
		emit_waiters(r, &w, is_advisory ? span_of_string(WAIT_ADVISORY) : span_of("", 0));
	}
	buffer_fini(&sessions);
}

void wait_add_wanted_locks(struct wait_reader *r, struct wait_node *n)
{
	if (!n->may_read)
		return;
	write_waiters_of_files(r, n);
	write_waiters_of_sessions(r, n);
	wait_add_wal_readers(r, n);
}
