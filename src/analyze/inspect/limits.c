/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits of processes and their use: resource limits, control groups, pressure, and the OOM score.
 */
#include "analyze/inspect/limit_sums.h"
#include "analyze/inspect/limits_rows.h"
#include "analyze/process_view.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "explain/stage.h"

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
	return state == SOOTH_STATE_ABSENT ? "unlimited" : value_text(out, value, unit);
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

static const struct section resources_section = {
	.name = "resource_limits",
	.title = "limits",
	.schema = &limits_row_schema,
	.shape = SECTION_TABLE,
	.columns = "pid,name,used_text,soft_limit_text,hard_limit_text,percent,unit",
};

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

static const struct section groups_section = {
	.name = "control_groups",
	.title = "control groups",
	.schema = &limits_group_row_schema,
	.shape = SECTION_TABLE,
	.columns = "pid,name,used_text,limit_text,percent,peak_text,reached,kills,control_group",
};

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

static const struct section pressure_section = {
	.name = "pressure",
	.title = "pressure: percent of time spent waiting",
	.schema = &limits_pressure_row_schema,
	.shape = SECTION_TABLE,
	.columns = "pid,resource,some_10s_percent,some_60s_percent,some_300s_percent,"
		   "full_10s_percent,full_60s_percent,full_300s_percent,control_group",
};

static const struct section oom_section = {
	.name = "oom",
	.title = "out of memory",
	.schema = &limits_oom_row_schema,
	.shape = SECTION_TABLE,
	.columns = "pid,oom_score,oom_score_adjustment,memory_available_bytes,memory_bytes",
};

static void note(struct process_view *v, const char *what, uint8_t state)
{
	if (state == SOOTH_STATE_TRUNCATED)
		output_limit(v->output, what,
			"the list is longer than sooth can read; the rest is left out", "");
	else if (state_is_unmeasured(state))
		output_limit(
			v->output, what, sooth_reason_text((enum sooth_reason)(state >> 4)), "");
}

/* Explains an empty or incomplete table. */
static void note_states(struct process_view *v)
{
	const struct snapshot *process;
	size_t position = 0;

	while ((process = snapshots_next(v->input, &position))) {
		const struct limits_process *end = snapshot_end(process, sizeof(*end));

		if (!end)
			continue;
		note(v, "resource limits", end->resources_state);
		note(v, "some control groups", end->groups_state);
		note(v, "pressure", end->pressure_state);
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
	note_states(state);
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
