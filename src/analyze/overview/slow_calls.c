/* SPDX-License-Identifier: BSD-2-Clause */
/* The slowest calls for files and for sockets, of each process. */
#include "analyze/diagnosis/diagnosis_input.h"
#include "analyze/overview/call_operations.h"
#include "base/cleanup.h"
#include "explain/stage.h"

#define SHOWN_MOST 20 /* in text output */

struct slow_calls_view {
	struct output *output;
	struct diagnosis_input input;
	struct call_operations operations;
	bool is_of[CALL_OPERATION_KINDS];
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	const bool *kinds = options;
	struct slow_calls_view *v = state;

	(void)err;
	v->output = output;
	for (size_t i = 0; i < CALL_OPERATION_KINDS; i++)
		v->is_of[i] = !kinds || kinds[i];
	diagnosis_input_init(&v->input);
	call_operations_init(&v->operations);
	return 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct slow_calls_view *v = state;

	diagnosis_input_take(&v->input, batch);
	return call_operations_take(&v->operations, batch, err);
}

static int emit_kind(
	struct slow_calls_view *v, enum call_operation_kind kind, struct sooth_error *err)
{
	static const struct section sections[CALL_OPERATION_KINDS] = {
		[CALL_OPERATION_IO] = { .name = "io_operations",
			.title = "slowest calls for files",
			.schema = &io_operation_schema,
			.shape = SECTION_TABLE,
			.rows_most = SHOWN_MOST,
			.if_empty = "no calls for files were made" },
		[CALL_OPERATION_NETWORK] = { .name = "network_operations",
			.title = "slowest calls for sockets",
			.schema = &network_operation_schema,
			.shape = SECTION_TABLE,
			.rows_most = SHOWN_MOST,
			.if_empty = "no calls for sockets were made" },
	};
	size_t position = 0;
	const void *key;
	int status = output_section(v->output, &sections[kind], err);

	while (!status && map_next(&v->input.points, &position, &key, NULL)) {
		_cleanup_(buffer_fini) struct buffer rows = { 0 };
		struct batch all;

		call_operations_note(
			v->output, call_operations_list(&v->operations, key, kind, &rows));
		all = (struct batch){ rows.data, rows.size };
		batch_for_each (r, &all) {
			if (!status)
				status = output_record(v->output, r, err);
		}
	}
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct slow_calls_view *v = state;
	int status = call_operations_end(&v->operations, err);

	for (size_t i = 0; i < CALL_OPERATION_KINDS && !status; i++) {
		if (v->is_of[i])
			status = emit_kind(v, (enum call_operation_kind)i, err);
	}
	return status;
}

static void fini(void *state)
{
	struct slow_calls_view *v = state;

	diagnosis_input_fini(&v->input);
	call_operations_fini(&v->operations);
}

const struct stage_type stage_slow_calls = {
	.name = "slow-calls",
	.help = "slowest system calls on files and sockets",
	.shows = "syscalls",
	STAGE_FUNCTIONS(struct slow_calls_view),
};
