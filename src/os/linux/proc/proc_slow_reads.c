/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads that may never return. */
#include "os/linux/proc/proc_slow_reads.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/cursor.h"
#include "collect/secrets.h"
#include "os/linux/files/hung_mounts.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/task_files.h"
#include "os/linux/files/timeout.h"
#include "os/linux/proc/proc_detached.h"
#include "recognize/markers.h"
#include "os/linux/proc/proc_proxies.h"
#include "probes/proc.h"

/* The git working tree of a process. It goes up from directory to directory by descriptors: so it
 * works in any mount namespace, and through directories without a path here. The reported path is
 * that of /proc/PID/cwd, shortened by a component with each step. */
/* The git working tree of a process: the nearest directory above its working directory with a
 * ".git" (gitglossary(7)). May wait for a file system: call it with a timeout. */

#define LEVELS_MAX 128

static bool is_same_file_status(int a, int b)
{
	struct stat first, second;

	return !fstat(a, &first) && !fstat(b, &second) && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

/* Returns whether a folder has .git: a directory, or a file in a linked working tree or a submodule
 * (gitrepository-layout(5)). */
static bool has_git(int folder)
{
	struct stat st;

	return !fstatat(folder, ".git", &st, AT_SYMLINK_NOFOLLOW) &&
	       (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode));
}

/* Cuts the last component. False: no component is left. */
static bool cut_last(struct buffer *path)
{
	const unsigned char *slash = path->size ? memrchr(path->data, '/', path->size) : NULL;

	if (!slash || path->size == 1)
		return false;
	path->size = slash == path->data ? 1 : (size_t)(slash - path->data);
	return true;
}

/* Finds the path as /proc/PID/cwd has it, without a NUL. `process` is /proc/PID. Returns 0;
 * -ENOENT: there is none; or another negative errno. */
static int work_tree_find(struct buffer *out, int process)
{
	_cleanup_close_ int top = openat(process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int folder = openat(process, "cwd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int status;

	if (folder < 0 || top < 0)
		return -errno;
	status = procfs_link_at(process, "cwd", out);
	if (status)
		return status;
	/* For a removed directory, or one outside of the process's root, the text is not a path. */
	if (!out->size || out->data[0] != '/' ||
		span_ends(span_of((const char *)out->data, out->size), " (deleted)"))
		return -ENOENT;
	for (int i = 0; i < LEVELS_MAX; i++) {
		int above;

		if (has_git(folder))
			return 0;
		if (is_same_file_status(folder, top) || !cut_last(out))
			return -ENOENT;
		above = openat(folder, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (above < 0)
			return -errno;
		close(folder);
		folder = above;
	}
	return -ENOENT;
}

#define READS_OF_FILES (PROC_READ_ROOT | PROC_READ_STREAMS)

#define BATCH	     256
#define ITEM_MS	     10		/* per request on a busy machine, besides TIMEOUT_MS in all */
#define ENVIRON_MAX  (8u << 20) /* execve(2) allows 6 MB */
#define READ_AT_ONCE (16u << 10)
#define FAILED	     SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED)
#define ENDED	     SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED)

/* --- in a child process, with a timeout --- */

static void read_arguments(struct proc_slow_read *q, int process, struct buffer *scratch)
{
	int status = procfs_read_at(process, "cmdline", scratch, PROCFS_ARGUMENTS);

	q->arguments_state = procfs_state(status);
	if (status < 0)
		return;
	if (!scratch->size)
		q->arguments_state = SOOTH_STATE_ABSENT;
	else if (secrets_mask_arguments(&q->arguments, (const char *)scratch->data, scratch->size))
		q->arguments_state = SOOTH_STATE_TRUNCATED;
}

/* Reads an environment. One read returns all bytes up to its size, so a short read is the end: of
 * the file, or of the readable part (a page that is gone looks like the end of the file). */
static int read_environment(int folder, const char *name, struct buffer *out)
{
	_cleanup_close_ int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);

	buffer_reset(out);
	if (fd < 0)
		return -errno;
	while (out->size < ENVIRON_MAX) {
		void *to = buffer_reserve(out, READ_AT_ONCE);
		ssize_t got = to ? read(fd, to, READ_AT_ONCE) : -1;

		if (!to)
			return -ENOMEM;
		if (got < 0)
			return -errno;
		buffer_commit(out, (size_t)got);
		if ((size_t)got < READ_AT_ONCE)
			return 0;
	}
	return 1;
}

/* Reads the variables: markers and proxies are both in that text. `name` is the path of environ
 * below the folder. */
static void read_variables(
	struct proc_slow_read *q, int folder, const char *name, struct buffer *scratch)
{
	int status = read_environment(folder, name, scratch);
	bool is_cut = status == 1 || (status == 0 && scratch->size < q->environment_bytes);
	uint8_t state = status ? procfs_state(status) : SOOTH_STATE_VALUE;

	if (status >= 0 && is_cut)
		state = scratch->size ? SOOTH_STATE_TRUNCATED : FAILED;
	q->markers_state = state;
	if (q->reads & PROC_READ_PROXIES)
		q->proxies_state = state;
	if (status < 0)
		return;
	if (q->reads & PROC_READ_MARKERS)
		proc_markers_find(&q->markers, q->agents, scratch->data, scratch->size, is_cut);
	if (q->reads & PROC_READ_PROXIES)
		proc_proxies_find(&q->proxies, scratch->data, scratch->size, is_cut);
	/* sooth keeps the other values in its memory no longer than needed. */
	explicit_bzero(scratch->data, scratch->size);
}

static void read_root(struct proc_slow_read *q, int process)
{
	int status = work_tree_find(&q->root, process);

	q->root_state = status == -ENOENT ? SOOTH_STATE_ABSENT : procfs_state(status);
	if (status)
		buffer_reset(&q->root);
}

static void read_streams(struct proc_slow_read *q, int process)
{
	const struct proc_stream_info *input = &q->streams[0];
	int status;

	for (unsigned i = 0; i < PROC_STANDARD_STREAMS; i++)
		proc_stream_read(&q->streams[i], process, i);
	q->writer_state = SOOTH_STATE_ABSENT;
	if (input->state || input->stream != PROC_STREAM_PIPE)
		return;
	status = proc_stream_has_writer(input, process, 0);
	q->has_writer = status == 1;
	q->writer_state = status < 0 ? procfs_state(status) : SOOTH_STATE_VALUE;
	if (status == -ENODATA)
		q->writer_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
}

/* Reads the bytes that the process has written. This read waits for an exec of the process. */
static void read_written(struct proc_slow_read *q, int process, struct buffer *scratch)
{
	int status = procfs_read_at(process, "io", scratch, PROCFS_SMALL);
	struct task_io io;

	q->written_state = procfs_state(status);
	if (status < 0)
		return;
	if (!task_io_parse(&io, scratch->data, scratch->size)) {
		q->written_state = FAILED;
		return;
	}
	q->written_bytes = io.written_bytes;
	q->read_bytes = io.read_bytes;
	q->io_calls = io.reads + io.writes;
	q->disk_read_bytes = io.disk_read_bytes;
	q->disk_written_bytes = io.disk_written_bytes;
}

static void read_server_name(struct proc_slow_read *q, int process, struct buffer *scratch)
{
	int status = procfs_link_at(process, "exe", scratch);
	struct span text = { (const char *)scratch->data, scratch->size };

	q->may_be_server = status || proc_detached_hides_its_name(text) ||
			   proc_detached_looks_like_server(text);
	if (q->may_be_server)
		return;
	status = procfs_read_at(process, "cmdline", scratch, PROCFS_ARGUMENTS);
	text = span_of((const char *)scratch->data, scratch->size);
	q->may_be_server = status || proc_detached_looks_like_server(text);
	explicit_bzero(scratch->data, scratch->size);
}

/* Sets the state of reads that depend on the mounts of its directory and standard streams. */
static void set_files_state(struct proc_slow_read *q, uint8_t state)
{
	buffer_reset(&q->root);
	q->root_state = q->writer_state = q->written_state = state;
	for (unsigned i = 0; i < PROC_STANDARD_STREAMS; i++) {
		buffer_reset(&q->streams[i].path);
		q->streams[i].state = state;
	}
}

static void set_state(struct proc_slow_read *q, uint8_t state)
{
	struct buffer *texts[] = { &q->arguments, &q->markers, &q->proxies };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		buffer_reset(texts[i]);
	q->arguments_state = q->markers_state = q->proxies_state = state;
	q->may_be_server = true;
	set_files_state(q, state);
}

/* Returns the thread whose files to read: /proc has a folder for each thread. */
static pid_t place_of(const struct proc_slow_read *q)
{
	return (pid_t)(q->living ? q->living : q->id.pid);
}

/* Returns whether a process has no marker and nothing else is requested, as for most processes:
 * this saves one open. */
static bool has_no_markers(struct proc_slow_read *q, int proc, struct buffer *scratch)
{
	char name[32];

	if (q->reads != PROC_READ_MARKERS)
		return false;
	snprintf(name, sizeof(name), "%d/environ", (int)place_of(q));
	read_variables(q, proc, name, scratch);
	return !q->markers.size;
}

static void run_request(struct proc_slow_read *q, int proc, struct buffer *scratch)
{
	_cleanup_close_ int process = procfs_open_place(proc, place_of(q));

	if (process < 0) {
		set_state(q, ENDED);
		return;
	}
	buffer_reset(&q->markers);
	buffer_reset(&q->proxies);
	if (q->reads & PROC_READ_ARGUMENTS)
		read_arguments(q, process, scratch);
	if (q->reads & (PROC_READ_MARKERS | PROC_READ_PROXIES))
		read_variables(q, process, "environ", scratch);
	if (q->reads & PROC_READ_ROOT)
		read_root(q, process);
	if (q->reads & PROC_READ_STREAMS) {
		read_streams(q, process);
		read_written(q, process, scratch);
	}
	if (q->reads & PROC_READ_SERVER_NAME)
		read_server_name(q, process, scratch);
}

/* Runs a request; `kept` is /proc. */
static void run_item(void *item, int kept)
{
	struct buffer scratch = { 0 };

	if (!has_no_markers(item, kept, &scratch))
		run_request(item, kept, &scratch);
	buffer_fini(&scratch);
}

static int open_request(const void *item, int kept)
{
	return procfs_open_place(kept, place_of(item));
}

static void fini_request(void *item)
{
	struct proc_slow_read *q = item;

	agent_set_unref((struct agent_set *)(uintptr_t)q->agents);
	buffer_fini(&q->arguments);
	buffer_fini(&q->markers);
	buffer_fini(&q->root);
	buffer_fini(&q->proxies);
	for (unsigned i = 0; i < PROC_STANDARD_STREAMS; i++)
		buffer_fini(&q->streams[i].path);
}

/* --- requests --- */

struct request_run {
	const struct proc_slow_read *requests;
	size_t count;
	struct timeout *timeout;
	struct map *blocked;
	void (*take)(void *user, size_t i, struct proc_slow_read *result);
	void *user;
	int proc;
	size_t number; /* number of the first request */
};

/* Handles a request that timed out, or is not tried again. */
static void handle_timeout(struct request_run *a, size_t i, int status)
{
	struct proc_slow_read q = a->requests[i];

	set_state(&q, procfs_state(status));
	if (status == -ETIMEDOUT)
		map_put(a->blocked, &q.id, NULL);
	a->take(a->user, a->number + i, &q);
}

/* Leaves a request out if a call for the same mount hangs already. */
static void leave_out_hanging(struct proc_slow_read *q, int proc)
{
	_cleanup_close_ int process = open_request(q, proc);

	if (!hung_mounts_hold(process))
		return;
	set_files_state(q, procfs_state(-EBUSY));
	q->reads &= (uint8_t)~READS_OF_FILES;
}

static struct timed_batch *batch_of(const struct request_run *a, size_t first, size_t count)
{
	struct timed_batch *b = timed_batch_new(
		count, sizeof(struct proc_slow_read), run_item, open_request, fini_request);

	for (size_t i = 0; b && i < count; i++) {
		struct proc_slow_read *q = timed_batch_item(b, i);

		*q = a->requests[first + i];
		if (q->reads & READS_OF_FILES)
			leave_out_hanging(q, a->proc);
		q->agents = agent_set_ref(q->agents); /* a request that timed out keeps it */
	}
	return b;
}

/* Handles the results of requests that ran; returns how many are done. */
static size_t handle_results(struct request_run *a, struct timed_batch *b, size_t first,
	size_t count, size_t done, int status)
{
	for (size_t i = 0; i < done; i++)
		a->take(a->user, a->number + first + i, timed_batch_item(b, i));
	if (done < count)
		handle_timeout(a, first + done++, status);
	return done;
}

static int timeout_for(size_t count)
{
	return TIMEOUT_MS + (int)count * ITEM_MS;
}

/* Runs requests from `first` on. Returns how many are done, or a negative errno. */
static int run_requests_from(struct request_run *a, size_t first, size_t count)
{
	struct timed_batch *b = batch_of(a, first, count);
	size_t done;
	int status;

	if (!b)
		return -ENOMEM;
	done = timed_batch_run(b, a->timeout, a->proc, timeout_for(count), &status);
	done = handle_results(a, b, first, count, done, status);
	timed_batch_free(b);
	return (int)done;
}

/* Returns how many requests in a row run together; 0: the first one is not tried. */
static size_t batch_length(const struct request_run *a, size_t first)
{
	size_t n = 0;

	while (n < BATCH && first + n < a->count &&
		!map_get(a->blocked, &a->requests[first + n].id))
		n++;
	return n;
}

static int run_requests(struct request_run *a, size_t first)
{
	for (size_t i = first; i < a->count;) {
		size_t n = batch_length(a, i);
		int done = 1;

		if (n)
			done = run_requests_from(a, i, n);
		else
			handle_timeout(a, i, -EBUSY);
		if (done < 0)
			return done;
		i += (size_t)done;
	}
	return 0;
}

int proc_slow_reads_run(const struct proc_slow_read *requests, size_t count, struct timeout *p,
	struct map *blocked, void (*take)(void *user, size_t i, struct proc_slow_read *result),
	void *user)
{
	_cleanup_close_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct request_run a = { requests, count, p, blocked, take, user, proc, 0 };

	return proc < 0 ? -errno : run_requests(&a, 0);
}

/* --- asynchronously --- */

static size_t count_requests(const struct buffer *requests)
{
	return requests->size / sizeof(struct proc_slow_read);
}

static struct request_run run_of_queue(const struct proc_slow_queue *s)
{
	return (struct request_run){ (const void *)s->running.data, count_requests(&s->running),
		s->timeout, s->blocked, s->take, s->user, s->proc, s->number };
}

/* Waits for the running batch. */
static int wait_for(struct proc_slow_queue *s)
{
	struct request_run a = run_of_queue(s);
	size_t done;
	int status;

	if (!s->batch)
		return 0;
	done = timed_batch_end(s->batch, s->timeout, timeout_for(a.count), &status);
	done = handle_results(&a, s->batch, 0, a.count, done, status);
	timed_batch_free(s->batch);
	s->batch = NULL;
	return run_requests(&a, done); /* the requests behind a request that timed out */
}

/* Starts the gathered requests. */
static int start_gathered(struct proc_slow_queue *s)
{
	struct buffer gathered = s->gathered;
	int status = wait_for(s);
	struct request_run a;

	if (status)
		return status;
	s->gathered = s->running;
	s->number += count_requests(&s->running);
	s->running = gathered;
	buffer_reset(&s->gathered);
	a = run_of_queue(s);
	if (batch_length(&a, 0) < a.count)
		return run_requests(&a, 0);
	s->batch = batch_of(&a, 0, a.count);
	if (!s->batch)
		return -ENOMEM;
	status = timed_batch_begin(s->batch, s->timeout, s->proc);
	if (!status)
		return 0;
	timed_batch_free(s->batch);
	s->batch = NULL;
	return run_requests(&a, 0);
}

/* Ends a sample that failed and was not ended. */
static void abandon_sample(struct proc_slow_queue *s)
{
	int ignored;

	if (!s->batch)
		return;
	timed_batch_end(s->batch, s->timeout, timeout_for(BATCH), &ignored);
	timed_batch_free(s->batch);
	s->batch = NULL;
	cleanup_close(&s->proc);
}

int proc_slow_queue_begin(struct proc_slow_queue *s)
{
	abandon_sample(s);
	buffer_reset(&s->running);
	buffer_reset(&s->gathered);
	s->number = 0;
	s->status = 0;
	s->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return s->proc < 0 ? -errno : 0;
}

void proc_slow_queue_add(struct proc_slow_queue *s, const struct proc_slow_read *request)
{
	buffer_append(&s->gathered, request, sizeof(*request));
	if (!s->status && buffer_failed(&s->gathered))
		s->status = -ENOMEM;
	if (!s->status && count_requests(&s->gathered) == BATCH)
		s->status = start_gathered(s);
}

int proc_slow_queue_finish_reads(struct proc_slow_queue *s)
{
	if (!s->status && s->gathered.size)
		s->status = start_gathered(s);
	if (!s->status)
		s->status = wait_for(s);
	else if (s->batch)
		wait_for(s);
	cleanup_close(&s->proc);
	s->proc = -1;
	return s->status;
}

void proc_slow_queue_fini(struct proc_slow_queue *s)
{
	abandon_sample(s);
	buffer_fini(&s->running);
	buffer_fini(&s->gathered);
}
