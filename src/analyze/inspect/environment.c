/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of environment variables at the start of a process, and sizes of their values. */
#include "analyze/process_view.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "probes/environment.h"

#define ENVIRONMENT_ROW(F, S)                                                                      \
	F(S, PID)                                                                                  \
	F(S, TEXT, name, MAYBE(name_state),                                                        \
		"name of the environment variable; left out if it may be part of a value",         \
		.is_key = true, .may_shrink = true)                                                \
	F(S, U64, size_bytes, ALWAYS,                                                              \
		"size of the variable's value; of the whole entry if the name is masked",          \
		.label = "SIZE", .unit = SOOTH_UNIT_BYTES)                                         \
	F(S, U32, position, ALWAYS, "position of the variable in the environment, from 1",         \
		.is_hidden = true)

ROW_TABLE(row, ENVIRONMENT_ROW, "environment", environment_row);

#define ENVIRONMENT_SUMS_ROW(F, S)                                                                 \
	F(S, PID)                                                                                  \
	F(S, U32, variables, MAYBE(variables_state), "number of environment variables listed")     \
	F(S, U64, value_bytes, WITH(variables_state),                                              \
		"total size of the values of all environment variables", .label = "SIZE",          \
		.unit = SOOTH_UNIT_BYTES)

ROW_TABLE(sums, ENVIRONMENT_SUMS_ROW, "environment_totals", environment_sums_row);

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

static const struct section variables_section =
	SECTION_OF("environment", row_schema, TABLE, .title = "environment: names, never values",
		.columns = "pid,name,size_bytes", .if_empty = "no environment variables");

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

static const struct section sums_section = SECTION_OF(
	"environment_totals", sums_schema, TABLE, .columns = "pid,variables,value_bytes");

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
