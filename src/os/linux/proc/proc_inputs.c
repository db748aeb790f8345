/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing proc.ties; see proc_inputs.h. */
#include "os/linux/proc/proc_inputs.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "os/linux/files/task_files.h"

void proc_inputs_init(struct proc_inputs_reader *r)
{
	*r = (struct proc_inputs_reader){ 0 };
	proc_input_writers_init(&r->writers);
}

static void answer_fini(struct proc_slow_reads *q)
{
	buffer_fini(&q->arguments);
	buffer_fini(&q->markers);
	buffer_fini(&q->root);
	for (unsigned i = 0; i < PROC_STANDARD_STREAMS; i++)
		buffer_fini(&q->streams[i].path);
}

static struct proc_inputs_pending *pending(const struct proc_inputs_reader *r, size_t *count)
{
	*count = r->pending.size / sizeof(struct proc_inputs_pending);
	return (void *)r->pending.data;
}

static void forget(struct proc_inputs_reader *r)
{
	size_t count;
	struct proc_inputs_pending *all = pending(r, &count);

	for (size_t i = 0; i < count; i++)
		answer_fini(&all[i].answer);
	buffer_reset(&r->pending);
}

void proc_inputs_fini(struct proc_inputs_reader *r)
{
	forget(r);
	proc_input_writers_fini(&r->writers);
	buffer_fini(&r->pending);
	buffer_fini(&r->scratch);
}

/* status: the last number of NSpid is the innermost; without the line (before Linux 4.1) it is not
 * told. */
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

/* A kernel that can trace always says it. */
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
	struct proc_inputs_reader *r, const struct process_snapshot *reading, struct proc_ties *t)
{
	int status = procfs_read_at(reading->process, "status", &r->scratch, PROCFS_SMALL);
	struct task_signals signals;
	struct stat space;

	if (status < 0) {
		t->hangup_state = t->namespace_state = t->tracer_state =
			procfs_state(process_snapshot_status(reading, status));
		return;
	}
	if (task_signals_parse(&signals, r->scratch.data, r->scratch.size))
		t->is_hangup_ignored = signals.ignored >> (SIGHUP - 1) & 1;
	else
		t->hangup_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	t->tracer_state = tracer_of(&t->tracer_pid, r->scratch.data, r->scratch.size);
	if (fstatat(reading->process, "ns/pid", &space, 0))
		t->namespace_state = procfs_state(process_snapshot_status(reading, -errno));
	else if (!inner_pid(r->scratch.data, r->scratch.size, &t->inner_pid))
		t->namespace_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	else
		t->pid_namespace = space.st_ino;
}

static void take_answer(struct proc_ties *t, const struct proc_slow_reads *q)
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
	for (unsigned i = 0; i < PROC_STANDARD_STREAMS; i++) {
		t->stream[i] = q->streams[i].stream;
		t->stream_state[i] = q->streams[i].state;
		t->stream_inode[i] = q->streams[i].inode;
	}
}

void proc_inputs_add(struct proc_inputs_reader *r, const struct backend_run *run,
	const struct process_snapshot *reading, struct proc_slow_reads *answer,
	enum proc_candidate candidate)
{
	struct proc_inputs_pending p = { .answer = *answer, .candidate = candidate };

	p.links.record = process_snapshot_head(reading, run, 0, PROC_INPUTS);
	take_answer(&p.links, answer);
	read_status(r, reading, &p.links);
	if (!buffer_reserve(&r->pending, sizeof(p)))
		return;
	buffer_append(&r->pending, &p, sizeof(p));
	answer->arguments = answer->markers = answer->root = (struct buffer){ 0 };
	for (unsigned i = 0; i < PROC_STANDARD_STREAMS; i++)
		answer->streams[i].path = (struct buffer){ 0 };
}

static bool has_input(const struct proc_inputs_pending *p)
{
	return !p->links.stream_state[0] &&
	       (p->links.stream[0] == PROC_STREAM_PIPE || p->links.stream[0] == PROC_STREAM_SOCKET);
}

static size_t list_inputs(struct proc_inputs_pending *all, size_t count, struct proc_input *inputs)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		struct proc_inputs_pending *p = &all[i];

		if (!has_input(p))
			continue;
		inputs[n++] = (struct proc_input){ .stream = &p->answer.streams[0],
			.reader = p->answer.id,
			.is_selected = p->candidate != PROC_CANDIDATE_NOT,
			.is_detached = p->candidate == PROC_CANDIDATE_DETACHED,
			.writer_state = p->links.writer_state,
			.has_writer = p->links.has_writer };
	}
	return n;
}

static void write_one(
	struct backend_run *run, struct proc_inputs_pending *p, const struct proc_input *input)
{
	static const struct proc_input none = { .writers_state = SOOTH_STATE_ABSENT };
	const struct proc_slow_reads *q = &p->answer;
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

void proc_inputs_write(struct proc_inputs_reader *r, struct backend_run *run,
	const struct proc_neighbours *neighbours)
{
	size_t count, used = 0;
	struct proc_inputs_pending *all = pending(r, &count);
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
