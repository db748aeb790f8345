/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maps by procfs: /proc/PID/smaps when resident sizes are requested, else /proc/PID/maps, in
 * pieces, so that fifty thousand mappings need no more memory than their records. The kernel locks
 * the address space for each piece; sooth waits some seconds if another thread holds that lock.
 *
 * Cannot be seen: processes that the caller may not trace; between two pieces the process may map
 * and unmap, so a changing mapping may be reported twice or not at all.
 *
 * The used part of a thread's stack comes from /proc/PID/task/TID/syscall, for callers that may
 * trace the process and threads that wait; running ones are read again a few times.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/units.h"
#include "collect/backend.h"
#include "os/linux/bpf/members.h"
#include "os/linux/files/timed_file.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/task_files.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/timeout.h"
#include "os/linux/maps/smaps.h"
#include "os/linux/runtimes/runtime_set.h"
#include "os/linux/runtimes/runtimes_seen.h"
#include "os/linux/rights/needs.h"

#define SNAPSHOT_MS	  10000 /* for all mappings of a process: a million lines take a second */
#define PIECE_BYTES	  (256u << 10)
#define LINE_MAX_SIZE	  (64u << 10) /* no line is longer than the longest path */
#define STACKS_MS	  3000
#define STACKS_MAX	  65536
#define STACK_TRIES	  3
#define TRY_AGAIN_NS	  (200 * NS_PER_US)
#define PF_KTHREAD	  0x00200000 /* include/linux/sched.h */
#define MAPS_REPORTED_MAX 262144     /* mappings per process; some 60 MB of records */

/* Kept from one snapshot to the next. */
struct maps_reader {
	struct timeout timeout;
	struct runtimes runtimes;
	struct buffer scratch, path, link;
};

struct maps_snapshot {
	struct backend_run *run;
	struct maps_reader *reader;
	struct process_snapshot who;
	struct maps_process end; /* its header is that of all records */
	struct runtimes_seen seen;
	const struct runtime_heap *heap; /* one with counters; NULL: none */
	char counters[256];		 /* path of their file */
};

static void maps_reader_init(struct maps_reader *r)
{
	runtimes_init(&r->runtimes);
}

static void maps_reader_fini(struct maps_reader *r)
{
	runtimes_fini(&r->runtimes);
	timeout_fini(&r->timeout);
	buffer_fini(&r->scratch);
	buffer_fini(&r->path);
	buffer_fini(&r->link);
}

static struct sooth_record record_head(const struct maps_snapshot *m, uint16_t kind)
{
	struct sooth_record r = m->end.record;

	r.kind = kind;
	return r;
}

/* Begins a snapshot. Returns false if there is nothing to read: the process has ended, which is
 * reported, or belongs to a user that was not requested. Otherwise call maps_snapshot_end(). */
static bool maps_snapshot_begin(struct maps_snapshot *m, struct backend_run *run,
	struct maps_reader *r, pid_t pid, const struct process_id *expected)
{
	int status;

	*m = (struct maps_snapshot){ .run = run, .reader = r };
	status = process_snapshot_open(&m->who, run, pid, expected);
	m->end.record = process_snapshot_head(&m->who, run, 0, MAPS_PROCESS);
	m->end.figures_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
	if (!status)
		return true;
	if (status < 0) {
		m->end.mappings_state = m->end.status_state = m->end.figures_state =
			m->end.max_state = procfs_state(status);
		RECORD_APPEND(&run->out, &m->end, NULL, 0);
	}
	process_snapshot_close(&m->who);
	return false;
}

/* --- mappings --- */

static void note_counter_file(struct maps_snapshot *m, struct span path)
{
	for (size_t i = 0; i < RUNTIMES; i++) {
		const struct runtime_heap *heap = &runtime_table[i]->heap;

		if (!heap->counters || !span_contains(path, heap->counters))
			continue;
		m->heap = heap;
		memcpy(m->counters, path.data, path.size);
	}
}

/* Adds a mapping, whose name is complete, without " (deleted)". Returns false when no more are
 * accepted. */
static bool maps_snapshot_put(
	struct maps_snapshot *m, const struct maps_mapping *mapping, struct span path)
{
	struct maps_mapping r = *mapping;
	struct record_tail tail[] = { { &r.path, path.data, path.size } };

	if (m->end.mappings == MAPS_REPORTED_MAX) {
		m->end.mappings_state = SOOTH_STATE_TRUNCATED;
		return false;
	}
	r.record = record_head(m, MAPS_MAPPING);
	if (r.path_state == SOOTH_STATE_VALUE && !path.size)
		r.path_state = SOOTH_STATE_ABSENT;
	RECORD_APPEND(&m->run->out, &r, tail, 1);
	m->end.mappings++;
	if (r.inode && r.protection & MAPS_EXECUTE)
		runtimes_see_file(&m->seen, path);
	if (r.protection & MAPS_SHARED && path.size < sizeof(m->counters))
		note_counter_file(m, path);
	return true;
}

struct named {
	int process; /* its own descriptor */
	char path[PATH_MAX + 8];
	struct stat st;
	int status;
};

static void run_stat_job(void *argument)
{
	struct named *n = argument;

	n->status = fstatat(n->process, n->path, &n->st, AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW)
			    ? -errno
			    : 0;
}

/* Returns whether the file of a mapping has exactly this name, seen from the process's root. */
static bool is_file_at_path(
	struct maps_snapshot *m, struct span path, const struct maps_mapping *mapping)
{
	struct named n = { 0 };
	int status;

	if (snprintf(n.path, sizeof(n.path), "root%.*s", SPAN_ARGS(path)) >= (int)sizeof(n.path))
		return false;
	status = timeout_call_file(
		&m->reader->timeout, run_stat_job, &n, sizeof(n), m->who.process, TIMEOUT_MS);
	return !status && !n.status && n.st.st_ino == mapping->inode &&
	       n.st.st_dev == makedev(mapping->device_major, mapping->device_minor);
}

/* Returns the exact name of a mapping. The kernel writes a newline in a name as \012, and a name
 * may contain those four characters. Only the link shows which, and only to root. */
static struct span exact_name(struct maps_snapshot *m, const struct smaps_mapping *mapping)
{
	struct buffer *link = &m->reader->link;
	char name[64];

	if (!span_contains(mapping->path, "\\012"))
		return mapping->path;
	snprintf(name, sizeof(name), "map_files/%llx-%llx", (unsigned long long)mapping->is.from,
		(unsigned long long)mapping->is.to);
	if (procfs_link_at(m->who.process, name, link))
		return mapping->path;
	return span_of((const char *)link->data, link->size);
}

static bool add_mapping(struct maps_snapshot *m, const struct smaps_mapping *mapping)
{
	struct maps_mapping r = mapping->is;
	struct span path = mapping->path;

	if (r.inode) {
		struct span whole = path = exact_name(m, mapping);

		r.is_deleted = smaps_cut_deleted(&path) && !is_file_at_path(m, whole, &r);
		if (!r.is_deleted)
			path = whole;
	}
	if (m->end.figures_state == SOOTH_STATE_VALUE)
		r.figures_state = mapping->has_values ? SOOTH_STATE_VALUE
						      : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	else
		r.figures_state = m->end.figures_state;
	r.flags_state = mapping->has_flags ? SOOTH_STATE_VALUE : r.figures_state;
	return maps_snapshot_put(m, &r, path);
}

/* A mapping is complete when the next one begins: its name waits in a buffer until then. */
struct gathering {
	struct smaps_mapping now;
	bool has_now;
};

static bool gather_end(struct maps_snapshot *m, struct gathering *g)
{
	struct buffer *path = &m->reader->path;

	if (!g->has_now)
		return true;
	g->has_now = false;
	g->now.path = span_of((const char *)path->data, path->size);
	return add_mapping(m, &g->now);
}

static bool gather_line(struct maps_snapshot *m, struct gathering *g, struct span line)
{
	struct smaps_mapping next;

	if (!smaps_begin(&next, line)) {
		smaps_value(&g->now, line);
		return true;
	}
	if (!gather_end(m, g))
		return false;
	g->now = next;
	g->has_now = true;
	buffer_reset(&m->reader->path);
	buffer_append(&m->reader->path, g->now.path.data, g->now.path.size);
	return true;
}

/* Adds the complete lines among the bytes; the rest of the last one stays. Returns false when no
 * more are accepted. */
static bool gather_lines(struct maps_snapshot *m, struct gathering *g, struct buffer *bytes)
{
	const char *data = (const char *)bytes->data;
	const char *last = bytes->size ? memrchr(data, '\n', bytes->size) : NULL;
	struct cursor c = cursor_over(data, last ? (size_t)(last + 1 - data) : 0);

	while (!cursor_at_end(&c)) {
		if (!gather_line(m, g, cursor_line(&c)))
			return false;
	}
	buffer_consume(bytes, last ? (size_t)(last + 1 - data) : 0);
	return bytes->size <= LINE_MAX_SIZE;
}

/* Reads the mappings, with their sizes if `with_values`. */
static void maps_snapshot_from_proc(struct maps_snapshot *m, bool with_values)
{
	struct buffer *bytes = &m->reader->scratch;
	struct gathering g = { 0 };
	struct timed_file file;
	int status = timed_file_open(&file, &m->reader->timeout, m->who.process,
		with_values ? "smaps" : "maps", SNAPSHOT_MS);
	bool is_opened = !status;

	buffer_reset(bytes);
	if (with_values)
		m->end.figures_state = SOOTH_STATE_VALUE;
	if (is_opened)
		status = 1;
	while (status > 0) {
		status = timed_file_read(&file, bytes, PIECE_BYTES);
		if (status >= 0 && !gather_lines(m, &g, bytes))
			break;
	}
	if (status <= 0)
		gather_end(m, &g);
	if (is_opened)
		timed_file_close(&file);
	if (status < 0)
		m->end.mappings_state =
			m->end.mappings ? SOOTH_STATE_TRUNCATED
					: procfs_state(process_snapshot_status(&m->who, status));
	if (status < 0 && m->end.mappings)
		backend_limit(m->run, "all mappings of a process", strerror(-status),
			"run sooth again: the process may have been busy");
	if (with_values && !m->end.mappings)
		m->end.figures_state = m->end.mappings_state;
}

/* --- stacks --- */

struct stack_found {
	uint64_t address;
	uint32_t tid;
	uint32_t unused;
};

struct stacks {
	int process; /* its own descriptor */
	struct buffer found;
	int status;
	unsigned running; /* running each time they were read */
};

/* Reads the stack address of a thread: 1 when it is running, 0 with the address, or a negative
 * errno. */
static int read_stack(int tasks, const char *tid, uint64_t *address)
{
	char name[32], text[256];
	_cleanup_close_ int fd = -1;
	struct task_call call;
	ssize_t got;

	snprintf(name, sizeof(name), "%s/syscall", tid);
	for (int i = 0; i < STACK_TRIES; i++) {
		if (fd >= 0)
			close(fd);
		fd = openat(tasks, name, O_RDONLY | O_CLOEXEC);
		got = fd < 0 ? -1 : read(fd, text, sizeof(text));
		if (got < 0)
			return -errno;
		if (task_call_parse(&call, text, (size_t)got) && !call.is_running) {
			*address = call.stack_pointer;
			return 0;
		}
		nanosleep(&(struct timespec){ .tv_nsec = (long)TRY_AGAIN_NS }, NULL);
	}
	return 1;
}

static void run_stacks_job(void *argument)
{
	struct stacks *s = argument;
	int fd = openat(s->process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	s->status = dir ? 0 : -errno;
	for (unsigned seen = 0; dir && seen < STACKS_MAX && (entry = readdir(dir));) {
		struct stack_found one = { .tid = (uint32_t)strtoul(entry->d_name, NULL, 10) };
		int status;

		if (entry->d_name[0] == '.')
			continue;
		seen++;
		status = read_stack(fd, entry->d_name, &one.address);
		if (!status)
			buffer_append(&s->found, &one, sizeof(one));
		else if (status > 0)
			s->running++;
		else if (status != -ESRCH && status != -ENOENT) /* else that thread ended */
			s->status = status;
		if (s->status)
			return;
	}
}

static void drop_stacks(void *argument)
{
	struct stacks *s = argument;

	buffer_fini(&s->found);
	close(s->process);
}

static void emit_stacks(struct maps_snapshot *m)
{
	struct stacks s = { .process = fcntl(m->who.process, F_DUPFD_CLOEXEC, 0) };
	const struct stack_found *found;
	int status;

	if (s.process < 0)
		return;
	status = timeout_call(&m->reader->timeout, run_stacks_job, drop_stacks, &s, sizeof(s),
		s.process, STACKS_MS);
	if (status == -ETIMEDOUT) {
		backend_limit(m->run, "stack pointers of threads",
			"reading the stack pointers timed out", "");
		return;
	}
	found = (const void *)s.found.data;
	for (size_t i = 0; i < s.found.size / sizeof(*found); i++) {
		struct maps_stack r = { .record = record_head(m, MAPS_STACK),
			.address = found[i].address };

		r.record.tid = found[i].tid;
		RECORD_APPEND(&m->run->out, &r, NULL, 0);
	}
	if (!status && s.status && s.status != -ESRCH && s.status != -ENOENT)
		backend_limit(m->run, "stack pointers of threads", strerror(-s.status),
			"run sooth as the user of the process, or as root");
	if (s.running)
		backend_limit(m->run, "the stacks of running threads",
			"the kernel reports the stack pointers of waiting threads only", "");
	drop_stacks(&s);
}

/* --- the rest --- */

static void emit_runtimes(struct maps_snapshot *m)
{
	int status = runtimes_see_executable(
		&m->reader->runtimes, &m->reader->timeout, m->who.process, &m->seen);

	if (status == -ETIMEDOUT || status == -EBUSY)
		backend_limit(m->run, "runtimes linked into an executable",
			"reading the executable timed out", "");
	else if (status == -EACCES || status == -EPERM)
		backend_limit(m->run, "runtimes linked into an executable", strerror(-status),
			"run sooth as a user with read access to the executable");
	for (uint32_t i = 0; i < MAPS_RUNTIMES; i++) {
		struct maps_runtime_found r = { .record = record_head(m, MAPS_RUNTIME),
			.runtime = i };
		struct record_tail tail[] = { { &r.why, m->seen.why[i], strlen(m->seen.why[i]) } };

		if (m->seen.why[i][0])
			RECORD_APPEND(&m->run->out, &r, tail, 1);
	}
}

static void emit_heap(struct maps_snapshot *m)
{
	struct maps_managed_heap r;

	if (!m->heap || !m->heap->read(&r, &m->reader->timeout, m->who.process, m->counters))
		return;
	r.record = record_head(m, MAPS_MANAGED_HEAP);
	RECORD_APPEND(&m->run->out, &r, NULL, 0);
}

static void fill_max(struct maps_snapshot *m)
{
	struct buffer *bytes = &m->reader->scratch;
	int status = procfs_read_at(AT_FDCWD, "/proc/sys/vm/max_map_count", bytes, PROCFS_SMALL);
	struct cursor c = cursor_over(bytes->data, status < 0 ? 0 : bytes->size);

	m->end.mappings_max = (uint32_t)cursor_decimal(&c);
	m->end.max_state = status < 0 ? procfs_state(status)
			   : c.failed ? SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED)
				      : SOOTH_STATE_VALUE;
}

/* Returns whether a process has ended: one without memory that is no kernel thread is exiting. */
static bool has_ended(struct maps_snapshot *m)
{
	struct buffer *bytes = &m->reader->scratch;
	struct procfs_stat stat;

	return procfs_stat_at(m->who.process, &stat, bytes) || !(stat.flags & PF_KTHREAD);
}

static void fill_status(struct maps_snapshot *m)
{
	struct buffer *bytes = &m->reader->scratch;
	int status = procfs_read_at(m->who.process, "status", bytes, PROCFS_SMALL);

	m->end.status_state = procfs_state(process_snapshot_status(&m->who, status));
	if (status < 0 || smaps_status(&m->end, bytes->data, bytes->size))
		return;
	/* A kernel thread, or a process that has freed its memory already. */
	m->end.status_state =
		has_ended(m) ? SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED) : SOOTH_STATE_ABSENT;
}

/* Sets why the list of mappings is incomplete: it just stops when its process ends. */
static void diagnose_mappings(struct maps_snapshot *m)
{
	if (m->end.status_state == SOOTH_STATE_VALUE || m->end.mappings_state)
		return;
	if (!m->end.mappings) {
		m->end.mappings_state = m->end.status_state;
		return;
	}
	m->end.mappings_state = SOOTH_STATE_TRUNCATED;
	backend_limit(m->run, "all mappings of a process",
		"the process ended while sooth read its mappings", "");
}

static void maps_snapshot_end(struct maps_snapshot *m)
{
	if (m->end.mappings) {
		emit_stacks(m);
		emit_runtimes(m);
		emit_heap(m);
	}
	fill_status(m);
	diagnose_mappings(m);
	fill_max(m);
	RECORD_APPEND(&m->run->out, &m->end, NULL, 0);
	process_snapshot_close(&m->who);
}

/* --- the backend --- */

struct maps_state {
	struct members members;
	struct maps_reader reader;
};

static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct maps_state *s = run->state;
	struct maps_snapshot snapshot;

	if (!maps_snapshot_begin(&snapshot, run, &s->reader, pid, expected))
		return;
	maps_snapshot_from_proc(&snapshot, (run->options.interest & INTEREST_DETAIL) != 0);
	maps_snapshot_end(&snapshot);
}

static int maps_sample(struct backend_run *run, struct sooth_error *err)
{
	struct maps_state *s = run->state;

	return members_visit(&s->members, run, sample_process, err);
}

static int maps_open(struct backend_run *run, struct sooth_error *err)
{
	struct maps_state *s = run->state;

	(void)err;
	members_init(&s->members);
	maps_reader_init(&s->reader);
	return 0;
}

static void maps_joined(struct backend_run *run, const struct process_id *process)
{
	sample_process(run, (pid_t)process->pid, process);
}

static void maps_close(struct backend_run *run)
{
	struct maps_state *s = run->state;

	members_fini(&s->members);
	maps_reader_fini(&s->reader);
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_maps_procfs = {
	.name = "procfs",
	.probe = "maps",
	.help = "reads /proc/PID/smaps or maps; nothing is attached to the processes",
	.needs = needs,
	.state_size = sizeof(struct maps_state),
	.open = maps_open,
	.set = members_backend_set,
	.start = maps_sample,
	.sample = maps_sample,
	.joined = maps_joined,
	.stop = members_backend_stop,
	.close = maps_close,
};
