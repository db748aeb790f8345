/* SPDX-License-Identifier: BSD-2-Clause */
/* One diagnosis: of the selected processes and the host, with a summary. */
#include "analyze/diagnosis/diagnosis_options.h"

#include <errno.h>

#include "analyze/answer/answer.h"
#include "analyze/answer/findings_emit.h"
#include "analyze/diagnosis/diagnosis.h"
#include "explain/output.h"
#include "explain/stage.h"

struct findings_state {
	struct output *output;
	struct diagnosis diagnosis;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct findings_state *s = state;

	s->output = output;
	return diagnosis_init(&s->diagnosis, options, err);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct findings_state *s = state;

	(void)err;
	diagnosis_input_add_batch(&s->diagnosis.input, batch);
	return 0;
}

static int emit_all(struct findings_state *s, struct sooth_error *err)
{
	const struct diagnosis *j = &s->diagnosis;
	struct causes causes;
	int status;

	if (causes_find(&causes, j, s->output))
		return error_no_memory(err);
	status = answer_emit(s->output, j, &causes, err);
	if (!status)
		status = findings_emit_processes(s->output, j, err);
	if (!status)
		status = findings_emit_host(s->output, j, err);
	if (!status)
		status = causes_emit(s->output, j, &causes, err);
	if (!status)
		status = findings_emit_summary(s->output, j, &causes, err);
	causes_fini(&causes);
	return status;
}

static int nothing_read(struct sooth_error *err)
{
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "diagnose the selected processes");
	error_why(err, "none of them could be read: they ended, or memory or open files ran out");
	return error_remedy(err, "`sooth ps PID` shows whether it still runs");
}

static int finish(void *state, struct sooth_error *err)
{
	struct findings_state *s = state;
	struct findings_so_far *so_far = s->diagnosis.options.so_far;
	int status = diagnosis_run(&s->diagnosis, err);

	/* The host is always there. */
	if (!status && s->diagnosis.options.needs_process && s->diagnosis.count == 1)
		return nothing_read(err);
	if (!status && so_far && so_far->is_requested)
		answer_so_far(&s->diagnosis, s->output, so_far);
	else if (!status)
		status = emit_all(s, err);
	return status;
}

static void fini(void *state)
{
	struct findings_state *s = state;

	diagnosis_fini(&s->diagnosis);
}

static const struct sooth_schema *const tables[] = { &finding_process_schema, NULL };

const struct stage_type stage_findings = {
	.name = "findings",
	.help = "problems of processes and the host, with evidence",
	.shows = "proc",
	.tables = tables,
	.reports_gaps = true,
	STAGE_FUNCTIONS(struct findings_state),
};
