/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile by sample(1): reports of a second, one after another; each sample suspends the process. A
 * thread is not counted if its innermost function is a waiting function of the system, because a
 * sample stands for CPU time.
 *
 * Cannot be seen: when in its second a sample was taken; the time while a report is written; which
 * of the counted threads had a CPU.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/bsd/source.h"
#include "os/darwin/sample_records.h"
#include "os/darwin/tool_slots.h"

#define REPORT_MS 60000 /* sample(1) looks up the names of functions */

struct profile_sample_state {
	struct named_stacks stacks;
	struct tool_slots targets;
	struct sample_counts total;
};

#define FAILURES_MAX 3

static int profile_open(struct backend_run *run, struct sooth_error *err)
{
	struct profile_sample_state *s = run->state;

	if (probe_stack_trigger(&run->options) != STACK_BY_CLOCK || run->options.is_host ||
		run->options.has_uid) {
		error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "sample stacks");
		return error_why(err, "sample(1) samples only the threads of given processes");
	}
	*s = (struct profile_sample_state){ 0 };
	named_stacks_init(&s->stacks, PROFILE_STACK, PROFILE_FRAME);
	tool_slots_init(&s->targets);
	return 0;
}

static void profile_close(struct backend_run *run)
{
	struct profile_sample_state *s = run->state;

	named_stacks_fini(&s->stacks);
	tool_slots_fini(&s->targets);
}

static int start_sample(struct backend_run *run, struct tool_slot *t, struct sooth_error *err)
{
	uint32_t hz = probe_rate_hz(&run->options, 1000);
	char pid[16], interval[16];
	const char *const words[] = { bsd_source_of(run->os)->sample, pid, "1", interval, "-mayDie",
		"-file", "/dev/stdout", NULL };

	snprintf(pid, sizeof(pid), "%u", t->process.pid);
	snprintf(interval, sizeof(interval), "%u", hz > 1000 ? 1 : 1000 / hz);
	return tool_start(&t->tool, words, err);
}

static int profile_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct profile_sample_state *s = run->state;
	struct tool_slot *added;

	/* sample(1) starts with the next drain. */
	return tool_slots_set(&s->targets, process, interest, "sample(1)", &added, err);
}

/* Writes the records of a complete report. */
static void write_report(struct backend_run *run, struct tool_slot *t)
{
	struct profile_sample_state *s = run->state;
	struct sample_counts counts;
	char complaint[200];

	if (sample_write_profile(&s->stacks, run, &t->process,
		    span_of((const char *)t->tool.lines.data, t->tool.lines.size), &counts)) {
		s->total.running += counts.running;
		s->total.waiting += counts.waiting;
		t->failures = 0;
	} else if (++t->failures == FAILURES_MAX) {
		tool_first_complaint(&t->tool, complaint, sizeof(complaint));
		backend_limit(run, "samples of a process",
			complaint[0] ? complaint : "sample(1) gave no report", "run sooth as root");
	}
	tool_fini(&t->tool);
}

static int profile_drain(struct backend_run *run, struct sooth_error *err)
{
	struct profile_sample_state *s = run->state;

	for (size_t i = 0; i < TOOL_SLOTS; i++) {
		struct tool_slot *t = &s->targets.all[i];
		int status = 0;

		if (!t->process.pid || t->failures >= FAILURES_MAX)
			continue;
		if (t->tool.pid && tool_read(&t->tool))
			write_report(run, t);
		if (!t->tool.pid && t->failures < FAILURES_MAX)
			status = start_sample(run, t, err);
		if (status)
			return status;
	}
	return 0;
}

static int profile_stop(struct backend_run *run, struct sooth_error *err)
{
	struct profile_sample_state *s = run->state;
	char text[160];

	(void)err;
	for (size_t i = 0; i < TOOL_SLOTS; i++) {
		struct tool_slot *t = &s->targets.all[i];

		if (!t->tool.pid)
			continue;
		/* sample(1) ends by itself after a second. */
		for (int ms = 0; !tool_read(&t->tool) && ms < REPORT_MS; ms += 100)
			tool_wait(&t->tool, 100);
		write_report(run, t);
	}
	snprintf(text, sizeof(text),
		"%llu samples of threads in a function that waits are left out",
		(unsigned long long)s->total.waiting);
	backend_limit(run, "threads that wait", text, "");
	if (s->stacks.refused)
		backend_loss(run, s->stacks.refused, 0, "the table of stacks was full");
	return 0;
}

const struct backend backend_profile_sample = {
	.name = "sample",
	.probe = "profile",
	.help = "sample(1), a second behind the other; each sample stops the process for a moment",
	.follows_none = true,
	.lateness_ns = 60 * NS_PER_S,
	.state_size = sizeof(struct profile_sample_state),
	.open = profile_open,
	.set = profile_set,
	.start = profile_drain,
	.drain = profile_drain,
	.stop = profile_stop,
	.close = profile_close,
};
