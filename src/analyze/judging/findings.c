/* SPDX-License-Identifier: BSD-2-Clause */
/* Diagnosing once: everybody who is meant, the host, and how it stands. */
#include "analyze/judging/findings.h"

#include "analyze/judging/findings_tell.h"
#include "analyze/judging/judging.h"
#include "core/output.h"
#include "core/stage.h"

struct findings_state {
	struct output *output;
	struct judging judging;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct findings_state *s = state;

	s->output = output;
	return judging_init(&s->judging, options, err);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct findings_state *s = state;

	(void)err;
	readings_take(&s->judging.readings, batch);
	return 0;
}

static int tell_all(struct findings_state *s, struct sooth_error *err)
{
	const struct judging *j = &s->judging;
	int status;

	status = findings_tell_processes(s->output, j, err);
	if (!status)
		status = findings_tell_host(s->output, j, err);
	if (!status)
		status = findings_tell_summary(s->output, j, err);
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct findings_state *s = state;
	int status = judging_run(&s->judging, err);

	return status ? status : tell_all(s, err);
}

static void fini(void *state)
{
	struct findings_state *s = state;

	judging_fini(&s->judging);
}

static const struct sooth_schema *const tables[] = { &finding_process_schema, NULL };

const struct stage_type stage_findings = {
	.name = "findings",
	.help = "what is wrong with processes, with evidence",
	.shows = "proc",
	.tables = tables,
	.state_size = sizeof(struct findings_state),
	.init = init,
	.push = push,
	.finish = finish,
	.fini = fini,
};
