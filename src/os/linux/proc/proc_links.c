/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes records proc.ties. */
#include "os/linux/proc/proc_links.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "os/linux/files/task_files.h"

void proc_links_init(struct proc_links_reader *r)
{
	*r = (struct proc_links_reader){ 0 };
	proc_input_writers_init(&r->writers);
}

static void result_fini(struct proc_slow_read *q)
{
	buffer_fini(&q->arguments);
	buffer_fini(&q->markers);
	buffer_fini(&q->root);
	for (unsigned i = 0; i < PROC_STANDARD_STREAMS; i++)
		buffer_fini(&q->streams[i].path);
}

static struct proc_links_pending *pending(const struct proc_links_reader *r, size_t *count)
{
	*count = r->pending.size / sizeof(struct proc_links_pending);
	return (void *)r->pending.data;
}

static void forget(struct proc_links_reader *r)
{
	size_t count;
	struct proc_links_pending *all = pending(r, &count);

	for (size_t i = 0; i < count; i++)
		result_fini(&all[i].result);
	buffer_reset(&r->pending);
}

void proc_links_fini(struct proc_links_reader *r)
{
	forget(r);
	proc_input_writers_fini(&r->writers);
	buffer_fini(&r->pending);
	buffer_fini(&r->scratch);
}

/* status: the last number of NSpid is the innermost; the line is missing before Linux 4.1. */
static bool inner_pid(const void *status, size_t size, uint32_t *pid)
{
	struct span value;
	struct cursor c;
	uint64_t number = 0;

	if (!task_status_find(&value, "NSpid:", status, size))
		return false;
	c = cursor_over(value.data, value.size);
	cursor_blanks(&c);
	while (!cursor_at_end(&c) && !c.failed) {
		struct span word = cursor_word(&c);

		if (word.size && !span_decimal(word, &number))
			return false;
	}
	*pid = (uint32_t)number;
	return number && number <= UINT32_MAX;
}

/* A kernel that supports tracing always has this line. */
static uint8_t tracer_of(uint32_t *pid, const void *status, size_t size)
{
	struct span value;
	uint64_t number;

	if (!task_status_find(&value, "TracerPid:", status, size) ||
		!span_decimal(value, &number) || number > UINT32_MAX)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	*pid = (uint32_t)number;
	return SOOTH_STATE_VALUE;
}

static void read_status(
	struct proc_links_reader *r, const struct process_snapshot *snapshot, struct proc_ties *t)
{
	int status = procfs_read_at(snapshot->process, "status", &r->scratch, PROCFS_SMALL);
	struct task_signals signals;
	struct stat space;

	if (status < 0) {
		t->hangup_state = t->namespace_state = t->tracer_state =
			procfs_state(process_snapshot_status(snapshot, status));
		return;
	}
	if (task_signals_parse(&signals, r->scratch.data, r->scratch.size))
		t->is_hangup_ignored = signals.ignored >> (SIGHUP - 1) & 1;
	else
		t->hangup_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	t->tracer_state = tracer_of(&t->tracer_pid, r->scratch.data, r->scratch.size);
	if (fstatat(snapshot->process, "ns/pid", &space, 0))
		t->namespace_state = procfs_state(process_snapshot_status(snapshot, -errno));
	else if (!inner_pid(r->scratch.data, r->scratch.size, &t->inner_pid))
		t->namespace_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	else
		t->pid_namespace = space.st_ino;
}

static void take_result(struct proc_ties *t, const struct proc_slow_read *q)
{
	t->markers_state = q->markers_state;
	t->root_state = q->root_state;
	t->writer_state = q->writer_state;
	t->has_writer = q->has_writer;
	t->writers_state = SOOTH_STATE_ABSENT;
	t->input_utc_ns = q->streams[0].input_utc_ns;
	t->input_state = q->streams[0].state ? q->streams[0].state
			 : t->input_utc_ns   ? SOOTH_STATE_VALUE
					     : SOOTH_STATE_ABSENT;
	t->output_utc_ns = q->streams[1].output_utc_ns;
	t->output_state = q->streams[1].state ? q->streams[1].state
			  : t->output_utc_ns  ? SOOTH_STATE_VALUE
					      : SOOTH_STATE_ABSENT;
	t->written_state = q->written_state;
	t->written_bytes = q->written_bytes;
	for (unsigned i = 0; i < PROC_STANDARD_STREAMS; i++) {
		t->stream[i] = q->streams[i].stream;
		t->stream_state[i] = q->streams[i].state;
		t->stream_inode[i] = q->streams[i].inode;
	}
}

void proc_links_add(struct proc_links_reader *r, const struct backend_run *run,
	const struct process_snapshot *snapshot, struct proc_slow_read *result,
	enum proc_candidate candidate)
{
	struct proc_links_pending p = { .result = *result, .candidate = candidate };

	p.links.record = process_snapshot_head(snapshot, run, 0, PROC_LINKS);
	take_result(&p.links, result);
	read_status(r, snapshot, &p.links);
	if (!buffer_reserve(&r->pending, sizeof(p)))
		return;
	buffer_append(&r->pending, &p, sizeof(p));
	result->arguments = result->markers = result->root = (struct buffer){ 0 };
	for (unsigned i = 0; i < PROC_STANDARD_STREAMS; i++)
		result->streams[i].path = (struct buffer){ 0 };
}

static bool has_input(const struct proc_links_pending *p)
{
	return !p->links.stream_state[0] &&
	       (p->links.stream[0] == PROC_STREAM_PIPE || p->links.stream[0] == PROC_STREAM_SOCKET);
}

static size_t list_inputs(struct proc_links_pending *all, size_t count, struct proc_input *inputs)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		struct proc_links_pending *p = &all[i];

		if (!has_input(p))
			continue;
		inputs[n++] = (struct proc_input){ .stream = &p->result.streams[0],
			.reader = p->result.id,
			.is_selected = p->candidate != PROC_CANDIDATE_NOT,
			.is_detached = p->candidate == PROC_CANDIDATE_DETACHED,
			.writer_state = p->links.writer_state,
			.has_writer = p->links.has_writer };
	}
	return n;
}

static void write_one(
	struct backend_run *run, struct proc_links_pending *p, const struct proc_input *input)
{
	static const struct proc_input none = { .writers_state = SOOTH_STATE_ABSENT };
	const struct proc_slow_read *q = &p->result;
	struct proc_ties *t = &p->links;
	struct record_tail tail[] = {
		{ &t->markers, q->markers.data, q->markers.size },
		{ &t->stream_path[0], q->streams[0].path.data, q->streams[0].path.size },
		{ &t->stream_path[1], q->streams[1].path.data, q->streams[1].path.size },
		{ &t->stream_path[2], q->streams[2].path.data, q->streams[2].path.size },
		{ &t->writers, NULL, 0 },
		{ &t->root, q->root.data, q->root.size },
	};

	if (input) {
		t->has_writer = input->has_writer;
		t->writer_state = input->writer_state;
	} else {
		input = &none;
	}
	t->writers_state = input->writers_state;
	tail[4].data = input->writers.data;
	tail[4].size = input->writers.size;
	RECORD_APPEND(&run->out, t, tail, ARRAY_SIZE(tail));
}

void proc_links_write(struct proc_links_reader *r, struct backend_run *run,
	const struct proc_neighbours *neighbours)
{
	size_t count, used = 0;
	struct proc_links_pending *all = pending(r, &count);
	_cleanup_free_ struct proc_input *inputs = calloc(count + 1, sizeof(*inputs));
	size_t found = inputs ? list_inputs(all, count, inputs) : 0;

	if (found)
		proc_input_writers_find(&r->writers, run, inputs, found, neighbours);
	for (size_t i = 0; i < count; i++) {
		bool has = inputs && has_input(&all[i]);

		write_one(run, &all[i], has ? &inputs[used] : NULL);
		used += has;
	}
	for (size_t i = 0; i < found; i++)
		buffer_fini(&inputs[i].writers);
	forget(r);
}
