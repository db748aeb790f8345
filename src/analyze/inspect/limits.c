/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits of processes and their use: resource limits, control groups, pressure, and the OOM score.
 */
#include "analyze/inspect/limits.h"

#include <assert.h>
#include <errno.h>
#include <sooth/field.h>
#include <stdlib.h>

#include "analyze/process_view.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "probes/limits.h"

/* --- the use of limits --- */

/* Returns the record if it has all members that this build knows, else NULL. */
static const struct limits_resource *limit_sums_resource(const struct sooth_record *r)
{
	const struct limits_resource *l = record_as(r, LIMITS_RESOURCE, sizeof(*l));

	return l && record_has_text(r, &l->name) ? l : NULL;
}

const struct limits_group *limit_sums_group(const struct sooth_record *r)
{
	const struct limits_group *g = record_as(r, LIMITS_GROUP, LIMITS_GROUP_LEAST);

	return g && record_has_text(r, &g->name) && record_has_text(r, &g->path) ? g : NULL;
}

const struct limits_pressure *limit_sums_pressure(const struct sooth_record *r)
{
	const struct limits_pressure *p = record_as(r, LIMITS_PRESSURE, sizeof(*p));

	return p && record_has_text(r, &p->resource) && record_has_text(r, &p->path) ? p : NULL;
}

static bool compute_percent(uint64_t used, uint64_t limit, double *percent)
{
	/* Any use exceeds a limit of 0, which NOFILE may have. */
	*percent = limit ? 100.0 * (double)used / (double)limit : used ? 100.0 : 0.0;
	return true;
}

/* Computes the use as a share of the limit; false if one of them is unknown or not set. */
static bool limit_sums_resource_percent(const struct limits_resource *r, double *percent)
{
	return r->used_state == SOOTH_STATE_VALUE && r->soft_state == SOOTH_STATE_VALUE &&
	       compute_percent(r->used, r->soft, percent);
}

static bool limit_sums_group_percent(const struct limits_group *g, double *percent)
{
	return g->used_state == SOOTH_STATE_VALUE && g->limit_state == SOOTH_STATE_VALUE &&
	       compute_percent(g->used, g->limit, percent);
}

bool limit_sums_group_files(const struct limits_group *g, uint64_t *bytes)
{
	assert(g);
	if (!record_holds(&g->record, sizeof(*g)) || g->file_state != SOOTH_STATE_VALUE)
		return false;
	*bytes = g->file_bytes;
	return true;
}

bool limit_sums_group_is(const struct limits_group *g, const char *name)
{
	assert(g);
	return span_equal(record_text(&g->record, &g->name), name);
}

const struct limits_group *limit_sums_same_group(
	const struct snapshot *s, const struct limits_group *group)
{
	assert(group);

	struct batch all = snapshot_records(s);
	struct span name = record_text(&group->record, &group->name);
	struct span path = record_text(&group->record, &group->path);

	batch_for_each (r, &all) {
		const struct limits_group *g = limit_sums_group(r);

		if (g && g->version == group->version &&
			!span_compare(record_text(r, &g->name), name) &&
			!span_compare(record_text(r, &g->path), path))
			return g;
	}
	return NULL;
}

static int nearest_first(const void *a, const void *b)
{
	const struct limit_sum *x = a, *y = b;

	return (x->percent < y->percent) - (x->percent > y->percent);
}

int limit_sums_near(const struct snapshot *process, double percent_least, struct buffer *out)
{
	struct batch batch = snapshot_records(process);

	batch_for_each (r, &batch) {
		struct limit_sum one = { .resource = limit_sums_resource(r),
			.group = limit_sums_group(r) };
		bool is_known =
			(one.resource && limit_sums_resource_percent(one.resource, &one.percent)) ||
			(one.group && limit_sums_group_percent(one.group, &one.percent));

		if (is_known && one.percent >= percent_least)
			buffer_append(out, &one, sizeof(one));
	}
	if (buffer_failed(out))
		return -ENOMEM;
	if (out->size)
		qsort(out->data, out->size / sizeof(struct limit_sum), sizeof(struct limit_sum),
			nearest_first);
	return 0;
}

static bool is_memory(const struct limits_group *g)
{
	return limit_sums_group_is(g, "memory");
}

static uint64_t room_in(const struct limits_group *g)
{
	uint64_t used = g->used_state == SOOTH_STATE_VALUE ? g->used : 0;

	return g->limit > used ? g->limit - used : 0;
}

const struct limits_resource *limit_sums_named(const struct snapshot *process, const char *name)
{
	snapshot_each (struct limits_resource, l, process, LIMITS_RESOURCE) {
		if (record_has_text(&l->record, &l->name) &&
			span_equal(record_text(&l->record, &l->name), name))
			return l;
	}
	return NULL;
}

const struct limits_group *limit_sums_tightest_memory(const struct snapshot *process)
{
	struct batch batch = snapshot_records(process);
	const struct limits_group *best = NULL;

	batch_for_each (r, &batch) {
		const struct limits_group *g = limit_sums_group(r);

		if (g && is_memory(g) && g->limit_state == SOOTH_STATE_VALUE &&
			(!best || room_in(g) < room_in(best)))
			best = g;
	}
	return best;
}

/*
 * --- fields ---
 *
 * One column has values of different units: text output shows the texts, programs read the numbers
 * beside them.
 */

#define LIMITS_ROW(F, S)                                                                           \
	F(S, PID)                                                                                  \
	F(S, TEXT, name, ALWAYS, "name of the limit in getrlimit(2)", .is_key = true)              \
	F(S, TEXT, used_text, MAYBE(used_state), "amount of the limited resource in use, as text", \
		.label = "USED")                                                                   \
	F(S, TEXT, soft_limit_text, ALWAYS, "soft limit of the resource, as text",                 \
		.label = "SOFT")                                                                   \
	F(S, TEXT, hard_limit_text, ALWAYS, "hard limit of the resource, as text",                 \
		.label = "HARD")                                                                   \
	F(S, REAL, percent, MAYBE(percent_state), "use in percent of the soft limit",              \
		.label = "USED%", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)                       \
	F(S, ENUM32, unit, ALWAYS, "unit of the used amount and of the limits",                    \
		.names = &limits_unit_names)                                                       \
	F(S, U64, used, WITH(used_state),                                                          \
		"amount of the limited resource in use; null: the kernel does not count it",       \
		.is_hidden = true)                                                                 \
	F(S, NAMED, U64, soft, soft_limit, MAYBE(soft_state),                                      \
		"soft limit of the resource; null: unlimited", .is_hidden = true)                  \
	F(S, NAMED, U64, hard, hard_limit, MAYBE(hard_state),                                      \
		"hard limit of the resource; null: unlimited", .is_hidden = true)

ROW_TABLE(limits_row, LIMITS_ROW, "resource_limits", limits_row);

#define LIMITS_GROUP_ROW(F, S)                                                                     \
	F(S, PID)                                                                                  \
	F(S, TEXT, name, ALWAYS, "resource that the control group limits", .is_key = true)         \
	F(S, TEXT, used_text, MAYBE(used_state),                                                   \
		"amount of the resource used by the whole control group", .label = "USED")         \
	F(S, TEXT, limit_text, MAYBE(limit_state), "limit of the control group, as text",          \
		.label = "LIMIT")                                                                  \
	F(S, REAL, percent, MAYBE(percent_state),                                                  \
		"use of the control group in percent of its limit", .label = "USED%",              \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, TEXT, peak_text, MAYBE(peak_state), "highest use of the control group so far",        \
		.label = "PEAK")                                                                   \
	F(S, U64, reached, MAYBE(reached_state),                                                   \
		"times the control group reached its limit; cpu: throttled periods")               \
	F(S, U64, kills, MAYBE(kills_state),                                                       \
		"processes killed because the control group reached its limit")                    \
	F(S, NAMED, TEXT, path, control_group, ALWAYS, "path of the control group",                \
		.label = "GROUP", .is_key = true, .may_shrink = true)                              \
	F(S, BOOL, is_inherited, ALWAYS,                                                           \
		"the limit comes from a parent of the process's control group", .is_hidden = true) \
	F(S, NAMED, U32, version, control_group_version, ALWAYS,                                   \
		"version of control groups: 1 or 2", .is_hidden = true)                            \
	F(S, ENUM32, unit, ALWAYS, "unit of use and limit; cpu: microseconds per second",          \
		.names = &limits_unit_names, .is_hidden = true)                                    \
	F(S, U64, used, WITH(used_state),                                                          \
		"amount of the resource used by the whole control group", .is_hidden = true)       \
	F(S, U64, limit, WITH(limit_state), "limit of the control group; null: none",              \
		.is_hidden = true)                                                                 \
	F(S, U64, peak, WITH(peak_state), "highest use of the control group so far",               \
		.is_hidden = true)

ROW_TABLE(limits_group_row, LIMITS_GROUP_ROW, "control_groups", limits_group_row);

#define LIMITS_PRESSURE_ROW(F, S)                                                                  \
	F(S, PID)                                                                                  \
	F(S, TEXT, resource, ALWAYS, "resource that tasks waited for: cpu, memory, io",            \
		.is_key = true)                                                                    \
	F(S, NAMED, REAL, some_10s, some_10s_percent, ALWAYS,                                      \
		"share of the last 10 s in which some task waited for the resource",               \
		.label = "SOME 10S", .unit = SOOTH_UNIT_PERCENT, .decimals = 2)                    \
	F(S, NAMED, REAL, some_60s, some_60s_percent, ALWAYS,                                      \
		"share of the last minute in which some task waited for the resource",             \
		.label = "60S", .unit = SOOTH_UNIT_PERCENT, .decimals = 2)                         \
	F(S, NAMED, REAL, some_300s, some_300s_percent, ALWAYS,                                    \
		"share of the last 5 minutes in which some task waited for the resource",          \
		.label = "300S", .unit = SOOTH_UNIT_PERCENT, .decimals = 2)                        \
	F(S, NAMED, REAL, full_10s, full_10s_percent, MAYBE(full_state),                           \
		"share of the last 10 s in which all tasks waited for the resource",               \
		.label = "FULL 10S", .unit = SOOTH_UNIT_PERCENT, .decimals = 2)                    \
	F(S, NAMED, REAL, full_60s, full_60s_percent, WITH(full_state),                            \
		"share of the last minute in which all tasks waited for the resource",             \
		.label = "60S", .unit = SOOTH_UNIT_PERCENT, .decimals = 2)                         \
	F(S, NAMED, REAL, full_300s, full_300s_percent, WITH(full_state),                          \
		"share of the last 5 minutes in which all tasks waited for the resource",          \
		.label = "300S", .unit = SOOTH_UNIT_PERCENT, .decimals = 2)                        \
	F(S, NAMED, TEXT, path, control_group, MAYBE(path_state),                                  \
		"path of the control group; null: pressure of the whole host", .is_key = true,     \
		.label = "GROUP", .may_shrink = true)                                              \
	F(S, BOOL, is_host, ALWAYS,                                                                \
		"the values are for the whole host, not for one control group", .is_hidden = true)

ROW_TABLE(limits_pressure_row, LIMITS_PRESSURE_ROW, "pressure", limits_pressure_row);

#define LIMITS_OOM_ROW(F, S)                                                                       \
	F(S, PID)                                                                                  \
	F(S, I64, oom_score, MAYBE(oom_state),                                                     \
		"OOM score; a process with a higher score is killed earlier when memory runs out") \
	F(S, I64, oom_score_adjustment, WITH(oom_state),                                           \
		"adjustment of the OOM score; -1000: the OOM killer never chooses the process")    \
	F(S, U64, memory_available_bytes, MAYBE(memory_state),                                     \
		"memory of the host that is available without swapping",                           \
		.label = "MEMORY AVAILABLE", .unit = SOOTH_UNIT_BYTES)                             \
	F(S, U64, memory_bytes, WITH(memory_state), "total memory of the host", .label = "OF",     \
		.unit = SOOTH_UNIT_BYTES)

ROW_TABLE(limits_oom_row, LIMITS_OOM_ROW, "oom", limits_oom_row);

/* --- the view --- */

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	(void)options;
	(void)err;
	process_view_init(state, output, LIMITS_PROCESS);
	return 0;
}

/* --- rows --- */

static const char *value_text(char out[UNITS_SIZE], uint64_t value, uint32_t unit)
{
	switch (unit) {
	case LIMITS_BYTES:
		return format_bytes(out, value);
	case LIMITS_SECONDS:
		return !value			       ? "0s"
		       : value > UINT64_MAX / NS_PER_S ? format_count(out, value)
						       : format_ns(out, value * NS_PER_S);
	case LIMITS_MICROSECONDS:
		return !value				? "0us"
		       : value > UINT64_MAX / NS_PER_US ? format_count(out, value)
							: format_ns(out, value * NS_PER_US);
	default:
		return format_count(out, value);
	}
}

static const char *limit_text(char out[UNITS_SIZE], uint64_t value, uint8_t state, uint32_t unit)
{
	if (state == SOOTH_STATE_ABSENT)
		return "unlimited";
	return state == SOOTH_STATE_VALUE ? value_text(out, value, unit) : "?";
}

static uint8_t percent_state(bool is_known, uint8_t used_state, uint8_t limit_state)
{
	return is_known					? SOOTH_STATE_VALUE
	       : limit_state == SOOTH_STATE_ABSENT	? SOOTH_STATE_ABSENT
	       : (used_state & 15) != SOOTH_STATE_VALUE ? used_state
							: limit_state;
}

static int emit_resource(
	struct process_view *v, const struct limits_resource *r, struct sooth_error *err)
{
	char used[UNITS_SIZE], soft[UNITS_SIZE], hard[UNITS_SIZE];
	struct limits_row row = { .record = row_head_like(&r->record),
		.used = r->used,
		.soft = r->soft,
		.hard = r->hard,
		.unit = r->unit,
		.used_state = r->used_state,
		.soft_state = r->soft_state,
		.hard_state = r->hard_state };
	struct record_tail tail[4];
	bool is_known = limit_sums_resource_percent(r, &row.percent);

	row.percent_state = percent_state(is_known, r->used_state, r->soft_state);
	tail[0] = tail_text(&row.name, &r->record, &r->name);
	tail[1] = tail_string(&row.used_text, value_text(used, r->used, r->unit));
	tail[2] = tail_string(
		&row.soft_limit_text, limit_text(soft, r->soft, r->soft_state, r->unit));
	tail[3] = tail_string(
		&row.hard_limit_text, limit_text(hard, r->hard, r->hard_state, r->unit));
	return OUTPUT_ROW(v->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_group(struct process_view *v, const struct limits_group *g, struct sooth_error *err)
{
	char used[UNITS_SIZE], limit[UNITS_SIZE], peak[UNITS_SIZE];
	struct limits_group_row row = { .record = row_head_like(&g->record),
		.used = g->used,
		.limit = g->limit,
		.peak = g->peak,
		.reached = g->reached,
		.kills = g->kills,
		.unit = g->unit,
		.version = g->version,
		.used_state = g->used_state,
		.limit_state = g->limit_state,
		.peak_state = g->peak_state,
		.reached_state = g->reached_state,
		.kills_state = g->kills_state,
		.is_inherited = g->is_inherited };
	struct record_tail tail[5];
	bool is_known = limit_sums_group_percent(g, &row.percent);

	row.percent_state = percent_state(is_known, g->used_state, g->limit_state);
	tail[0] = tail_text(&row.name, &g->record, &g->name);
	tail[1] = tail_text(&row.path, &g->record, &g->path);
	tail[2] = tail_string(&row.used_text, value_text(used, g->used, g->unit));
	tail[3] = tail_string(&row.limit_text, value_text(limit, g->limit, g->unit));
	tail[4] = tail_string(&row.peak_text, value_text(peak, g->peak, g->unit));
	return OUTPUT_ROW(v->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_pressure(
	struct process_view *v, const struct limits_pressure *p, struct sooth_error *err)
{
	struct limits_pressure_row row = { .record = row_head_like(&p->record),
		.some_10s = p->some_10s,
		.some_60s = p->some_60s,
		.some_300s = p->some_300s,
		.full_10s = p->full_10s,
		.full_60s = p->full_60s,
		.full_300s = p->full_300s,
		.full_state = p->full_state,
		.is_host = p->is_host,
		.path_state = p->is_host ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE };
	struct record_tail tail[] = { tail_text(&row.resource, &p->record, &p->resource),
		tail_text(&row.path, &p->record, &p->path) };

	return OUTPUT_ROW(v->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_oom(void *state, const struct snapshot *process, struct sooth_error *err)
{
	struct process_view *v = state;
	const struct limits_process *end = snapshot_end(process, sizeof(*end));
	struct limits_oom_row row = { .record = row_head(&process->id) };

	row.oom_state = row.memory_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	if (end) {
		row.oom_score = end->oom_score;
		row.oom_score_adjustment = end->oom_score_adjustment;
		row.oom_state = end->oom_state;
		row.memory_available_bytes = end->memory_available_bytes;
		row.memory_bytes = end->memory_bytes;
		row.memory_state = end->memory_state;
	}
	return OUTPUT_ROW(v->output, &row, NULL, 0, err);
}

/* --- sections --- */

static int emit_resources(void *state, const struct snapshot *process, struct sooth_error *err)
{
	struct batch records = snapshot_records(process);
	int status = 0;

	batch_for_each (r, &records) {
		const struct limits_resource *resource = limit_sums_resource(r);

		if (resource && !status)
			status = emit_resource(state, resource, err);
	}
	return status;
}

static const struct section resources_section =
	SECTION_OF("resource_limits", limits_row_schema, TABLE, .title = "limits",
		.columns = "pid,name,used_text,soft_limit_text,hard_limit_text,percent,unit");

static int emit_groups(void *state, const struct snapshot *process, struct sooth_error *err)
{
	struct batch records = snapshot_records(process);
	int status = 0;

	batch_for_each (r, &records) {
		const struct limits_group *group = limit_sums_group(r);

		if (group && !status)
			status = emit_group(state, group, err);
	}
	return status;
}

static const struct section groups_section = SECTION_OF("control_groups", limits_group_row_schema,
	TABLE, .title = "control groups",
	.columns = "pid,name,used_text,limit_text,percent,peak_text,reached,kills,control_group");

static int emit_pressures(void *state, const struct snapshot *process, struct sooth_error *err)
{
	struct batch records = snapshot_records(process);
	int status = 0;

	batch_for_each (r, &records) {
		const struct limits_pressure *pressure = limit_sums_pressure(r);

		if (pressure && !status)
			status = emit_pressure(state, pressure, err);
	}
	return status;
}

static const struct section pressure_section = SECTION_OF("pressure", limits_pressure_row_schema,
	TABLE, .title = "pressure: percent of time spent waiting",
	.columns = "pid,resource,some_10s_percent,some_60s_percent,some_300s_percent,"
		   "full_10s_percent,full_60s_percent,full_300s_percent,control_group");

static const struct section oom_section = SECTION_OF("oom", limits_oom_row_schema, TABLE,
	.title = "out of memory",
	.columns = "pid,oom_score,oom_score_adjustment,memory_available_bytes,memory_bytes");

static void emit_state_note(struct process_view *v, const char *what, uint8_t state)
{
	if (state == SOOTH_STATE_TRUNCATED)
		output_limit(v->output, what,
			"the list is longer than sooth can read; the rest is left out", "");
	else if (state_is_unmeasured(state))
		output_limit(
			v->output, what, sooth_reason_text((enum sooth_reason)(state >> 4)), "");
}

/* Adds notes that explain an empty or incomplete table. */
static void emit_state_notes(struct process_view *v)
{
	snapshots_for_each (v->input, process) {
		const struct limits_process *end = snapshot_end(process, sizeof(*end));

		if (!end)
			continue;
		emit_state_note(v, "resource limits", end->resources_state);
		emit_state_note(v, "some control groups", end->groups_state);
		emit_state_note(v, "pressure", end->pressure_state);
	}
	if (v->input->refused)
		output_limit(v->output, "some limits",
			"the processes have more limits than sooth can keep; the rest is left out",
			"");
}

static int finish(void *state, struct sooth_error *err)
{
	static const struct {
		const struct section *section;
		process_emitter emit;
	} parts[] = {
		{ &resources_section, emit_resources },
		{ &groups_section, emit_groups },
		{ &pressure_section, emit_pressures },
		{ &oom_section, emit_oom },
	};
	int status = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts) && !status; i++)
		status = process_view_emit(state, parts[i].section, parts[i].emit, err);
	emit_state_notes(state);
	return status;
}

const struct stage_type stage_limits = {
	.name = "limits",
	.help = "resource limits and their use, control groups, pressure, OOM score",
	.probe = "limits",
	.shows = "limits",
	.state_size = sizeof(struct process_view),
	.init = init,
	.push = process_view_push,
	.finish = finish,
	.fini = process_view_fini,
};

static void bound_room(uint64_t *room, uint64_t bytes)
{
	if (bytes < *room)
		*room = bytes;
}

uint64_t limit_sums_memory_left(const struct snapshot *process, const struct host_memory *memory)
{
	const struct limits_group *g = process ? limit_sums_tightest_memory(process) : NULL;
	uint64_t room = UINT64_MAX, files = 0;

	if (g && !g->used_state) {
		limit_sums_group_files(g, &files);
		bound_room(&room, (g->limit > g->used ? g->limit - g->used : 0) + files);
	}
	if (memory->record.time_ns && !memory->available_state)
		bound_room(&room, memory->available_bytes);
	return room;
}
