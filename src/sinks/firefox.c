/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks for the Firefox Profiler (profiler.firefox.com), in its processed format: a track for each
 * thread. Categories stand for the kinds of frames. Newer profilers read older versions of the
 * format.
 */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "sinks/sample_threads.h"

#define GECKO_VERSION	  27
#define PROCESSED_VERSION 47
#define MS_DECIMALS	  6
#define CATEGORY_IDLE	  0 /* the kinds follow */

struct firefox_sink {
	struct sample_threads threads;
	bool has_begun;
};

static const char *const colors[] = { "grey", "yellow", "orange", "blue", "green", "magenta",
	"purple", "lightblue", "lightgreen", "red", "brown" };
#define COLORS (sizeof(colors) / sizeof(colors[0]))

/* Writes a column of a table in which all rows have this value. */
static void put_repeated_value(struct json *j, const char *key, size_t count, const char *value)
{
	json_format(j, "%s:[", key);
	for (size_t i = 0; i < count; i++)
		json_written(j, value, strlen(value));
	json_end(j);
}

static double milliseconds_of(uint64_t ns)
{
	return (double)ns / NS_PER_MS;
}

/* --- the file --- */

static void put_category(struct json *j, const char *name, const char *color)
{
	json_format(j, "{'name':%s,'color':%s,'subcategories':['Other']}", name, color);
}

static const struct sooth_names *kinds_of(const struct firefox_sink *s)
{
	return s->threads.kind ? s->threads.kind->names : NULL;
}

static void put_categories(struct firefox_sink *s)
{
	const struct sooth_names *kinds = kinds_of(s);

	json_format(&s->threads.json, "'categories':[");
	put_category(&s->threads.json, "Idle", "transparent");
	for (size_t i = 0; kinds && i < kinds->count; i++)
		put_category(&s->threads.json, kinds->names[i], colors[i % COLORS]);
	if (!kinds)
		put_category(&s->threads.json, "Other", colors[0]);
	json_end(&s->threads.json);
}

static void put_meta(struct firefox_sink *s, uint64_t period)
{
	struct json *j = &s->threads.json;

	json_format(j, "'meta':{");
	put_categories(s);
	json_format(j,
		"'interval':%.*f,'startTime':%.*f,'processType':0,'product':%s,'importedFrom':%s,"
		"'stackwalk':1,'version':%d,'preprocessedProfileVersion':%d,'symbolicated':true,"
		"'debug':false,'usesOnlyOneStackType':true,'doesNotUseFrameImplementation':true,"
		"'sourceCodeIsNotOnSearchfox':true,'markerSchema':[],"
		"'extensions':{'length':0,'baseURL':[],'id':[],'name':[]},"
		"'sampleUnits':{'time':'ms','eventDelay':'ms','threadCPUDelta':'ns'}}",
		MS_DECIMALS, milliseconds_of(s->threads.samples && period ? period : NS_PER_MS),
		MS_DECIMALS, milliseconds_of(s->threads.start_unix_ns),
		s->threads.title.size ? buffer_cstr(&s->threads.title) : "sooth",
		"sooth " SOOTH_VERSION, GECKO_VERSION, PROCESSED_VERSION);
}

static void begin_file(struct firefox_sink *s, uint64_t period)
{
	if (s->has_begun)
		return;
	s->has_begun = true;
	json_begin_object(&s->threads.json);
	put_meta(s, period);
	json_format(&s->threads.json, "'libs':[],'pages':[],'counters':[],'threads':[");
}

/* --- tables of a thread: a column each, rows are numbers --- */

static uint64_t category_of(
	const struct firefox_sink *s, const struct sample_thread *t, size_t frame)
{
	const struct sooth_names *kinds = kinds_of(s);
	uint32_t kind = sample_frame_at(t, frame)->kind;

	return 1 + (kinds && kind < kinds->count ? kind : 0);
}

static void put_frame_table(struct firefox_sink *s, const struct sample_thread *t)
{
	static const char *const absent[] = { "nativeSymbol", "innerWindowID", "implementation",
		"line", "column" };
	struct json *j = &s->threads.json;
	size_t count = sample_frame_count(t);

	json_format(j, "'frameTable':{'length':%zu", count);
	put_repeated_value(j, "address", count, "-1");
	put_repeated_value(j, "inlineDepth", count, "0");
	json_format(j, "'category':[");
	for (size_t i = 0; i < count; i++)
		json_u64(j, category_of(s, t, i));
	json_end(j);
	put_repeated_value(j, "subcategory", count, "0");
	json_format(j, "'func':[");
	for (size_t i = 0; i < count; i++)
		json_u64(j, i);
	json_end(j);
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		put_repeated_value(j, absent[i], count, "null");
	json_end(j);
}

/* Writes the functions. Each frame has two texts: the name of its function and its file. */
static void put_function_table(struct firefox_sink *s, const struct sample_thread *t)
{
	struct json *j = &s->threads.json;
	size_t count = sample_frame_count(t);

	json_format(j, "'funcTable':{'length':%zu,'name':[", count);
	for (size_t i = 0; i < count; i++)
		json_u64(j, 2 * i);
	json_end(j);
	put_repeated_value(j, "isJS", count, "false");
	put_repeated_value(j, "relevantForJS", count, "false");
	put_repeated_value(j, "resource", count, "-1");
	json_format(j, "'fileName':[");
	for (size_t i = 0; i < count; i++) {
		if (sample_frame_file(t, i).size)
			json_u64(j, 2 * i + 1);
		else
			json_nothing(j);
	}
	json_end(j);
	put_repeated_value(j, "lineNumber", count, "null");
	put_repeated_value(j, "columnNumber", count, "null");
	json_format(j, "},'stringArray':[");
	for (size_t i = 0; i < count; i++) {
		struct span name = sample_frame_name(t, i), file = sample_frame_file(t, i);

		json_chars(j, name.data, name.size);
		json_chars(j, file.data, file.size);
	}
	json_end(j);
}

/* Writes the number of a node, from 0, or null for no node. */
static void put_node(struct json *j, uint32_t node)
{
	if (node == SAMPLE_IDLE)
		json_nothing(j);
	else
		json_u64(j, node - 1);
}

static void put_stack_table(struct firefox_sink *s, const struct sample_thread *t)
{
	struct json *j = &s->threads.json;
	size_t count = sample_node_count(t);

	json_format(j, "'stackTable':{'length':%zu,'prefix':[", count);
	for (size_t i = 0; i < count; i++)
		put_node(j, sample_node_at(t, i)->parent);
	json_format(j, "],'frame':[");
	for (size_t i = 0; i < count; i++)
		json_u64(j, sample_node_at(t, i)->frame);
	json_format(j, "],'category':[");
	for (size_t i = 0; i < count; i++)
		json_u64(j, category_of(s, t, sample_node_at(t, i)->frame));
	json_end(j);
	put_repeated_value(j, "subcategory", count, "0");
	json_end(j);
}

/* Writes the samples of a thread. Aggregated stacks have weights; a single sample counts one. */
static void put_samples(struct firefox_sink *s, const struct sample_thread *t)
{
	struct json *j = &s->threads.json;
	size_t count = sample_stretch_count(t);
	bool is_single = s->threads.samples;

	json_format(j, "'samples':{'length':%zu,'stack':[", count);
	for (size_t i = 0; i < count; i++)
		put_node(j, sample_stretch_at(t, i)->node);
	json_format(j, "],'time':[");
	for (size_t i = 0; i < count; i++)
		json_f64(j, milliseconds_of(sample_stretch_at(t, i)->begin), MS_DECIMALS);
	json_format(j, "],'weightType':%s,'weight':[", s->threads.is_bytes ? "bytes" : "samples");
	for (size_t i = 0; i < count; i++)
		json_u64(j, is_single ? sample_stretch_at(t, i)->samples
				      : sample_stretch_at(t, i)->length);
	json_format(j, "],'threadCPUDelta':["); /* since the previous sample */
	for (size_t i = 0; is_single && i < count; i++)
		json_u64(j, i && sample_stretch_at(t, i - 1)->samples
				    ? sample_stretch_at(t, i - 1)->length
				    : 0);
	json_format(j, "]}");
}

static void put_identity(struct firefox_sink *s, const struct sample_thread *t)
{
	struct buffer *process = (struct buffer *)&t->process, *name = (struct buffer *)&t->thread;
	char pid[UNITS_SIZE], tid[UNITS_SIZE];

	snprintf(pid, sizeof(pid), "%" PRIu64, t->pid);
	snprintf(tid, sizeof(tid), "%" PRIu64, t->tid);
	json_format(&s->threads.json,
		"{'processType':'default','processName':%s,'name':%s,'isMainThread':%i,'pid':%s,"
		"'tid':%s,'processStartupTime':0,'processShutdownTime':null,'registerTime':0,"
		"'unregisterTime':null,'pausedRanges':[]",
		process->size ? buffer_cstr(process) : "all",
		name->size ? buffer_cstr(name) : "all", t->pid == t->tid, pid, tid);
}

static int put_thread(void *state, const struct sample_thread *t, struct sooth_error *err)
{
	struct firefox_sink *s = state;

	begin_file(s, t->period);
	put_identity(s, t);
	put_frame_table(s, t);
	put_function_table(s, t);
	put_stack_table(s, t);
	put_samples(s, t);
	json_format(&s->threads.json,
		"'markers':{'length':0,'data':[],'name':[],'startTime':[],'endTime':[],'phase':[],"
		"'category':[]},'nativeSymbols':{'length':0,'libIndex':[],'address':[],'name':[],"
		"'functionSize':[]},'resourceTable':{'length':0,'lib':[],'name':[],'host':[],"
		"'type':[]}}");
	return tabular_write(&s->threads.out, err);
}

/* --- the sink --- */

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct firefox_sink *s = state;

	(void)err;
	sample_threads_open(
		&s->threads, options->stream, "write stacks for the Firefox Profiler", put_thread);
	return 0;
}

static int end(void *state, struct sooth_error *err)
{
	struct firefox_sink *s = state;

	begin_file(s, 0);
	json_format(&s->threads.json, "]}");
	return sample_threads_write_end(&s->threads, err);
}

const struct sink_type sink_firefox = {
	.name = "firefox",
	.help = "stacks by thread and time for the Firefox Profiler",
	.is_of_stacks = true,
	.is_of_samples = true,
	.state_size = sizeof(struct firefox_sink),
	.open = open_sink,
	.section = sample_threads_section,
	.rows = sample_threads_rows,
	.section_end = sample_threads_end,
	.end = end,
	.close = sample_threads_close,
};
