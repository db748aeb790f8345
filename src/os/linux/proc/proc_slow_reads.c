/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions that may not be answered; see proc_slow_reads.h. */
#include "os/linux/proc/proc_slow_reads.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "core/secrets.h"
#include "os/linux/files/timed_batch.h"
#include "os/linux/proc/proc_markers.h"
#include "os/linux/proc/proc_detached.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/work_tree.h"
#include "probes/proc.h"

#define BATCH	     256
#define ITEM_MS	     10		/* what one may take on a busy machine, beside TIMEOUT_MS in all */
#define ENVIRON_MAX  (8u << 20) /* execve(2) allows 6 MB */
#define READ_AT_ONCE (16u << 10)
#define FAILED	     SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED)
#define ENDED	     SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED)

/* --- by a process of its own, which may be given up --- */

static void read_arguments(struct proc_slow_reads *q, int process, struct buffer *scratch)
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

/*
 * One read gives all there is up to its size, so a short one is the end: of the file, or of
 * what can be had of it (a page that is gone ends it as if it were whole).
 */
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

/* `name` is that of environ in the folder. */
static void read_markers(
	struct proc_slow_reads *q, int folder, const char *name, struct buffer *scratch)
{
	int status = read_environment(folder, name, scratch);
	bool is_cut = status == 1 || (status == 0 && scratch->size < q->environment_bytes);

	q->markers_state = status ? procfs_state(status) : SOOTH_STATE_VALUE;
	if (status < 0)
		return;
	proc_markers_find(&q->markers, q->agents, scratch->data, scratch->size, is_cut);
	if (is_cut)
		q->markers_state = scratch->size ? SOOTH_STATE_TRUNCATED : FAILED;
	/* The other values have no business in this process any longer. */
	explicit_bzero(scratch->data, scratch->size);
}

static void read_root(struct proc_slow_reads *q, int process)
{
	int status = work_tree_find(&q->root, process);

	q->root_state = status == -ENOENT ? SOOTH_STATE_ABSENT : procfs_state(status);
	if (status)
		buffer_reset(&q->root);
}

static void read_streams(struct proc_slow_reads *q, int process)
{
	const struct proc_stream_answer *input = &q->streams[0];
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

static void read_calling(struct proc_slow_reads *q, int process, struct buffer *scratch)
{
	int status = procfs_link_at(process, "exe", scratch);
	struct span text = { (const char *)scratch->data, scratch->size };

	q->may_be_server =
		status || proc_detached_hides_its_name(text) || proc_detached_is_called_so(text);
	if (q->may_be_server)
		return;
	status = procfs_read_at(process, "cmdline", scratch, PROCFS_ARGUMENTS);
	text = span_of((const char *)scratch->data, scratch->size);
	q->may_be_server = status || proc_detached_is_called_so(text);
	explicit_bzero(scratch->data, scratch->size);
}

static void end_answer(struct proc_slow_reads *q, uint8_t state)
{
	struct buffer *texts[] = { &q->arguments, &q->markers, &q->root };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		buffer_reset(texts[i]);
	q->arguments_state = q->markers_state = q->root_state = q->writer_state = state;
	q->may_be_server = true;
	for (unsigned i = 0; i < PROC_STANDARD_STREAMS; i++) {
		buffer_reset(&q->streams[i].path);
		q->streams[i].state = state;
	}
}

/* Of most there is nothing but that they have none: one open less. */
static bool has_no_markers(struct proc_slow_reads *q, int proc, struct buffer *scratch)
{
	char name[32];

	if (q->wants != PROC_WANT_MARKERS)
		return false;
	snprintf(name, sizeof(name), "%d/environ", (int)q->id.pid);
	read_markers(q, proc, name, scratch);
	return !q->markers.size;
}

static void answer_all(struct proc_slow_reads *q, int proc, struct buffer *scratch)
{
	_cleanup_close_ int process = -1;
	char name[16];

	snprintf(name, sizeof(name), "%d", (int)q->id.pid);
	process = openat(proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (process < 0) {
		end_answer(q, ENDED);
		return;
	}
	buffer_reset(&q->markers);
	if (q->wants & PROC_WANT_ARGUMENTS)
		read_arguments(q, process, scratch);
	if (q->wants & PROC_WANT_MARKERS)
		read_markers(q, process, "environ", scratch);
	if (q->wants & PROC_WANT_ROOT)
		read_root(q, process);
	if (q->wants & PROC_WANT_STREAMS)
		read_streams(q, process);
	if (q->wants & PROC_WANT_CALLING)
		read_calling(q, process, scratch);
}

/* `kept` is /proc. */
static void answer(void *item, int kept)
{
	struct buffer scratch = { 0 };

	if (!has_no_markers(item, kept, &scratch))
		answer_all(item, kept, &scratch);
	buffer_fini(&scratch);
}

static void fini_query(void *item)
{
	struct proc_slow_reads *q = item;

	agent_set_unref((struct agent_set *)(uintptr_t)q->agents);
	buffer_fini(&q->arguments);
	buffer_fini(&q->markers);
	buffer_fini(&q->root);
	for (unsigned i = 0; i < PROC_STANDARD_STREAMS; i++)
		buffer_fini(&q->streams[i].path);
}

/* --- who asks --- */

struct asker {
	const struct proc_slow_reads *questions;
	size_t count;
	struct timeout *timeout;
	struct map *blocked;
	void (*take)(void *user, size_t i, struct proc_slow_reads *answer);
	void *user;
	int proc;
	size_t number; /* of the first */
};

/* It did not answer, or is not asked again. */
static void take_silence(struct asker *a, size_t i, int status)
{
	struct proc_slow_reads q = a->questions[i];

	end_answer(&q, procfs_state(status));
	if (status == -ETIMEDOUT)
		map_put(a->blocked, &q.id, NULL);
	a->take(a->user, a->number + i, &q);
}

static struct timed_batch *batch_of(const struct asker *a, size_t first, size_t count)
{
	struct timed_batch *b =
		timed_batch_new(count, sizeof(struct proc_slow_reads), answer, fini_query);

	for (size_t i = 0; b && i < count; i++) {
		struct proc_slow_reads *q = timed_batch_item(b, i);

		*q = a->questions[first + i];
		q->agents = agent_set_ref(q->agents); /* one that is given up keeps it */
	}
	return b;
}

/* Of those that were asked; how many of them are settled. */
static size_t resolve(
	struct asker *a, struct timed_batch *b, size_t first, size_t count, size_t done, int status)
{
	for (size_t i = 0; i < done; i++)
		a->take(a->user, a->number + first + i, timed_batch_item(b, i));
	if (done < count)
		take_silence(a, first + done++, status);
	return done;
}

static int timeout_for(size_t count)
{
	return TIMEOUT_MS + (int)count * ITEM_MS;
}

/* From the first on; how many of them are settled, or a negative errno. */
static int ask_some(struct asker *a, size_t first, size_t count)
{
	struct timed_batch *b = batch_of(a, first, count);
	size_t done;
	int status;

	if (!b)
		return -ENOMEM;
	done = timed_batch_run(b, a->timeout, a->proc, timeout_for(count), &status);
	done = resolve(a, b, first, count, done, status);
	timed_batch_free(b);
	return (int)done;
}

/* How many stand in a row that are asked together; 0: the first is not asked. */
static size_t run_of(const struct asker *a, size_t first)
{
	size_t n = 0;

	while (n < BATCH && first + n < a->count &&
		!map_get(a->blocked, &a->questions[first + n].id))
		n++;
	return n;
}

static int ask_all(struct asker *a, size_t first)
{
	for (size_t i = first; i < a->count;) {
		size_t n = run_of(a, i);
		int done = 1;

		if (n)
			done = ask_some(a, i, n);
		else
			take_silence(a, i, -EBUSY);
		if (done < 0)
			return done;
		i += (size_t)done;
	}
	return 0;
}

int proc_questions_ask(const struct proc_slow_reads *questions, size_t count, struct timeout *p,
	struct map *blocked, void (*take)(void *user, size_t i, struct proc_slow_reads *answer),
	void *user)
{
	_cleanup_close_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct asker a = { questions, count, p, blocked, take, user, proc, 0 };

	return proc < 0 ? -errno : ask_all(&a, 0);
}

/* --- meanwhile --- */

static size_t count_of(const struct buffer *questions)
{
	return questions->size / sizeof(struct proc_slow_reads);
}

static struct asker asker_of(const struct proc_asking *s)
{
	return (struct asker){ (const void *)s->asked.data, count_of(&s->asked), s->timeout,
		s->blocked, s->take, s->user, s->proc, s->number };
}

/* Waits for those that are being asked. */
static int wait_for(struct proc_asking *s)
{
	struct asker a = asker_of(s);
	size_t done;
	int status;

	if (!s->batch)
		return 0;
	done = timed_batch_end(s->batch, s->timeout, timeout_for(a.count), &status);
	done = resolve(&a, s->batch, 0, a.count, done, status);
	timed_batch_free(s->batch);
	s->batch = NULL;
	return ask_all(&a, done); /* what stood behind one that did not answer */
}

/* Those that have been gathered. */
static int ask_gathered(struct proc_asking *s)
{
	struct buffer gathered = s->gathered;
	int status = wait_for(s);
	struct asker a;

	if (status)
		return status;
	s->gathered = s->asked;
	s->number += count_of(&s->asked);
	s->asked = gathered;
	buffer_reset(&s->gathered);
	a = asker_of(s);
	if (run_of(&a, 0) < a.count)
		return ask_all(&a, 0);
	s->batch = batch_of(&a, 0, a.count);
	if (!s->batch)
		return -ENOMEM;
	status = timed_batch_begin(s->batch, s->timeout, s->proc);
	if (!status)
		return 0;
	timed_batch_free(s->batch);
	s->batch = NULL;
	return ask_all(&a, 0);
}

/* A sample that failed was not ended. */
static void leave(struct proc_asking *s)
{
	int ignored;

	if (!s->batch)
		return;
	timed_batch_end(s->batch, s->timeout, timeout_for(BATCH), &ignored);
	timed_batch_free(s->batch);
	s->batch = NULL;
	cleanup_close(&s->proc);
}

int proc_asking_begin(struct proc_asking *s)
{
	leave(s);
	buffer_reset(&s->asked);
	buffer_reset(&s->gathered);
	s->number = 0;
	s->status = 0;
	s->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return s->proc < 0 ? -errno : 0;
}

void proc_asking_add(struct proc_asking *s, const struct proc_slow_reads *question)
{
	buffer_append(&s->gathered, question, sizeof(*question));
	if (!s->status && buffer_failed(&s->gathered))
		s->status = -ENOMEM;
	if (!s->status && count_of(&s->gathered) == BATCH)
		s->status = ask_gathered(s);
}

int proc_asking_end(struct proc_asking *s)
{
	if (!s->status && s->gathered.size)
		s->status = ask_gathered(s);
	if (!s->status)
		s->status = wait_for(s);
	else if (s->batch)
		wait_for(s);
	cleanup_close(&s->proc);
	s->proc = -1;
	return s->status;
}

void proc_asking_fini(struct proc_asking *s)
{
	leave(s);
	buffer_fini(&s->asked);
	buffer_fini(&s->gathered);
}
