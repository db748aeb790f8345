/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks for the Firefox Profiler (profiler.firefox.com), in its processed format: a track for each
 * thread. The categories are the kinds of frames. Newer versions of the profiler read older ones of
 * the format.
 */
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

/* --- JSON in the shapes that the format has --- */

static void put_text(struct json *j, const char *key, const char *text)
{
	json_key(j, key);
	json_cstring(j, text);
}

static void put_number(struct json *j, const char *key, int64_t number)
{
	json_key(j, key);
	json_i64(j, number);
}

static void put_truth(struct json *j, const char *key, bool value)
{
	json_key(j, key);
	json_bool(j, value);
}

static void put_array(struct json *j, const char *key)
{
	json_key(j, key);
	json_begin_array(j);
}

static void put_object(struct json *j, const char *key)
{
	json_key(j, key);
	json_begin_object(j);
}

static void put_nothing(struct json *j, const char *key)
{
	put_array(j, key);
	json_end(j);
}

static void put_same(struct json *j, const char *key, size_t count, int64_t number)
{
	put_array(j, key);
	for (size_t i = 0; i < count; i++)
		json_i64(j, number);
	json_end(j);
}

static void put_nulls(struct json *j, const char *key, size_t count)
{
	put_array(j, key);
	for (size_t i = 0; i < count; i++)
		json_nothing(j);
	json_end(j);
}

static void put_falses(struct json *j, const char *key, size_t count)
{
	put_array(j, key);
	for (size_t i = 0; i < count; i++)
		json_bool(j, false);
	json_end(j);
}

static void put_ms(struct json *j, uint64_t ns)
{
	json_f64(j, (double)ns / NS_PER_MS, MS_DECIMALS);
}

/* --- the file --- */

static void put_category(struct json *j, const char *name, const char *color)
{
	json_begin_object(j);
	put_text(j, "name", name);
	put_text(j, "color", color);
	put_array(j, "subcategories");
	json_cstring(j, "Other");
	json_end(j);
	json_end(j);
}

static const struct sooth_names *kinds_of(const struct firefox_sink *s)
{
	return s->threads.kind ? s->threads.kind->names : NULL;
}

static void put_categories(struct firefox_sink *s)
{
	const struct sooth_names *kinds = kinds_of(s);

	put_array(&s->threads.json, "categories");
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

	put_object(j, "meta");
	put_categories(s);
	json_key(j, "interval");
	put_ms(j, s->threads.samples && period ? period : NS_PER_MS);
	json_key(j, "startTime");
	put_ms(j, s->threads.start_unix_ns);
	put_number(j, "processType", 0);
	put_text(j, "product", s->threads.title.size ? buffer_cstr(&s->threads.title) : "sooth");
	put_text(j, "importedFrom", "sooth " SOOTH_VERSION);
	put_number(j, "stackwalk", 1);
	put_number(j, "version", GECKO_VERSION);
	put_number(j, "preprocessedProfileVersion", PROCESSED_VERSION);
	put_truth(j, "symbolicated", true);
	put_truth(j, "debug", false);
	put_truth(j, "usesOnlyOneStackType", true);
	put_truth(j, "doesNotUseFrameImplementation", true);
	put_truth(j, "sourceCodeIsNotOnSearchfox", true);
	put_nothing(j, "markerSchema");
	put_object(j, "extensions");
	put_number(j, "length", 0);
	put_nothing(j, "baseURL");
	put_nothing(j, "id");
	put_nothing(j, "name");
	json_end(j);
	put_object(j, "sampleUnits");
	put_text(j, "time", "ms");
	put_text(j, "eventDelay", "ms");
	put_text(j, "threadCPUDelta", "ns");
	json_end(j);
	json_end(j);
}

static void begin_file(struct firefox_sink *s, uint64_t period)
{
	if (s->has_begun)
		return;
	s->has_begun = true;
	json_begin_object(&s->threads.json);
	put_meta(s, period);
	put_nothing(&s->threads.json, "libs");
	put_nothing(&s->threads.json, "pages");
	put_nothing(&s->threads.json, "counters");
	put_array(&s->threads.json, "threads");
}

/* --- tables of a thread: a column each, rows are numbers --- */

static int64_t category_of(
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

	put_object(j, "frameTable");
	put_number(j, "length", (int64_t)count);
	put_same(j, "address", count, -1);
	put_same(j, "inlineDepth", count, 0);
	put_array(j, "category");
	for (size_t i = 0; i < count; i++)
		json_i64(j, category_of(s, t, i));
	json_end(j);
	put_same(j, "subcategory", count, 0);
	put_array(j, "func");
	for (size_t i = 0; i < count; i++)
		json_u64(j, i);
	json_end(j);
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		put_nulls(j, absent[i], count);
	json_end(j);
}

/* Two texts for each frame: the name of its function and its file. */
static void put_function_table(struct firefox_sink *s, const struct sample_thread *t)
{
	struct json *j = &s->threads.json;
	size_t count = sample_frame_count(t);

	put_object(j, "funcTable");
	put_number(j, "length", (int64_t)count);
	put_array(j, "name");
	for (size_t i = 0; i < count; i++)
		json_u64(j, 2 * i);
	json_end(j);
	put_falses(j, "isJS", count);
	put_falses(j, "relevantForJS", count);
	put_same(j, "resource", count, -1);
	put_array(j, "fileName");
	for (size_t i = 0; i < count; i++) {
		if (sample_frame_file(t, i).size)
			json_u64(j, 2 * i + 1);
		else
			json_nothing(j);
	}
	json_end(j);
	put_nulls(j, "lineNumber", count);
	put_nulls(j, "columnNumber", count);
	json_end(j);
	put_array(j, "stringArray");
	for (size_t i = 0; i < count; i++) {
		struct span name = sample_frame_name(t, i), file = sample_frame_file(t, i);

		json_chars(j, name.data, name.size);
		json_chars(j, file.data, file.size);
	}
	json_end(j);
}

static void put_stack_table(struct firefox_sink *s, const struct sample_thread *t)
{
	struct json *j = &s->threads.json;
	size_t count = sample_node_count(t);

	put_object(j, "stackTable");
	put_number(j, "length", (int64_t)count);
	put_array(j, "prefix");
	for (size_t i = 0; i < count; i++) {
		if (sample_node_at(t, i)->parent)
			json_u64(j, sample_node_at(t, i)->parent - 1);
		else
			json_nothing(j);
	}
	json_end(j);
	put_array(j, "frame");
	for (size_t i = 0; i < count; i++)
		json_u64(j, sample_node_at(t, i)->frame);
	json_end(j);
	put_array(j, "category");
	for (size_t i = 0; i < count; i++)
		json_i64(j, category_of(s, t, sample_node_at(t, i)->frame));
	json_end(j);
	put_same(j, "subcategory", count, 0);
	json_end(j);
}

/* Stacks that are summed up have weights; single samples are one each. */
static void put_samples(struct firefox_sink *s, const struct sample_thread *t)
{
	struct json *j = &s->threads.json;
	size_t count = sample_stretch_count(t);
	bool is_single = s->threads.samples;

	put_object(j, "samples");
	put_number(j, "length", (int64_t)count);
	put_array(j, "stack");
	for (size_t i = 0; i < count; i++) {
		uint32_t node = sample_stretch_at(t, i)->node;

		if (node == SAMPLE_IDLE)
			json_nothing(j);
		else
			json_u64(j, node - 1);
	}
	json_end(j);
	put_array(j, "time");
	for (size_t i = 0; i < count; i++)
		put_ms(j, sample_stretch_at(t, i)->begin);
	json_end(j);
	put_text(j, "weightType", s->threads.is_bytes ? "bytes" : "samples");
	put_array(j, "weight");
	for (size_t i = 0; i < count; i++)
		json_u64(j, is_single ? sample_stretch_at(t, i)->samples
				      : sample_stretch_at(t, i)->length);
	json_end(j);
	put_array(j, "threadCPUDelta"); /* since the sample before */
	for (size_t i = 0; is_single && i < count; i++)
		json_u64(j, i && sample_stretch_at(t, i - 1)->samples
				    ? sample_stretch_at(t, i - 1)->length
				    : 0);
	json_end(j);
	json_end(j);
}

static void put_empty_tables(struct json *j)
{
	static const char *const of_markers[] = { "data", "name", "startTime", "endTime", "phase",
		"category" };
	static const char *const of_symbols[] = { "libIndex", "address", "name", "functionSize" };
	static const char *const of_resources[] = { "lib", "name", "host", "type" };

	put_object(j, "markers");
	put_number(j, "length", 0);
	for (size_t i = 0; i < sizeof(of_markers) / sizeof(of_markers[0]); i++)
		put_nothing(j, of_markers[i]);
	json_end(j);
	put_object(j, "nativeSymbols");
	put_number(j, "length", 0);
	for (size_t i = 0; i < sizeof(of_symbols) / sizeof(of_symbols[0]); i++)
		put_nothing(j, of_symbols[i]);
	json_end(j);
	put_object(j, "resourceTable");
	put_number(j, "length", 0);
	for (size_t i = 0; i < sizeof(of_resources) / sizeof(of_resources[0]); i++)
		put_nothing(j, of_resources[i]);
	json_end(j);
}

static void put_numbered(struct json *j, const char *key, uint64_t number)
{
	char text[UNITS_SIZE];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	put_text(j, key, text);
}

static void put_identity(struct firefox_sink *s, const struct sample_thread *t)
{
	struct json *j = &s->threads.json;
	struct buffer *process = (struct buffer *)&t->process, *name = (struct buffer *)&t->thread;

	put_text(j, "processType", "default");
	put_text(j, "processName", process->size ? buffer_cstr(process) : "all");
	put_text(j, "name", name->size ? buffer_cstr(name) : "all");
	put_truth(j, "isMainThread", t->pid == t->tid);
	put_numbered(j, "pid", t->pid);
	put_numbered(j, "tid", t->tid);
	put_number(j, "processStartupTime", 0);
	json_key(j, "processShutdownTime");
	json_nothing(j);
	put_number(j, "registerTime", 0);
	json_key(j, "unregisterTime");
	json_nothing(j);
	put_nothing(j, "pausedRanges");
}

static int put_thread(void *state, const struct sample_thread *t, struct sooth_error *err)
{
	struct firefox_sink *s = state;

	begin_file(s, t->period);
	json_begin_object(&s->threads.json);
	put_identity(s, t);
	put_frame_table(s, t);
	put_function_table(s, t);
	put_stack_table(s, t);
	put_samples(s, t);
	put_empty_tables(&s->threads.json);
	json_end(&s->threads.json);
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
	json_end(&s->threads.json);
	json_end(&s->threads.json);
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
