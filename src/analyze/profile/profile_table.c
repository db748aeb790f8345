/* SPDX-License-Identifier: BSD-2-Clause */
/* A profile as tables: number of samples, hot functions by role of threads, ends of stacks. A
 * function that calls itself counts once per stack. */
#include "analyze/profile/profile_table.h"

#include <stdio.h>
#include <string.h>

#include "analyze/profile/profile_sums.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/map_sorted.h"
#include "base/order.h"
#include "explain/output.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"

/* Programs and libraries without function names or source lines, and their remedies. */
struct profile_symbols {
	struct map files;   /* number of a name -> struct unnamed_file */
	bool has_lines;	    /* source lines were requested */
	uint64_t not_asked; /* samples recorded without source lines */
};

#define FILES_MAX	     1024
#define WITHOUT_NAME_PERCENT 10 /* percent of the samples in functions without a name */
#define BUILD_ID_DIGITS	     40

struct unnamed_file {
	uint64_t unnamed, without_line, refused; /* numbers of samples */
	uint32_t build_id, unused;
};

static void profile_symbols_init(struct profile_symbols *s, bool has_lines)
{
	*s = (struct profile_symbols){ .has_lines = has_lines };
	map_init(&s->files, sizeof(uint32_t), sizeof(struct unnamed_file), FILES_MAX);
}

static void profile_symbols_fini(struct profile_symbols *s)
{
	map_fini(&s->files);
}

/* Counts the function that ran, with or without a name; for its callers names matter less. */
static void profile_symbols_count(struct profile_symbols *s, const struct profile_stacked *stacked)
{
	const struct profile_function *f = stacked->depth ? stacked->frames[0] : NULL;
	struct unnamed_file *file;

	if (!f || f->kind != PROFILE_USER || (f->is_named && (f->has_line || !s->has_lines)))
		return;
	if (s->has_lines && f->lines_state == SOOTH_STATE_ABSENT)
		s->not_asked += stacked->count.samples;
	file = map_put(&s->files, &f->file, NULL);
	if (!file)
		return;
	file->unnamed += f->is_named ? 0 : stacked->count.samples;
	file->without_line += f->lines_state == SOOTH_STATE_ABSENT ? 0 : stacked->count.samples;
	file->refused += f->lines_state == SOOTH_NOT_MEASURED(SOOTH_REASON_UNDECIDED)
				 ? stacked->count.samples
				 : 0;
	file->build_id = f->build_id;
}

static const struct lack {
	const char *what, *why, *of_build, *or_build;
} no_names = { "names of functions", "functions for which the file has no symbol", "symbols", "" },
  no_lines = { "source lines", "functions for which the file has no debug information",
	  "debug information (compiled with -g)", "; or compile it with -g" };

/* Writes the place where debug_file.c looks for debug information. */
static void put_remedy(char *out, size_t size, struct span build_id, const struct lack *lack)
{
	bool is_short = build_id.size < 3 || build_id.size > BUILD_ID_DIGITS;

	if (is_short)
		snprintf(out, size, "run a build of it that has %s", lack->of_build);
	else
		snprintf(out, size,
			"its debug file belongs at /usr/lib/debug/.build-id/%.2s/%.*s.debug "
			"(a -dbgsym package puts it there)%s",
			build_id.data, (int)build_id.size - 2, build_id.data + 2, lack->or_build);
}

static void emit_note_about_file(const struct lack *lack, struct span name, struct span build_id,
	double percent, struct output *output)
{
	char what[160], why[120], remedy[256];

	snprintf(what, sizeof(what), "%s of %.*s", lack->what,
		(int)(name.size < 96 ? name.size : 96), name.data);
	snprintf(why, sizeof(why), "%.1f %% of the samples are in %s", percent, lack->why);
	put_remedy(remedy, sizeof(remedy), build_id, lack);
	output_limit(output, what, why, remedy);
}

static void emit_refusal_note(struct span name, struct output *output)
{
	char what[160];

	snprintf(what, sizeof(what), "source lines of %.*s", (int)(name.size < 96 ? name.size : 96),
		name.data);
	output_limit(output, what,
		"the debug information of this file is damaged, or needs more than 1 GiB of memory "
		"or 14 s",
		"leave out --lines: functions are then named by the symbols of the file");
}

/* Adds a limit for each file with a notable share of the samples. */
static void profile_symbols_note(const struct profile_symbols *s, const struct names *names,
	uint64_t samples, struct output *output)
{
	map_for_each (map_while(samples, &s->files), const uint32_t *, key,
		const struct unnamed_file *, file) {
		struct span name = names_get(names, *key);
		struct span build_id = names_get(names, file->build_id);
		double unnamed = 100.0 * (double)file->unnamed / (double)samples;
		double without_line = 100.0 * (double)file->without_line / (double)samples;

		if (name.size && unnamed >= WITHOUT_NAME_PERCENT)
			emit_note_about_file(&no_names, name, build_id, unnamed, output);
		else if (name.size && file->refused)
			emit_refusal_note(name, output);
		else if (name.size && s->has_lines && without_line >= WITHOUT_NAME_PERCENT)
			emit_note_about_file(&no_lines, name, build_id, without_line, output);
	}
	if (s->not_asked)
		output_limit(output, "source lines", "the capture was recorded without --lines",
			"sooth profile --lines --save FILE.sooth TARGET records lines");
}

#define FUNCTIONS_MAX	(1u << 18)
#define FUNCTIONS_SHOWN 25

#define SUMMARY_ROW(F, S)                                                                          \
	F(S, U64, samples, ALWAYS, "number of samples taken on a CPU", .merge = SOOTH_MERGE_SUM)   \
	F(S, NAMED, U64, cpu_ns, cpu_time_ns, ALWAYS, "CPU time that the samples stand for",       \
		.label = "CPU TIME", .unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM)              \
	F(S, U64, period_ns, ALWAYS, "CPU time between two samples", .label = "PERIOD",            \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, NAMED, REAL, whole_percent, whole_stacks_percent, MAYBE(whole_state),                 \
		"samples with a stack down to the entry of the thread", .label = "WHOLE STACKS",   \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)

ROW_TABLE(summary, SUMMARY_ROW, "profile", summary_row,
	.line = "{samples sample}, {cpu_time_ns} of CPU time, one per {period_ns}[; whole "
		"stacks: {whole_stacks_percent} %]");

#define FUNCTION_ROW(F, S)                                                                         \
	F(S, REAL, self_percent, ALWAYS, "share of all samples taken in this function itself",     \
		.label = "SELF%", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)                       \
	F(S, REAL, total_percent, ALWAYS,                                                          \
		"share of all samples taken in this function or in what it calls",                 \
		.label = "TOTAL%", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)                      \
	F(S, NAMED, U64, self, self_samples, ALWAYS, "samples in this function itself",            \
		.label = "SELF", .merge = SOOTH_MERGE_SUM)                                         \
	F(S, NAMED, U64, total, total_samples, ALWAYS,                                             \
		"samples in this function or in what it calls", .label = "TOTAL",                  \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, TEXT, role, ALWAYS, "role of the threads, or their name", .is_key = true)             \
	F(S, TEXT, function, ALWAYS,                                                               \
		"function as its source names it, or its symbol; file+0x12: no symbol",            \
		.is_key = true, .may_shrink = true)                                                \
	F(S, TEXT, file, ALWAYS, "file with the code of the function", .is_key = true,             \
		.may_shrink = true)

ROW_TABLE(function, FUNCTION_ROW, "functions", function_row);

#define END_ROW(F, S)                                                                              \
	F(S, TEXT, end, ALWAYS, "how the walk up the stack ended", .is_key = true)                 \
	F(S, U64, samples, ALWAYS, "samples with a stack that ended like this",                    \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, REAL, percent, ALWAYS, "share of all samples", .label = "SHARE",                      \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)

ROW_TABLE(end, END_ROW, "stack_ends", end_row);

static const struct sooth_schema *const tables[] = { &summary_schema, &function_schema, &end_schema,
	NULL };

static const struct section summary_section = SECTION_OF("profile", summary_schema, OBJECT);
static const struct section function_section = SECTION_OF("functions", function_schema, TABLE,
	.title = "functions", .if_empty = "no samples: the target used little or no CPU time",
	.rows_most = FUNCTIONS_SHOWN);
static const struct section end_section = SECTION_OF(
	"stack_ends", end_schema, TABLE, .title = "ends of stacks", .audience = SECTION_DETAIL);

/* Engines whose functions have names only on request. */
static const struct {
	const char *name, *remedy;
} engines[] = {
	{ "V8", "restart it with NODE_OPTIONS=--perf-basic-prof" },
	{ "JavaScriptCore", "" },
	{ "JVM", "profile again after: jcmd PID Compiler.perfmap" },
};

#define NOTED_PERCENT 1 /* percent of the samples from which a note is added */

struct function_key {
	uint32_t role, name, file;
	uint32_t unused;
};

struct function_sum {
	struct function_key key;
	uint64_t self, total;
	uint64_t seen; /* number of the last stack that counted it */
};

struct table_state {
	struct profile_view view;
	struct profile_symbols symbols;
	struct map functions; /* struct function_key -> struct function_sum */
	struct profile_count selected;
	uint64_t whole;
	struct section functions_section;
	struct buffer why_empty;	       /* text of `if_empty` */
	uint64_t ends[PROFILE_ENDS];	       /* samples by end of the stack */
	uint64_t unnamed[ARRAY_SIZE(engines)]; /* samples in unnamed code of each engine */
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct table_state *s = state;

	(void)err;
	profile_view_init(&s->view, output, options);
	profile_symbols_init(&s->symbols, s->view.options.naming.has_lines);
	map_init(&s->functions, sizeof(struct function_key), sizeof(struct function_sum),
		FUNCTIONS_MAX);
	return 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct table_state *s = state;

	(void)err;
	profile_sums_add_batch(&s->view.sums, batch);
	return 0;
}

static void count_function(struct table_state *s, uint32_t role,
	const struct profile_function *function, uint64_t stack, uint64_t samples, bool is_self)
{
	struct function_key key = { role, function->name, function->file, 0 };
	struct function_sum *sum = map_put(&s->functions, &key, NULL);

	if (!sum)
		return;
	sum->key = key;
	sum->self += is_self ? samples : 0;
	if (sum->seen != stack)
		sum->total += samples;
	sum->seen = stack;
}

static void count_unnamed(struct table_state *s, const struct profile_stacked *stacked)
{
	uint32_t seen = 0;

	for (size_t i = 0; i < stacked->depth; i++) {
		const struct profile_function *f = stacked->frames[i];

		if (f->kind != PROFILE_GENERATED || f->is_named)
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(engines); k++) {
			if (seen & 1u << k || !span_equal(names_get(&s->view.sums.names, f->file),
						      engines[k].name))
				continue;
			seen |= 1u << k;
			s->unnamed[k] += stacked->count.samples;
		}
	}
}

static void count_stack(
	struct table_state *s, const struct profile_stacked *stacked, uint64_t stack)
{
	uint32_t role = names_put(&s->view.sums.names, stacked->role, NULL);

	s->selected.samples += stacked->count.samples;
	s->selected.cpu_ns += stacked->count.cpu_ns;
	s->whole += stacked->end == PROFILE_WHOLE ? stacked->count.samples : 0;
	if (stacked->end < PROFILE_ENDS)
		s->ends[stacked->end] += stacked->count.samples;
	count_unnamed(s, stacked);
	profile_symbols_count(&s->symbols, stacked);
	for (size_t i = 0; i < stacked->depth; i++)
		count_function(s, role, stacked->frames[i], stack, stacked->count.samples, !i);
}

static void count_frames(struct table_state *s)
{
	struct profile_stacked stacked;
	size_t position = 0;

	for (uint64_t stack = 1; profile_sums_next(&s->view.sums, &position, &stacked); stack++) {
		if (profile_view_has(&s->view, stacked.role))
			count_stack(s, &stacked, stack);
	}
}

static double percent_of(const struct table_state *s, uint64_t samples)
{
	return s->selected.samples ? 100.0 * (double)samples / (double)s->selected.samples : 0;
}

static int emit_summary(struct table_state *s, struct sooth_error *err)
{
	struct summary_row row = { .samples = s->selected.samples,
		.cpu_ns = s->selected.cpu_ns,
		.period_ns = s->view.sums.period_ns,
		.whole_percent = percent_of(s, s->whole),
		.whole_state = state_if(s->selected.samples) };

	return OUTPUT_OBJECT(s->view.output, &summary_section, &row, NULL, 0, err);
}

static int compare_by_self(const void *left, const void *right)
{
	const struct function_sum *a = left, *b = right;
	int order = larger_first(a->self, b->self);

	order = order ?: larger_first(a->total, b->total);
	return order ?: memcmp(&a->key, &b->key, sizeof(a->key));
}

static int compare_by_total(const void *left, const void *right)
{
	const struct function_sum *a = left, *b = right;

	return larger_first(a->total, b->total) ?: compare_by_self(left, right);
}

static int emit_function(
	struct table_state *s, const struct function_sum *sum, struct sooth_error *err)
{
	struct function_row row = { .self = sum->self,
		.total = sum->total,
		.self_percent = percent_of(s, sum->self),
		.total_percent = percent_of(s, sum->total) };
	struct record_tail tail[] = {
		tail_span(&row.role, names_get(&s->view.sums.names, sum->key.role)),
		tail_span(&row.function, names_get(&s->view.sums.names, sum->key.name)),
		tail_span(&row.file, names_get(&s->view.sums.names, sum->key.file)),
	};

	if (row.total_percent < 100 * s->view.options.least_share)
		return 0;
	return OUTPUT_ROW(s->view.output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_functions(struct table_state *s, struct sooth_error *err)
{
	_cleanup_free_ struct function_sum *sorted = map_sorted(
		&s->functions, s->view.options.by_total ? compare_by_total : compare_by_self);
	int status;

	s->functions_section = function_section;
	s->functions_section.if_empty = profile_sums_if_empty(
		&s->view.sums, s->view.options.role, s->selected.samples, &s->why_empty);
	status = output_section(s->view.output, &s->functions_section, err);
	if (!sorted)
		return error_no_memory(err);
	for (size_t i = 0; i < s->functions.count && !status; i++)
		status = emit_function(s, &sorted[i], err);
	return status;
}

static int emit_stack_ends(struct table_state *s, struct sooth_error *err)
{
	int status = output_section(s->view.output, &end_section, err);

	for (size_t i = 0; i < PROFILE_ENDS && !status; i++) {
		struct end_row row = { .samples = s->ends[i],
			.percent = percent_of(s, s->ends[i]) };
		struct record_tail tail[] = { tail_string(
			&row.end, profile_end_text((enum profile_end)i)) };

		if (row.samples)
			status = OUTPUT_ROW(s->view.output, &row, tail, ARRAY_SIZE(tail), err);
	}
	return status;
}

static void emit_notes_about_unnamed_frames(struct table_state *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		double percent = percent_of(s, s->unnamed[i]);
		char what[80], why[120];

		if (percent < NOTED_PERCENT)
			continue;
		snprintf(what, sizeof(what), "names of functions compiled by %s", engines[i].name);
		snprintf(why, sizeof(why),
			"%.1f %% of the samples have such frames, and it writes no perf map",
			percent);
		output_limit(s->view.output, what, why, engines[i].remedy);
	}
}

static int finish(void *state, struct sooth_error *err)
{
	struct table_state *s = state;
	int status;

	count_frames(s);
	emit_notes_about_unnamed_frames(s);
	profile_symbols_note(&s->symbols, &s->view.sums.names, s->selected.samples, s->view.output);
	status = emit_summary(s, err);
	if (!status)
		status = emit_functions(s, err);
	return status ?: emit_stack_ends(s, err);
}

static void fini(void *state)
{
	struct table_state *s = state;

	profile_sums_fini(&s->view.sums);
	profile_symbols_fini(&s->symbols);
	map_fini(&s->functions);
	buffer_fini(&s->why_empty);
}

const struct stage_type stage_profile_table = {
	.name = "profile-table",
	.help = "hot functions by samples, per role of threads",
	.probe = "profile",
	.of_kind = PROFILE_SAMPLE,
	.shows = "profile",
	.tables = tables,
	STAGE_FUNCTIONS(struct table_state),
};
