/* SPDX-License-Identifier: BSD-2-Clause */
#include "sinks/sample_threads.h"

#include <string.h>

#include "base/escape.h"
#include "sinks/stack_walk.h"

#define TEXTS_MAX	(1u << 20)
#define TEXTS_BYTES_MAX (256u << 20)
#define NODES_MAX	(1u << 22)

struct node_key {
	uint32_t parent, frame;
};

/* --- a thread --- */

static void thread_init(struct sample_thread *t)
{
	*t = (struct sample_thread){ 0 };
	names_init(&t->texts, TEXTS_MAX, TEXTS_BYTES_MAX);
	map_init(&t->by_place, sizeof(struct node_key), sizeof(uint32_t), NODES_MAX);
}

static void thread_fini(struct sample_thread *t)
{
	names_fini(&t->texts);
	map_fini(&t->by_place);
	buffer_fini(&t->frames);
	buffer_fini(&t->nodes);
	buffer_fini(&t->stretches);
	buffer_fini(&t->process);
	buffer_fini(&t->thread);
}

struct span sample_frame_name(const struct sample_thread *t, size_t frame)
{
	return span_of(
		names_get(&t->texts, (uint32_t)frame).data, sample_frame_at(t, frame)->file_at);
}

struct span sample_frame_file(const struct sample_thread *t, size_t frame)
{
	struct span text = names_get(&t->texts, (uint32_t)frame);
	size_t at = sample_frame_at(t, frame)->file_at;

	return span_of(text.data + at, text.size - at);
}

static uint32_t frame_of(
	struct sample_threads *s, struct span name, struct span file, uint64_t kind)
{
	struct sample_thread *t = &s->current;
	struct buffer text = { 0 };
	struct sample_frame frame = { .kind = (uint32_t)kind };
	bool is_new = false;
	uint32_t number;

	stack_name_put(&text, name);
	frame.file_at = (uint32_t)text.size;
	escape_terminal(&text, file.data, file.size);
	number = names_put(&t->texts, span_of((const char *)text.data, text.size), &is_new);
	s->failed |= buffer_failed(&text) || number == NAMES_NONE;
	if (is_new)
		buffer_append(&t->frames, &frame, sizeof(frame));
	buffer_fini(&text);
	return number;
}

static uint32_t node_below(struct sample_threads *s, uint32_t parent, uint32_t frame)
{
	struct sample_thread *t = &s->current;
	const struct node_key key = { parent, frame };
	const struct sample_node node = { parent, frame };
	bool is_new;
	uint32_t *number = map_put(&t->by_place, &key, &is_new);

	if (!number) {
		s->failed = true;
		return parent;
	}
	if (is_new) {
		buffer_append(&t->nodes, &node, sizeof(node));
		*number = (uint32_t)sample_node_count(t);
	}
	return *number;
}

static void put_stretch(struct sample_thread *t, uint64_t length, uint32_t node, uint32_t samples)
{
	struct sample_stretch stretch = {
		.begin = t->end, .length = length, .node = node, .samples = samples
	};

	buffer_append(&t->stretches, &stretch, sizeof(stretch));
	t->end += length;
}

/* Adds idle time before a sample, which stands for one period. A gap of less than half a period is
 * jitter. */
static void put_idle(struct sample_threads *s, uint64_t period)
{
	struct sample_thread *t = &s->current;
	uint64_t begin = s->at > period ? s->at - period : 0;

	t->period = period;
	if (begin > t->end + period / 2)
		put_stretch(t, begin - t->end, SAMPLE_IDLE, 0);
}

static void add_stack(void *user, const struct stack_walk *w, const uint64_t own[STACK_NUMBERS])
{
	struct sample_threads *s = user;
	uint32_t node = SAMPLE_IDLE;

	for (size_t i = 0; i < w->count; i++)
		node = node_below(s, node, s->frames[i]);
	if (s->samples)
		put_idle(s, own[0]);
	put_stretch(&s->current, own[0], node, 1);
}

static int end_thread(struct sample_threads *s, struct sooth_error *err)
{
	int status = 0;

	s->failed |= buffer_failed(&s->current.frames) || buffer_failed(&s->current.nodes) ||
		     buffer_failed(&s->current.stretches) || buffer_failed(&s->walk.names);
	if (s->failed)
		return error_no_memory(err);
	if (sample_stretch_count(&s->current))
		status = s->done(s, &s->current, err);
	thread_fini(&s->current);
	thread_init(&s->current);
	s->has_thread = false;
	return status;
}

static struct span text_in(const struct sooth_field *field, const struct sooth_record *row)
{
	struct sooth_value v;

	if (!field)
		return span_of(NULL, 0);
	v = sooth_field_get(field, row);
	return v.state <= SOOTH_STATE_TRUNCATED ? span_of(v.text.data, v.text.size)
						: span_of(NULL, 0);
}

static void put_text(struct buffer *out, struct span text)
{
	buffer_reset(out);
	escape_terminal(out, text.data, text.size);
}

/* Begins a single sample, with its row of depth 0. */
static int begin_sample(
	struct sample_threads *s, const struct sooth_record *row, struct sooth_error *err)
{
	uint64_t pid = graph_number(s->pid, row), tid = graph_number(s->tid, row);
	int status = 0;

	if (s->has_thread && (pid != s->current.pid || tid != s->current.tid))
		status = end_thread(s, err);
	if (!s->has_thread) {
		s->current.pid = pid;
		s->current.tid = tid;
		s->has_thread = true;
	}
	/* The last name counts: threads set their names after they start. */
	put_text(&s->current.process, text_in(s->process, row));
	put_text(&s->current.thread, text_in(s->thread, row));
	s->at = graph_number(s->time, row);
	return status;
}

/* --- the section --- */

void sample_threads_open(struct sample_threads *s, FILE *stream, const char *doing,
	int (*done)(void *state, const struct sample_thread *t, struct sooth_error *err))
{
	tabular_open(&s->out, stream, doing);
	json_init(&s->json, &s->out.bytes, 0);
	thread_init(&s->current);
	s->done = done;
}

int sample_threads_write_end(struct sample_threads *s, struct sooth_error *err)
{
	buffer_char(&s->out.bytes, '\n');
	return s->json.failed ? error_no_memory(err) : tabular_flush(&s->out, err);
}

void sample_threads_close(void *state)
{
	struct sample_threads *s = state;

	tabular_fini(&s->out);
	thread_fini(&s->current);
	stack_walk_fini(&s->walk);
	buffer_fini(&s->title);
}

static void find_fields(struct sample_threads *s, const struct section *section)
{
	const struct section_graph *graph = section->graph;
	const struct section_samples *samples = graph->samples;

	s->kind = graph_field(section, graph->kind);
	if (!samples)
		return;
	s->time = graph_field(section, samples->time);
	s->process = graph_field(section, samples->process);
	s->pid = graph_field(section, samples->pid);
	s->thread = graph_field(section, samples->thread);
	s->tid = graph_field(section, samples->tid);
	s->file = graph_field(section, samples->file);
	s->start_unix_ns = samples->start_unix_ns;
}

int sample_threads_section(void *state, const struct section *section, struct sooth_error *err)
{
	struct sample_threads *s = state;
	const struct sooth_field *weight;

	(void)err;
	s->is_open = false;
	if (s->has_begun || !stack_walk_begin(&s->walk, section))
		return 0;
	s->samples = section->graph->samples;
	find_fields(s, section);
	weight = graph_field(section, s->samples ? s->samples->weight : section->graph->weight);
	if (!weight)
		return 0;
	s->walk.take = add_stack;
	s->walk.user = s;
	s->walk.numbers[0] = weight;
	s->is_time = weight->unit == SOOTH_UNIT_NS;
	s->is_bytes = weight->unit == SOOTH_UNIT_BYTES;
	s->is_open = s->has_begun = true;
	if (section->graph->origin)
		put_text(&s->title, span_of_string(section->graph->origin));
	return 0;
}

int sample_threads_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct sample_threads *s = state;
	int status = 0;

	(void)section;
	if (!s->is_open)
		return 0;
	batch_for_each (r, batch) {
		size_t depth = graph_number(s->walk.depth, r);

		/* Before it takes the row, this call adds the previous stack to that stack's
		 * thread. */
		stack_walk_row(&s->walk, r);
		if (!depth && s->samples)
			status = begin_sample(s, r, err);
		if (status)
			return status;
		if (s->walk.count && depth < STACK_DEPTH_MAX)
			s->frames[s->walk.count - 1] = frame_of(s, text_in(s->walk.name, r),
				text_in(s->file, r), graph_number(s->kind, r));
	}
	return 0;
}

int sample_threads_end(void *state, const struct section *section, struct sooth_error *err)
{
	struct sample_threads *s = state;

	(void)section;
	if (!s->is_open)
		return 0;
	s->is_open = false;
	stack_walk_end(&s->walk);
	return end_thread(s, err);
}
