/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stacks by sample(1), which stops the process for a moment: one sample of each thread. The
 * caller's own processes need no privilege, except programs that the system protects.
 *
 * Cannot be seen: the call that a thread is in, its CPU time.
 */
#include "os/bsd/members.h"
#include "os/bsd/sampling.h"
#include "os/darwin/sample_records.h"
#include "os/darwin/sample_run.h"
#include "probes/stacks.h"

struct stacks_sample {
	struct bsd_members members; /* first */
	struct named_stacks stacks;
	struct tool tool;
};

static int stacks_open(struct backend_run *run, struct sooth_error *err)
{
	struct stacks_sample *s = run->state;
	int status = bsd_members_open(run, err);

	named_stacks_init(&s->stacks, STACKS_STACK, STACKS_FRAME);
	tool_init(&s->tool);
	return status;
}

static void stacks_close(struct backend_run *run)
{
	struct stacks_sample *s = run->state;

	bsd_members_close(run);
	named_stacks_fini(&s->stacks);
	tool_fini(&s->tool);
}

/* Returns whether the whole report has come. */
static bool request_report(struct backend_run *run, const struct process_id *process)
{
	struct stacks_sample *s = run->state;
	struct sooth_error err;
	int status = sample_run(&s->tool, bsd_source_of(run->os), process->pid, &err);

	if (status)
		backend_limit_error(run, "stacks of threads", &err);
	return !status;
}

static void sample_process(struct backend_run *run, const struct bsd_process *process)
{
	struct stacks_sample *s = run->state;
	struct stacks_snapshot end = { .threads_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED) };
	struct sample_counts counts = { 0 };

	if (request_report(run, &process->id) &&
		sample_write_stacks(&s->stacks, run, &process->id,
			span_of((const char *)s->tool.lines.data, s->tool.lines.size), &counts))
		end.threads_state = SOOTH_STATE_VALUE;
	if (end.threads_state && s->tool.has_ended) {
		char complaint[200];

		tool_first_complaint(&s->tool, complaint, sizeof(complaint));
		backend_limit(run, "stacks of threads",
			complaint[0] ? complaint : "sample(1) gave no report", "run sooth as root");
	}
	end.threads = counts.threads;
	end.record = bsd_record(run, &process->id, 0, STACKS_SNAPSHOT);
	RECORD_APPEND(&run->out, &end, NULL, 0);
	tool_fini(&s->tool);
}

static int stacks_sample(struct backend_run *run, struct sooth_error *err)
{
	return bsd_members_visit(run, sample_process, err);
}

const struct backend backend_stacks_sample = {
	.name = "sample",
	.probe = "stacks",
	.help = "sample(1): one sample of each thread; the process is stopped for a moment",
	.state_size = sizeof(struct stacks_sample),
	.open = stacks_open,
	.set = bsd_members_set,
	.start = stacks_sample,
	.sample = stacks_sample,
	.stop = bsd_members_stop,
	.close = stacks_close,
};
