/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks for the performance panel of Chrome and Edge: each thread has a CPU profile in trace
 * events "Profile" and "ProfileChunk". A .cpuprofile file could hold only one thread. Times are in
 * microseconds; aggregated stacks last a microsecond per unit of weight.
 *
 * Each thread also gets an event as long as its samples: the panel shows only threads with an
 * event. The events are an array: speedscope reads p.chrome.json only so, Chrome both forms.
 */
#include <inttypes.h>

#include "base/units.h"
#include "sinks/sample_threads.h"

#define CATEGORY      "disabled-by-default-v8.cpu_profiler"
#define NODE_ROOT     1
#define NODE_IDLE     2
#define NODES_OF_OWN  2
#define CHUNK_SAMPLES 1000

struct chrome_sink {
	struct sample_threads threads;
	uint64_t count; /* threads so far */
	bool has_begun;
};

static void begin_file(struct chrome_sink *s)
{
	if (s->has_begun)
		return;
	s->has_begun = true;
	json_begin_array(&s->threads.json);
}

static void begin_event(struct chrome_sink *s, const struct sample_thread *t, const char *phase,
	const char *category, const char *name, uint64_t at_us)
{
	json_format(&s->threads.json,
		"{'ph':%s,'cat':%s,'name':%s,'pid':%" PRIu64 ",'tid':%" PRIu64 ",'ts':%" PRIu64,
		phase, category, name, t->pid, t->tid, at_us);
}

static void put_name(struct chrome_sink *s, const struct sample_thread *t, const char *what,
	const struct buffer *name)
{
	begin_event(s, t, "M", "__metadata", what, 0);
	json_format(&s->threads.json, "'args':{'name':%.*s}}", name->size ? (int)name->size : 3,
		name->size ? (const char *)name->data : "all");
}

/* Begins an event of this thread's profile, and leaves the object "data" open. */
static void begin_profile_event(
	struct chrome_sink *s, const struct sample_thread *t, const char *name, uint64_t at_us)
{
	char id[UNITS_SIZE];

	snprintf(id, sizeof(id), "0x%llx", (unsigned long long)s->count);
	begin_event(s, t, "P", CATEGORY, name, at_us);
	json_format(&s->threads.json, "'id':%s,'args':{'data':{", id);
}

static void end_profile_event(struct chrome_sink *s)
{
	json_format(&s->threads.json, "}}}");
}

static void put_node(
	struct chrome_sink *s, uint64_t id, uint64_t parent, struct span name, struct span file)
{
	struct json *j = &s->threads.json;

	json_format(j, "{'id':%" PRIu64, id);
	if (parent)
		json_format(j, "'parent':%" PRIu64, parent);
	json_format(j,
		"'callFrame':{'functionName':%.*s,'scriptId':0,'url':%.*s,'lineNumber':-1,"
		"'columnNumber':-1}}",
		(int)name.size, name.data, (int)file.size, file.data ?: "");
}

static void put_nodes(struct chrome_sink *s, const struct sample_thread *t)
{
	json_format(&s->threads.json, "'nodes':[");
	put_node(s, NODE_ROOT, 0, span_of_string("(root)"), span_of(NULL, 0));
	put_node(s, NODE_IDLE, NODE_ROOT, span_of_string("(idle)"), span_of(NULL, 0));
	for (size_t i = 0; i < sample_node_count(t); i++) {
		const struct sample_node *node = sample_node_at(t, i);

		put_node(s, NODES_OF_OWN + 1 + i,
			node->parent ? NODES_OF_OWN + node->parent : NODE_ROOT,
			sample_frame_name(t, node->frame), sample_frame_file(t, node->frame));
	}
	json_end(&s->threads.json);
}

static uint64_t time_us(const struct chrome_sink *s, uint64_t at)
{
	return s->threads.is_time ? at / NS_PER_US : at;
}

/* Writes the samples from `first` up to, not including, `end`. The first chunk has the nodes. The
 * last sample of a thread only marks the end of the sample before it. */
static void put_chunk(struct chrome_sink *s, const struct sample_thread *t, size_t first,
	size_t end, size_t count)
{
	struct json *j = &s->threads.json;
	uint64_t before = first ? time_us(s, sample_stretch_at(t, first - 1)->begin) : 0;

	begin_profile_event(s, t, "ProfileChunk", before);
	json_format(j, "'cpuProfile':{");
	if (!first)
		put_nodes(s, t);
	json_format(j, "'samples':[");
	for (size_t i = first; i < end; i++) {
		uint32_t node = i < count ? sample_stretch_at(t, i)->node : SAMPLE_IDLE;

		json_u64(j, node == SAMPLE_IDLE ? NODE_IDLE : NODES_OF_OWN + node);
	}
	json_format(j, "]},'timeDeltas':[");
	for (size_t i = first; i < end; i++) {
		uint64_t at = time_us(s, i < count ? sample_stretch_at(t, i)->begin : t->end);

		json_u64(j, at - before);
		before = at;
	}
	json_end(j);
	end_profile_event(s);
}

/* Writes the event from the first sample to the end of the last one. */
static void put_sampled(struct chrome_sink *s, const struct sample_thread *t)
{
	const struct sample_stretch *first = sample_stretch_at(t, 0);
	uint64_t begin = time_us(s, first->samples ? first->begin : first->begin + first->length);

	begin_event(s, t, "X", "sooth", "sampled", begin);
	json_format(&s->threads.json, "'dur':%" PRIu64 "}", time_us(s, t->end) - begin);
}

static int put_thread(void *state, const struct sample_thread *t, struct sooth_error *err)
{
	struct chrome_sink *s = state;
	size_t count = sample_stretch_count(t);
	int status = 0;

	begin_file(s);
	s->count++;
	put_name(s, t, "process_name", &t->process);
	put_name(s, t, "thread_name", &t->thread);
	put_sampled(s, t);
	begin_profile_event(s, t, "Profile", 0);
	json_format(&s->threads.json, "'startTime':0");
	end_profile_event(s);
	for (size_t i = 0; i <= count && !status; i += CHUNK_SAMPLES) {
		size_t end = i + CHUNK_SAMPLES;

		put_chunk(s, t, i, end < count + 1 ? end : count + 1, count);
		status = tabular_write_full(&s->threads.out, err);
	}
	return status;
}

/* --- the sink --- */

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct chrome_sink *s = state;

	(void)err;
	sample_threads_open(&s->threads, options->stream, "write stacks for Chrome", put_thread);
	return 0;
}

static int end(void *state, struct sooth_error *err)
{
	struct chrome_sink *s = state;

	begin_file(s);
	json_end(&s->threads.json);
	return sample_threads_write_end(&s->threads, err);
}

const struct sink_type sink_chrome = {
	.name = "chrome",
	.help = "stacks by thread and time for Chrome's performance panel",
	.is_of_stacks = true,
	.is_of_samples = true,
	.state_size = sizeof(struct chrome_sink),
	.open = open_sink,
	.section = sample_threads_section,
	.rows = sample_threads_rows,
	.section_end = sample_threads_end,
	.end = end,
	.close = sample_threads_close,
};
