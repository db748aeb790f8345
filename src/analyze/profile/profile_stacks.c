/* SPDX-License-Identifier: BSD-2-Clause */
/* A profile as a tree of stacks: process, role of the thread, then functions, each below its
 * caller. For flamegraphs and folded stacks every frame is a row; in text a frame and its only
 * callee share a row. A stack without its outer frames is below a frame with the reason. */
#include <stdio.h>
#include <string.h>

#include "analyze/graphs/call_graph.h"
#include "analyze/graphs/graph_origin.h"
#include "analyze/profile/profile_sums.h"
#include "analyze/profile/profile_table.h"
#include "analyze/profile/stack_frames.h"
#include "analyze/profile/wait_places.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"

#define SAMPLES	      CALL_GRAPH_CALLS /* the values of a node */
#define CPU_TIME      CALL_GRAPH_TIME
#define CHAIN	      " > "
#define CHAIN_BYTES   400 /* longer chains continue in the next row */
#define PROCESSES_MAX (1u << 16)

#define STACK_ROW(F, S)                                                                            \
	F(S, REAL, percent, ALWAYS, "share of all samples in this frame and below",                \
		.label = "TOTAL%", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)                      \
	F(S, U64, samples, ALWAYS, "samples in this frame and below")                              \
	F(S, NAMED, U64, self, self_samples, ALWAYS, "samples in this frame itself",               \
		.label = "SELF")                                                                   \
	F(S, TEXT, frame, ALWAYS, "stack frame: process, role of the thread, or function",         \
		.may_shrink = true)                                                                \
	F(S, ENUM32, kind, ALWAYS,                                                                 \
		"where the code of the frame is: program, library, kernel, ...",                   \
		.names = &stack_kind_names, .is_hidden = true)                                     \
	F(S, BOOL, is_own_code, ALWAYS,                                                            \
		"false: code of a library, a package, a runtime or the kernel", .is_hidden = true) \
	F(S, U32, depth, ALWAYS, "depth of the row in the tree; 0: the root", .is_hidden = true)   \
	F(S, NAMED, U64, cpu_ns, cpu_time_ns, ALWAYS, "CPU time of the samples",                   \
		.label = "CPU TIME", .unit = SOOTH_UNIT_NS, .is_hidden = true)

ROW_STRUCT(stack_row, STACK_ROW, uint32_t color;);
static ROW_SCHEMA(stack_row, STACK_ROW, "stacks", stack_row);

/* Row for the waits of threads. */
#define WAIT_ROW(F, S)                                                                             \
	F(S, REAL, percent, ALWAYS, "share of all waiting in this frame and below",                \
		.label = "TOTAL%", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)                      \
	F(S, NAMED, U64, cpu_ns, waited_ns, ALWAYS, "time waited in this frame and below",         \
		.label = "WAITED", .unit = SOOTH_UNIT_NS)                                          \
	F(S, NAMED, U64, samples, wait_count, ALWAYS, "waits in this frame and below",             \
		.label = "WAITS")                                                                  \
	F(S, TEXT, frame, ALWAYS, "stack frame: process, role of the thread, or function",         \
		.may_shrink = true)                                                                \
	F(S, ENUM32, kind, ALWAYS,                                                                 \
		"where the code of the frame is: program, library, kernel, ...",                   \
		.names = &stack_kind_names, .is_hidden = true)                                     \
	F(S, NAMED, ENUM32, color, reason, ALWAYS,                                                 \
		"reason of most of the waiting in this frame and below",                           \
		.names = &wait_color_names, .is_hidden = true)                                     \
	F(S, BOOL, is_own_code, ALWAYS,                                                            \
		"false: code of a library, a package, a runtime or the kernel", .is_hidden = true) \
	F(S, U32, depth, ALWAYS, "depth of the row in the tree; 0: the root", .is_hidden = true)

/* Row for the whole time of threads. */
#define WALL_ROW(F, S)                                                                             \
	F(S, REAL, percent, ALWAYS, "share of the time of all threads in this frame and below",    \
		.label = "TOTAL%", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)                      \
	F(S, NAMED, U64, cpu_ns, wall_ns, ALWAYS, "time in this frame and below", .label = "TIME", \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, NAMED, U64, samples, observations, ALWAYS,                                            \
		"samples and waits in this frame and below", .label = "COUNT")                     \
	F(S, TEXT, frame, ALWAYS, "stack frame: process, role of the thread, or function",         \
		.may_shrink = true)                                                                \
	F(S, ENUM32, kind, ALWAYS,                                                                 \
		"where the code of the frame is: program, library, kernel, ...",                   \
		.names = &stack_kind_names, .is_hidden = true)                                     \
	F(S, BOOL, is_own_code, ALWAYS,                                                            \
		"false: code of a library, a package, a runtime or the kernel", .is_hidden = true) \
	F(S, U32, depth, ALWAYS, "depth of the row in the tree; 0: the root", .is_hidden = true)

static ROW_SCHEMA(wall_row, WALL_ROW, "wall_stacks", stack_row);
static ROW_SCHEMA(wait_row, WAIT_ROW, "wait_stacks", stack_row);

static const struct sooth_schema *const tables[] = { &stack_row_schema, &wait_row_schema,
	&wall_row_schema, NULL };

/* differences between the kinds of stacks */
static const struct {
	const char *title, *weight, *one;
	const struct sooth_schema *schema;
} kinds[] = {
	[PROFILE_OF_SAMPLES] = { "CPU", "samples", "sample", &stack_row_schema },
	[PROFILE_OF_WAITS] = { "waiting", "waited_ns", "wait", &wait_row_schema },
	[PROFILE_OF_WALL] = { "running and waiting", "wall_ns", "observation", &wall_row_schema },
};

struct stacks_state {
	struct profile_view view;
	struct call_graph graph;
	struct graph_origin origin;
	uint64_t samples, time_ns, slept, slept_ns;
	bool leaves_out_sleep;
	struct map scripted; /* names of processes that run scripts of their own: uint32_t */
	struct map reasons;  /* struct reason_key -> uint64_t, time in waits */
	struct buffer names; /* of the frames of a stack, where they are longer than the function */
};

#define OWN_CODE 0x80u /* in the kind of a node */

/* The waits of one color that end in a node. */
struct reason_key {
	uint32_t node, color;
};

/* Returns the index of the value that shares refer to. */
static unsigned weight_of(const struct stacks_state *s)
{
	return s->view.options.of ? CPU_TIME : SAMPLES;
}

static uint64_t whole_weight(const struct stacks_state *s)
{
	return s->view.options.of ? s->time_ns : s->samples;
}

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct stacks_state *s = state;

	profile_view_init(&s->view, output, options);
	s->view.sums.of = s->view.options.of;
	if (s->view.options.of == PROFILE_OF_WAITS)
		s->view.sums.reason_of = wait_color_of;
	map_init(&s->scripted, sizeof(uint32_t), 0, PROCESSES_MAX);
	map_init(&s->reasons, sizeof(struct reason_key), sizeof(uint64_t), CALL_GRAPH_NODES_MAX);
	return call_graph_init(&s->graph) ? error_no_memory(err) : 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct stacks_state *s = state;

	(void)err;
	profile_sums_add_batch(&s->view.sums, batch);
	graph_origin_add_batch(&s->origin, batch);
	return 0;
}

static bool is_own_script(const struct profile_function *f)
{
	return f && f->kind == PROFILE_SCRIPT && !f->is_of_runtime && !f->is_of_package;
}

/* Returns OWN_CODE for code of the target itself: of its scripts, or without any of its program. */
static uint8_t own_code_bit(struct stacks_state *s, const struct profile_stacked *stacked,
	const struct stack_frame_named *frame)
{
	uint32_t process = names_put(&s->view.sums.names, stacked->process, NULL);
	bool is_own = map_get(&s->scripted, &process) ? is_own_script(frame->function)
						      : frame->kind == STACK_PROGRAM;

	return is_own && !s->view.options.keep ? OWN_CODE : 0;
}

/* Names scripts with their lines: "work (app.py:12)". */
static void name_scripts(
	struct stacks_state *s, const struct stack_frames *list, struct call_graph_frame *out)
{
	size_t at[STACK_FRAMES_MAX + 1];

	buffer_reset(&s->names);
	for (size_t i = 0; i < list->count; i++) {
		const struct stack_frame_named *frame = &list->items[i];

		at[i] = s->names.size;
		if (frame->kind == STACK_SCRIPT && frame->file.size)
			buffer_format(&s->names, "%.*s (%.*s)", SPAN_ARGS(frame->name),
				SPAN_ARGS(frame->file));
	}
	at[list->count] = s->names.size;
	for (size_t i = 0; i < list->count && !buffer_failed(&s->names); i++) {
		if (at[i + 1] > at[i])
			out[i].name = span_of(buffer_at(&s->names, at[i]), at[i + 1] - at[i]);
	}
}

static void add_reason(struct stacks_state *s, uint32_t node, const struct profile_stacked *stacked)
{
	struct reason_key key = { node, stacked->reason };
	uint64_t *sum = map_put(&s->reasons, &key, NULL);

	if (sum)
		*sum += stacked->count.cpu_ns;
}

static void add_stack(struct stacks_state *s, const struct profile_stacked *stacked)
{
	uint32_t node;
	struct call_graph_frame frames[STACK_FRAMES_MAX + 2] = {
		{ stacked->process, STACK_THREAD },
		{ stacked->role, STACK_THREAD },
	};
	struct call_graph_values values = { {
		[SAMPLES] = stacked->count.samples,
		[CPU_TIME] = stacked->count.cpu_ns,
	} };
	struct stack_frames list;

	stack_frames_of(&s->view.sums, stacked, &list);
	for (size_t i = 0; i < list.count; i++)
		frames[2 + i] = (struct call_graph_frame){ list.items[i].name,
			list.items[i].kind | own_code_bit(s, stacked, &list.items[i]) };
	if (s->view.options.is_drawn)
		name_scripts(s, &list, frames + 2);
	node = call_graph_add(s->view.options.keep ? s->view.options.keep : &s->graph, frames,
		2 + list.count, &values);
	if (s->view.options.of == PROFILE_OF_WAITS)
		add_reason(s, node, stacked);
}

/* --- rows --- */

struct emitting {
	struct stacks_state *s;
	const struct call_graph_values *sums;
	const uint32_t *order;
	size_t count;
	struct buffer name;
	struct buffer depths; /* uint32_t depth of the row of each node */
	struct buffer colors; /* uint64_t[WAIT_COLORS] of each node: time of waits */
};

/* Sums the time of waits by color, from the ends of stacks to their first frames. */
static bool sum_reasons(struct emitting *e)
{
	size_t count = call_graph_count(&e->s->graph);
	uint64_t(*of)[WAIT_COLORS] = buffer_zeros(&e->colors, count * sizeof(*of));

	if (!of)
		return false;
	map_for_each (&e->s->reasons, const struct reason_key *, key, const uint64_t *, sum)
		of[key->node][key->color] += *sum;
	for (size_t i = count; i-- > 1;) {
		uint64_t *above = of[call_graph_node(&e->s->graph, i)->parent];

		for (size_t color = 0; color < WAIT_COLORS; color++)
			above[color] += of[i][color];
	}
	return true;
}

/* Returns the color of a node: the one with two thirds of its waiting. */
static uint32_t color_of(const struct emitting *e, uint32_t node)
{
	const uint64_t *of = buffer_at(&e->colors, node * WAIT_COLORS * sizeof(*of));
	uint64_t whole = e->sums[node].of[CPU_TIME];

	for (uint32_t color = 0; color < WAIT_COLORS; color++) {
		if (of[color] >= whole - whole / 3)
			return color;
	}
	return WAIT_COLOR_NONE;
}

/* Returns whether the next row has the whole value of this one, so that both share a row. */
static bool is_chain(const struct emitting *e, size_t at)
{
	const struct call_graph_node *node, *next;

	if (!e->s->view.options.folds_chains || at + 1 >= e->count || e->name.size > CHAIN_BYTES)
		return false;
	node = call_graph_node(&e->s->graph, e->order[at]);
	next = call_graph_node(&e->s->graph, e->order[at + 1]);
	return node->kind != STACK_THREAD && next->parent == e->order[at] &&
	       e->sums[e->order[at]].of[weight_of(e->s)] ==
		       e->sums[e->order[at + 1]].of[weight_of(e->s)];
}

static uint32_t *depth_at(struct emitting *e, uint32_t node)
{
	return &((uint32_t *)(void *)e->depths.data)[node];
}

/* Writes the row of a node and the chain that begins there; returns the last node of the chain. */
static size_t put_row(struct emitting *e, size_t at, int *status, struct sooth_error *err)
{
	struct stacks_state *s = e->s;
	const struct call_graph_node *node = call_graph_node(&s->graph, e->order[at]);
	uint32_t depth = node->parent ? *depth_at(e, node->parent) + 1 : 0;
	const uint64_t *of = e->sums[e->order[at]].of;
	struct stack_row row = { .samples = of[SAMPLES],
		.cpu_ns = of[CPU_TIME],
		.percent = whole_weight(s)
				   ? 100.0 * (double)of[weight_of(s)] / (double)whole_weight(s)
				   : 0,
		.depth = depth,
		.is_own_code = node->kind == STACK_THREAD || node->kind & OWN_CODE,
		.color = e->colors.size ? color_of(e, e->order[at]) : 0,
		.kind = node->kind & ~OWN_CODE };
	struct record_tail tail[1];

	buffer_reset(&e->name);
	for (;; at++) {
		struct span name;

		node = call_graph_node(&s->graph, e->order[at]);
		name = call_graph_name(&s->graph, node);
		buffer_append(&e->name, name.data, name.size);
		*depth_at(e, e->order[at]) = depth;
		if (!is_chain(e, at))
			break;
		buffer_string(&e->name, CHAIN);
	}
	row.self = node->own.of[SAMPLES];
	tail[0] = tail_buffer(&row.frame, &e->name);
	if (!s->view.options.folds_chains || row.percent >= 100 * s->view.options.least_share)
		*status = OUTPUT_ROW(s->view.output, &row, tail, ARRAY_SIZE(tail), err);
	return at;
}

/* Writes "pid 4711: node; 2026-11-23T05:12:00Z; 412 samples at 99 Hz; 0 records lost". */
static void put_origin(const struct stacks_state *s, struct buffer *out)
{
	char slept[UNITS_SIZE];

	graph_origin_put(&s->origin, out);
	buffer_format(out, "%s%llu %s%s", out->size ? "; " : "", (unsigned long long)s->samples,
		kinds[s->view.options.of].one, s->samples == 1 ? "" : "s");
	if (s->view.sums.period_ns)
		buffer_format(
			out, " at %.0f Hz", (double)NS_PER_S / (double)s->view.sums.period_ns);
	if (s->leaves_out_sleep)
		buffer_format(out,
			"; left out: sleep, %llu wait%s, %s (sooth profile --off-cpu --flamegraph "
			"--with-sleep draws it)",
			(unsigned long long)s->slept, s->slept == 1 ? "" : "s",
			format_ns(slept, s->slept_ns));
	graph_origin_put_lost(&s->origin, out);
}

static int emit_rows(struct emitting *e, struct sooth_error *err)
{
	enum profile_of of = e->s->view.options.of;
	_cleanup_(buffer_fini) struct buffer origin = { 0 };
	_cleanup_(buffer_fini) struct buffer why = { 0 };
	struct section_graph graph = { .about = "process, role of the thread, functions",
		.weight = kinds[of].weight,
		.kind = of == PROFILE_OF_WAITS ? "reason" : "kind",
		.own = "is_own_code",
		.is_icicle = e->s->view.options.is_icicle,
		.least_share = e->s->view.options.least_share };
	struct section section = { .name = kinds[of].schema->name,
		.title = e->s->view.options.folds_chains ? "call tree"
			 : e->s->leaves_out_sleep	 ? "waiting, without sleep"
							 : kinds[of].title,
		.schema = kinds[of].schema,
		.shape = SECTION_TABLE,
		.tree = "frame",
		.depth = "depth",
		.if_empty = profile_sums_if_empty(
			&e->s->view.sums, e->s->view.options.role, whole_weight(e->s), &why),
		.graph = &graph };
	int status;

	put_origin(e->s, &origin);
	graph.origin = buffer_cstr(&origin);
	status = output_section(e->s->view.output, &section, err);
	for (size_t at = 0; at < e->count && !status; at++)
		at = put_row(e, at, &status, err);
	/* The section is a local variable: close it before it goes out of scope. */
	return status ?: output_close_section(e->s->view.output, err);
}

static int emit_stacks(struct stacks_state *s, struct sooth_error *err)
{
	_cleanup_(buffer_fini) struct buffer sums = { 0 }, order = { 0 };
	struct emitting e = { .s = s };
	int status;

	if (!call_graph_sums(&s->graph, &sums) ||
		!call_graph_order(&s->graph, (const void *)sums.data, weight_of(s), &order) ||
		!buffer_zeros(&e.depths, call_graph_count(&s->graph) * sizeof(uint32_t)) ||
		(s->view.options.of == PROFILE_OF_WAITS && !sum_reasons(&e))) {
		status = error_no_memory(err);
	} else {
		e.sums = (const void *)sums.data;
		e.order = (const void *)order.data;
		e.count = order.size / sizeof(*e.order);
		status = emit_rows(&e, err);
	}
	buffer_fini(&e.name);
	buffer_fini(&e.depths);
	buffer_fini(&e.colors);
	return status;
}

/* Sums all stacks, and finds out which processes run scripts of their own. */
static void look_at_stacks(struct stacks_state *s)
{
	struct profile_stacked stacked;
	size_t position = 0;

	while (profile_sums_next(&s->view.sums, &position, &stacked)) {
		uint32_t process = names_put(&s->view.sums.names, stacked.process, NULL);
		bool is_sleep = stacked.reason == WAIT_COLOR_SLEEP;

		if (!profile_view_has(&s->view, stacked.role))
			continue;
		s->samples += stacked.count.samples;
		s->time_ns += stacked.count.cpu_ns;
		s->slept += is_sleep ? stacked.count.samples : 0;
		s->slept_ns += is_sleep ? stacked.count.cpu_ns : 0;
		for (size_t i = 0; i < stacked.depth; i++) {
			if (is_own_script(stacked.frames[i]))
				map_put(&s->scripted, &process, NULL);
		}
	}
}

static int finish(void *state, struct sooth_error *err)
{
	struct stacks_state *s = state;
	struct profile_stacked stacked;
	size_t position = 0;

	look_at_stacks(s);
	/* A picture of nothing but sleep has it. */
	s->leaves_out_sleep = s->view.options.is_drawn && !s->view.options.has_sleep && s->slept &&
			      s->slept < s->samples;
	if (s->leaves_out_sleep) {
		s->samples -= s->slept;
		s->time_ns -= s->slept_ns;
	}
	while (profile_sums_next(&s->view.sums, &position, &stacked)) {
		if (profile_view_has(&s->view, stacked.role) &&
			!(s->leaves_out_sleep && stacked.reason == WAIT_COLOR_SLEEP))
			add_stack(s, &stacked);
	}
	if (s->view.options.keep && s->view.options.period_ns)
		*s->view.options.period_ns = s->view.sums.period_ns;
	return s->view.options.keep ? 0 : emit_stacks(s, err);
}

static void fini(void *state)
{
	struct stacks_state *s = state;

	profile_sums_fini(&s->view.sums);
	graph_origin_fini(&s->origin);
	call_graph_fini(&s->graph);
	map_fini(&s->scripted);
	map_fini(&s->reasons);
	buffer_fini(&s->names);
}

const struct stage_type stage_profile_stacks = {
	.name = "profile-stacks",
	.help = "sampled stacks as a tree, for flamegraphs and folded stacks",
	.shows = "profile",
	.tables = tables,
	STAGE_FUNCTIONS(struct stacks_state),
};
