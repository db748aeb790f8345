/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/process_view.h"

#include <assert.h>
#include <string.h>

#define PID_COLUMN "pid,"

void process_view_init(struct process_view *v, struct output *output, uint16_t end_kind)
{
	assert(v);
	v->output = output;
	v->input = &v->own;
	snapshots_init(&v->own, end_kind);
}

int process_view_push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct process_view *v = state;

	(void)err;
	batch_for_each (r, batch)
		snapshots_add_record(&v->own, r);
	return 0;
}

void process_view_fini(void *state)
{
	struct process_view *v = state;

	snapshots_fini(&v->own);
}

int process_view_section(
	struct process_view *v, const struct section *section, struct sooth_error *err)
{
	assert(v);
	assert(section);
	/* The output borrows the previous section until it is closed. */
	int status = output_close_section(v->output, err);
	const char *columns = section->columns;

	if (status)
		return status;
	v->section = *section;
	if (columns && !strncmp(columns, PID_COLUMN, strlen(PID_COLUMN)) &&
		snapshots_are_of_one(v->input))
		v->section.columns += strlen(PID_COLUMN);
	return output_section(v->output, &v->section, err);
}

int process_view_emit(struct process_view *v, const struct section *section, process_emitter emit,
	struct sooth_error *err)
{
	assert(v);

	int status = process_view_section(v, section, err);
	const struct snapshot *snapshot;
	size_t position = 0;

	while (!status && (snapshot = snapshots_next(v->input, &position)))
		status = emit(v, snapshot, err);
	if (!status && v->input->refused && !v->is_cut)
		output_limit(v->output, "some processes, or parts of them",
			"sooth's table is full: the entries after that are left out",
			"select fewer processes with -p");
	v->is_cut |= v->input->refused > 0;
	return status;
}
