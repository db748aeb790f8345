/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of the environment variables of processes at their start, and sizes of their values. */
#include "analyze/process_view.h"
#include "core/stage.h"
#include "model/schema.h"
#include "probes/environment.h"

struct environment_row {
	struct sooth_record record;
	uint64_t size_bytes;
	uint32_t position; /* a name may occur twice, or be unknown */
	uint8_t name_state;
	uint8_t unused[3];
	struct sooth_text name;
};

static const struct sooth_field row_fields[] = {
	FIELD_PID(environment_row),
	FIELD_STRING(environment_row, name,
		"name of the environment variable; left out if it may be part of a value",
		.is_key = true, .may_shrink = true, FIELD_STATE_AT(environment_row, name_state)),
	FIELD_NUMBER(environment_row, size_bytes,
		"size of the variable's value; of the whole entry if the name is masked",
		.label = "SIZE", .unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(environment_row, position,
		"position of the variable in the environment, from 1", .is_hidden = true),
};

static const struct sooth_schema row_schema = {
	.name = "environment",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct environment_row),
	SCHEMA_FIELDS(row_fields),
};

struct environment_sums_row {
	struct sooth_record record;
	uint64_t value_bytes;
	uint32_t variables;
	uint8_t variables_state;
	uint8_t unused[3];
};

static const struct sooth_field sums_fields[] = {
	FIELD_PID(environment_sums_row),
	FIELD_NUMBER(environment_sums_row, variables, "number of environment variables listed",
		FIELD_STATE_AT(environment_sums_row, variables_state)),
	FIELD_NUMBER(environment_sums_row, value_bytes,
		"total size of the values of all environment variables", .label = "SIZE",
		.unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(environment_sums_row, variables_state)),
};

static const struct sooth_schema sums_schema = {
	.name = "environment_totals",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct environment_sums_row),
	SCHEMA_FIELDS(sums_fields),
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	(void)options;
	(void)err;
	process_view_init(state, output, ENVIRONMENT_PROCESS);
	return 0;
}

static const struct environment_variable *variable_of(const struct sooth_record *r)
{
	const struct environment_variable *v = record_as(r, ENVIRONMENT_VARIABLE, sizeof(*v));

	return v && record_has_text(r, &v->name) ? v : NULL;
}

static int emit_variables(void *state, const struct snapshot *process, struct sooth_error *err)
{
	struct batch batch = snapshot_records(process);
	struct process_view *view = state;
	uint32_t position = 0;
	int status = 0;

	batch_for_each (r, &batch) {
		const struct environment_variable *v = variable_of(r);
		struct environment_row row = { .record = row_head_like(r) };
		struct record_tail tail[1];

		if (!v || status)
			continue;
		row.size_bytes = v->size_bytes;
		row.name_state = v->name_state;
		row.position = ++position;
		tail[0] = tail_text(&row.name, r, &v->name);
		status = OUTPUT_ROW(view->output, &row, tail, 1, err);
	}
	return status;
}

static const struct section variables_section = {
	.name = "environment",
	.title = "environment: names, never values",
	.schema = &row_schema,
	.shape = SECTION_TABLE,
	.columns = "pid,name,size_bytes",
	.if_empty = "no environment variables",
};

static int emit_sums(void *state, const struct snapshot *process, struct sooth_error *err)
{
	const struct environment_process *end = snapshot_end(process, sizeof(*end));
	struct environment_sums_row row = { .record = row_head(&process->id) };
	struct batch batch = snapshot_records(process);
	struct process_view *view = state;

	row.variables = end ? end->variables : 0;
	row.variables_state = end ? end->variables_state : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	batch_for_each (r, &batch) {
		const struct environment_variable *v = variable_of(r);

		row.value_bytes += v && v->name_state == SOOTH_STATE_VALUE ? v->size_bytes : 0;
	}
	return OUTPUT_ROW(view->output, &row, NULL, 0, err);
}

static const struct section sums_section = {
	.name = "environment_totals",
	.schema = &sums_schema,
	.shape = SECTION_TABLE,
	.columns = "pid,variables,value_bytes",
};

static int finish(void *state, struct sooth_error *err)
{
	struct process_view *view = state;
	int status = process_view_emit(view, &variables_section, emit_variables, err);

	if (!status)
		status = process_view_emit(view, &sums_section, emit_sums, err);
	if (view->input->refused)
		output_limit(view->output, "some variables",
			"the processes have more variables than sooth can keep; the rest is left "
			"out",
			"");
	return status;
}

const struct stage_type stage_environment = {
	.name = "environment",
	.help = "environment variables: names and sizes of values",
	.probe = "environment",
	.shows = "environment",
	.state_size = sizeof(struct process_view),
	.init = init,
	.push = process_view_push,
	.finish = finish,
	.fini = process_view_fini,
};
