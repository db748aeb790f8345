/* SPDX-License-Identifier: BSD-2-Clause */
/* Live objects of a runtime by class, at the start and at the end of an observation: which class of
 * the program keeps the memory. Arrays and strings of the runtime's library are most of the bytes,
 * and say little; so the class of the program that grows most is named beside them. */
#include <stdlib.h>

#include "analyze/process_view.h"
#include "base/cleanup.h"
#include "base/names.h"
#include "base/sentence_units.h"
#include "base/units.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "probes/objects.h"

#define NAME_BYTES_MOST (OBJECTS_CLASSES_MOST * 512)
#define ROWS_FOR_PEOPLE 10
#define GROWTH_LEAST	(256u << 10) /* of all live objects; a JVM itself keeps some more */
#define GROWTH_PART	100	     /* least growth: this part of what was live before */

#define GROWTH_ROW(F, S)                                                                           \
	F(S, PID)                                                                                  \
	F(S, U64, interval_ns, ALWAYS, "time between the two counts", .unit = SOOTH_UNIT_NS)       \
	F(S, U64, before_bytes, ALWAYS, "live objects at the start", .unit = SOOTH_UNIT_BYTES)     \
	F(S, U64, bytes, ALWAYS, "live objects at the end", .unit = SOOTH_UNIT_BYTES)              \
	F(S, BOOL, is_growing, ALWAYS, "they grew by 256 KiB and one percent at least")            \
	F(S, TEXT, largest, MAYBE(largest_state), "class whose objects grew most in bytes")        \
	F(S, TEXT, own, MAYBE(own_state), "class of the program that grew most in bytes")          \
	F(S, TEXT, text, ALWAYS, "the answer as a sentence", .is_hidden = true)

ROW_TABLE(growth, GROWTH_ROW, "object_growth", growth_row, .line = "{text}");

#define CLASS_ROW(F, S)                                                                            \
	F(S, PID)                                                                                  \
	F(S, I64, bytes_per_s, MAYBE(before_state), "growth in bytes per second",                  \
		.label = "GROWS/S", .unit = SOOTH_UNIT_BYTES)                                      \
	F(S, REAL, instances_per_s, WITH(before_state), "growth in objects per second",            \
		.label = "OBJECTS/S", .decimals = 1)                                               \
	F(S, U64, before_bytes, WITH(before_state), "memory of its objects at the start",          \
		.label = "BEFORE", .unit = SOOTH_UNIT_BYTES)                                       \
	F(S, U64, bytes, ALWAYS, "memory of its objects at the end", .unit = SOOTH_UNIT_BYTES)     \
	F(S, U64, instances_before, WITH(before_state), "objects at the start",                    \
		.label = "OBJECTS BEFORE")                                                         \
	F(S, U64, instances, ALWAYS, "objects at the end", .label = "OBJECTS")                     \
	F(S, BOOL, is_of_runtime, ALWAYS, "the class is of the runtime or its library")            \
	F(S, NAMED, TEXT, name, class, ALWAYS, "class of the objects")

ROW_TABLE(class, CLASS_ROW, "object_classes", class_growth_row);

static const struct section growth_section =
	SECTION_OF("object_growth", growth_schema, TABLE, .rows_most = 3);
static const struct section class_section =
	SECTION_OF("object_classes", class_schema, TABLE, .title = "live objects by class",
		.columns = "pid,bytes_per_s,instances_per_s,before_bytes,bytes,instances_before,"
			   "instances,class",
		.rows_most = ROWS_FOR_PEOPLE);

static const struct sooth_schema *const tables[] = { &growth_schema, &class_schema, NULL };

struct growth_state {
	struct process_view view; /* first: its `own` has the last snapshots */
	struct snapshots first;
};

/* A class in both snapshots. */
struct class_pair {
	struct span name;
	uint64_t instances_before, bytes_before, instances, bytes;
	bool is_of_runtime, has_before;
};

/* The two snapshots of a process. */
struct two_counts {
	const struct objects_process *before, *after;
	struct class_pair *pairs;
	size_t count;
	uint64_t interval_ns, bytes_before, bytes;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct growth_state *s = state;

	(void)options;
	(void)err;
	process_view_init(&s->view, output, OBJECTS_PROCESS);
	snapshots_init(&s->first, OBJECTS_PROCESS);
	return 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct growth_state *s = state;

	batch_for_each (r, batch) {
		struct process_id id = process_id_of(r);

		if (snapshots_are_of(&s->first, r) &&
			!snapshot_end(snapshots_get(&s->first, &id), 0))
			snapshots_add_record(&s->first, r);
	}
	return process_view_push(state, batch, err);
}

/* --- the two counts of a process --- */

static int64_t gain_of(const struct class_pair *p)
{
	return p->has_before ? (int64_t)(p->bytes - p->bytes_before) : 0;
}

static int compare_by_gain(const void *a, const void *b)
{
	const struct class_pair *x = a, *y = b;
	int64_t of_x = gain_of(x), of_y = gain_of(y);

	if (of_x != of_y)
		return of_x < of_y ? 1 : -1;
	return span_compare(x->name, y->name);
}

/* Adds the classes of a snapshot. Several class loaders may each have a class of one name. */
static void add_classes(
	struct two_counts *c, struct names *names, const struct snapshot *of, bool is_last)
{
	snapshot_each (struct objects_class, r, of, OBJECTS_CLASS) {
		uint32_t number = names_put(names, record_text(&r->record, &r->name), NULL);
		struct class_pair *p = number == NAMES_NONE ? NULL : &c->pairs[number];

		if (!p)
			continue;
		c->count = number >= c->count ? number + 1 : c->count;
		p->is_of_runtime = r->is_of_runtime;
		p->name = record_text(&r->record, &r->name);
		p->has_before |= !is_last;
		*(is_last ? &p->bytes : &p->bytes_before) += r->bytes;
		*(is_last ? &p->instances : &p->instances_before) += r->instances;
		*(is_last ? &c->bytes : &c->bytes_before) += r->bytes;
	}
}

/* Returns whether a process has two counts; says why it has not. */
static bool has_counts(struct growth_state *s, struct two_counts *c, uint32_t pid)
{
	char what[64], why[320] = "it was counted only once: the process ended";

	if (!c->before || !c->after)
		return false;
	c->interval_ns = c->after->record.time_ns - c->before->record.time_ns;
	if (c->after->reason_state == SOOTH_STATE_VALUE)
		snprintf(why, sizeof(why), "%.*s",
			SPAN_ARGS(record_text(&c->after->record, &c->after->reason)));
	else if (c->after->record.time_ns > c->before->record.time_ns)
		return true;
	/* Most of many processes have no runtime. */
	if (c->after->state == SOOTH_STATE_ABSENT && !snapshots_are_of_one(s->view.input))
		return false;
	snprintf(what, sizeof(what), "live objects by class of %u", pid);
	output_limit(s->view.output, what, why, "");
	return false;
}

/* Compares the counts of a process. Returns 0, 1 if there is nothing to show, or a negative errno.
 */
static int compare_counts(struct growth_state *s, const struct snapshot *last, struct two_counts *c,
	struct sooth_error *err)
{
	const struct snapshot *first = snapshots_get(&s->first, &last->id);
	_cleanup_(names_fini) struct names names = { 0 };

	*c = (struct two_counts){ .before = snapshot_end(first, sizeof(*c->before)),
		.after = snapshot_end(last, sizeof(*c->after)) };
	if (!has_counts(s, c, last->id.pid))
		return 1;
	c->pairs = calloc(2 * OBJECTS_CLASSES_MOST, sizeof(*c->pairs));
	if (!c->pairs)
		return error_no_memory(err);
	names_init(&names, 2 * OBJECTS_CLASSES_MOST, 2 * NAME_BYTES_MOST);
	add_classes(c, &names, first, false);
	add_classes(c, &names, last, true);
	/* A class that a whole list does not have had no object. */
	for (size_t i = 0; i < c->count; i++)
		c->pairs[i].has_before |= c->before->state == SOOTH_STATE_VALUE;
	qsort(c->pairs, c->count, sizeof(*c->pairs), compare_by_gain);
	return 0;
}

static void counts_fini(struct two_counts *c)
{
	free(c->pairs);
}

static double per_second(const struct two_counts *c, uint64_t before, uint64_t after)
{
	return ((double)after - (double)before) * (double)NS_PER_S / (double)c->interval_ns;
}

/* --- the answer --- */

static const struct class_pair *most_of(const struct two_counts *c, bool of_program)
{
	for (size_t i = 0; i < c->count && gain_of(&c->pairs[i]) > 0; i++) {
		if (!of_program || !c->pairs[i].is_of_runtime)
			return &c->pairs[i];
	}
	return NULL;
}

static void put_more(struct buffer *out, const struct two_counts *c, const struct class_pair *p)
{
	char count[UNITS_SIZE];

	if (p->instances > p->instances_before)
		buffer_format(out, ", %s more in %s",
			format_count(count, p->instances - p->instances_before),
			SENTENCE_DURATION(c->interval_ns));
}

static bool has_grown(const struct two_counts *c)
{
	return c->bytes > c->bytes_before && c->bytes - c->bytes_before >= GROWTH_LEAST &&
	       c->bytes - c->bytes_before >= c->bytes_before / GROWTH_PART;
}

static void put_text(struct buffer *out, const struct two_counts *c, bool with_pid)
{
	const struct class_pair *most = most_of(c, false), *own = most_of(c, true);

	if (with_pid)
		buffer_format(out, "process %u: ", c->after->record.pid);
	if (!has_grown(c) || !most) {
		buffer_format(out,
			"its live objects do not grow: %s, then %s, each after a full collection",
			SENTENCE_SIZE(c->bytes_before), SENTENCE_SIZE(c->bytes));
		return;
	}
	buffer_format(out, "%.*s grows %s/s", SPAN_ARGS(most->name),
		SENTENCE_SIZE((uint64_t)per_second(c, most->bytes_before, most->bytes)));
	if (!own)
		buffer_string(out, "; no class of the program grows");
	else if (own != most)
		buffer_format(out, "; the class of the program that grows most: %.*s",
			SPAN_ARGS(own->name));
	if (own)
		put_more(out, c, own);
}

static int emit_growth(void *state, const struct snapshot *last, struct sooth_error *err)
{
	struct growth_state *s = state;
	_cleanup_(counts_fini) struct two_counts c = { 0 };
	_cleanup_(buffer_fini) struct buffer text = { 0 };
	const struct class_pair *most, *own;
	int status = compare_counts(s, last, &c, err);
	struct growth_row row;

	if (status)
		return status < 0 ? status : 0;
	most = most_of(&c, false);
	own = most_of(&c, true);
	row = (struct growth_row){ .record = row_head_like(&c.after->record),
		.interval_ns = c.interval_ns,
		.before_bytes = c.bytes_before,
		.bytes = c.bytes,
		.is_growing = has_grown(&c),
		.largest_state = state_if(most),
		.own_state = state_if(own) };
	put_text(&text, &c, !snapshots_are_of_one(s->view.input));
	if (buffer_failed(&text))
		return error_no_memory(err);
	return OUTPUT_ROW(s->view.output, &row,
		((struct record_tail[]){
			tail_span(&row.largest, most ? most->name : span_of("", 0)),
			tail_span(&row.own, own ? own->name : span_of("", 0)),
			tail_buffer(&row.text, &text) }),
		3, err);
}

static int emit_classes(void *state, const struct snapshot *last, struct sooth_error *err)
{
	struct growth_state *s = state;
	_cleanup_(counts_fini) struct two_counts c = { 0 };
	int status = compare_counts(s, last, &c, err);

	for (size_t i = 0; i < c.count && !status; i++) {
		const struct class_pair *p = &c.pairs[i];
		struct class_growth_row row = { .record = row_head_like(&c.after->record),
			.bytes_per_s = (int64_t)per_second(&c, p->bytes_before, p->bytes),
			.instances_per_s = per_second(&c, p->instances_before, p->instances),
			.before_bytes = p->bytes_before,
			.bytes = p->bytes,
			.instances_before = p->instances_before,
			.instances = p->instances,
			.is_of_runtime = p->is_of_runtime,
			.before_state = state_if(p->has_before) };

		status = OUTPUT_ROW(s->view.output, &row,
			((struct record_tail[]){ tail_span(&row.name, p->name) }), 1, err);
	}
	return status < 0 ? status : 0;
}

static int finish(void *state, struct sooth_error *err)
{
	struct growth_state *s = state;
	int status = 0;

	if (s->view.own.processes.count)
		status = process_view_emit(&s->view, &growth_section, emit_growth, err);
	if (!status && s->view.own.processes.count)
		status = process_view_emit(&s->view, &class_section, emit_classes, err);
	return status;
}

static void fini(void *state)
{
	struct growth_state *s = state;

	snapshots_fini(&s->first);
	process_view_fini(state);
}

const struct stage_type stage_class_growth = {
	.name = "class-growth",
	.help = "live objects of a runtime by class, and which class grows",
	.probe = "objects",
	.tables = tables,
	STAGE_FUNCTIONS(struct growth_state),
};
