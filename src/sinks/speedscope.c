/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks for speedscope, in its own file format (www.speedscope.app/file-format-schema.json): a
 * profile for each thread, in order of time, with gaps while the thread used no CPU. A frame is a
 * function and its file, so that speedscope's other views can aggregate by function.
 */
#include <inttypes.h>

#include "sinks/sample_threads.h"

#define FRAMES_MAX	 (1u << 20)
#define FRAMES_BYTES_MAX (256u << 20)

struct speedscope_sink {
	struct sample_threads threads;
	struct names frames;   /* frames of all threads: name, NUL, file */
	struct buffer numbers; /* uint32_t: for each frame of the thread its number in `frames` */
	struct buffer stack;   /* uint32_t, the innermost first */
	bool has_begun;
};

static void begin_file(struct speedscope_sink *s)
{
	if (s->has_begun)
		return;
	s->has_begun = true;
	json_format(&s->threads.json, "{'$schema':%s,'exporter':%s",
		"https://www.speedscope.app/file-format-schema.json", "sooth " SOOTH_VERSION);
	if (s->threads.title.size)
		json_format(&s->threads.json, "'name':%s", buffer_cstr(&s->threads.title));
	json_format(&s->threads.json, "'profiles':[");
}

/* --- frames --- */

/* Numbers the frames. NUL separates name and file: escaped names contain none. */
static bool number_frames(struct speedscope_sink *s, const struct sample_thread *t)
{
	struct buffer both = { 0 };
	bool is_good = true;

	buffer_reset(&s->numbers);
	for (size_t i = 0; i < sample_frame_count(t) && is_good; i++) {
		struct span name = sample_frame_name(t, i), file = sample_frame_file(t, i);
		uint32_t number;

		buffer_reset(&both);
		buffer_append(&both, name.data, name.size);
		buffer_char(&both, 0);
		buffer_append(&both, file.data, file.size);
		number = names_put(&s->frames, span_of((const char *)both.data, both.size), NULL);
		buffer_append(&s->numbers, &number, sizeof(number));
		is_good = number != NAMES_NONE && !buffer_failed(&both);
	}
	buffer_fini(&both);
	return is_good && !buffer_failed(&s->numbers);
}

static void put_frames(struct speedscope_sink *s)
{
	json_format(&s->threads.json, "'shared':{'frames':[");
	for (size_t i = 0; i < names_count(&s->frames); i++) {
		struct span both = names_get(&s->frames, (uint32_t)i);
		size_t size = strnlen(both.data, both.size);

		json_format(&s->threads.json, "{'name':%.*s", (int)size, both.data);
		if (size + 1 < both.size)
			json_format(&s->threads.json, "'file':%.*s", (int)(both.size - size - 1),
				both.data + size + 1);
		json_end(&s->threads.json);
	}
	json_format(&s->threads.json, "]}");
}

/* --- a thread --- */

static void put_stack(struct speedscope_sink *s, const struct sample_thread *t, uint32_t node)
{
	const uint32_t *numbers = buffer_at(&s->numbers, 0);
	const uint32_t *stack;

	buffer_reset(&s->stack);
	for (; node != SAMPLE_IDLE; node = sample_node_at(t, node - 1)->parent)
		buffer_append(
			&s->stack, &numbers[sample_node_at(t, node - 1)->frame], sizeof(*numbers));
	stack = buffer_at(&s->stack, 0);
	json_begin_array(&s->threads.json);
	for (size_t i = s->stack.size / sizeof(*stack); i--;)
		json_u64(&s->threads.json, stack[i]);
	json_end(&s->threads.json);
}

static void put_name(struct speedscope_sink *s, const struct sample_thread *t)
{
	struct buffer name = { 0 };

	if (t->pid)
		buffer_format(&name, "%s (pid %llu), %s (tid %llu)",
			buffer_cstr((struct buffer *)&t->process), (unsigned long long)t->pid,
			buffer_cstr((struct buffer *)&t->thread), (unsigned long long)t->tid);
	else
		buffer_string(&name, "all");
	json_format(&s->threads.json, "'name':%s", buffer_cstr(&name));
	buffer_fini(&name);
}

static void put_head(struct speedscope_sink *s, const struct sample_thread *t)
{
	json_format(&s->threads.json, "{'type':'sampled'");
	put_name(s, t);
	json_format(&s->threads.json, "'unit':%s,'startValue':0,'endValue':%" PRIu64,
		s->threads.is_time    ? "nanoseconds"
		: s->threads.is_bytes ? "bytes"
				      : "none",
		t->end);
}

static int put_thread(void *state, const struct sample_thread *t, struct sooth_error *err)
{
	struct speedscope_sink *s = state;
	size_t count = sample_stretch_count(t);
	int status = 0;

	begin_file(s);
	if (!number_frames(s, t))
		return error_no_memory(err);
	put_head(s, t);
	json_format(&s->threads.json, "'samples':[");
	for (size_t i = 0; i < count && !status; i++) {
		put_stack(s, t, sample_stretch_at(t, i)->node);
		status = tabular_write_full(&s->threads.out, err);
	}
	json_format(&s->threads.json, "],'weights':[");
	for (size_t i = 0; i < count; i++)
		json_u64(&s->threads.json, sample_stretch_at(t, i)->length);
	json_format(&s->threads.json, "]}");
	return status ? status : tabular_write(&s->threads.out, err);
}

/* --- the sink --- */

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct speedscope_sink *s = state;

	(void)err;
	names_init(&s->frames, FRAMES_MAX, FRAMES_BYTES_MAX);
	sample_threads_open(
		&s->threads, options->stream, "write stacks for speedscope", put_thread);
	return 0;
}

static int end(void *state, struct sooth_error *err)
{
	struct speedscope_sink *s = state;

	begin_file(s);
	json_end(&s->threads.json);
	put_frames(s);
	json_end(&s->threads.json);
	return buffer_failed(&s->stack) ? error_no_memory(err)
					: sample_threads_write_end(&s->threads, err);
}

static void close_sink(void *state)
{
	struct speedscope_sink *s = state;

	sample_threads_close(&s->threads);
	names_fini(&s->frames);
	buffer_fini(&s->numbers);
	buffer_fini(&s->stack);
}

const struct sink_type sink_speedscope = {
	.name = "speedscope",
	.help = "stacks by thread and time for speedscope",
	.is_of_stacks = true,
	.is_of_samples = true,
	.state_size = sizeof(struct speedscope_sink),
	.open = open_sink,
	.section = sample_threads_section,
	.rows = sample_threads_rows,
	.section_end = sample_threads_end,
	.end = end,
	.close = close_sink,
};
