/* SPDX-License-Identifier: BSD-2-Clause */
/* Phases of agent sessions over time. Samples are combined into phases here; a history that the
 * monitor keeps already has the phases. */
#include "analyze/phases/phases.h"

#include "analyze/diagnosis/endings.h"
#include "analyze/phases/phase_emit.h"
#include "analyze/phases/phase_tracker.h"
#include "analyze/records.h"
#include "explain/stage.h"
#include "probes/proc.h"

struct phases_state {
	struct output *output;
	struct phases_options options;
	struct host_state host;
	struct endings endings;
	uint64_t sampled_ns; /* time of the sample before; 0: none yet */
	struct phase_tracker tracker;
	struct phase_history history;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct phases_state *s = state;

	(void)err;
	s->output = output;
	if (options)
		s->options = *(const struct phases_options *)options;
	host_state_init(&s->host);
	endings_init(&s->endings);
	phase_tracker_init(&s->tracker);
	s->tracker.endings = &s->endings;
	phase_history_init(&s->history, &s->options.selection);
	return 0;
}

/* Passes on the spans that were just made. */
static int pass_on_spans(struct phases_state *s, struct sooth_error *err)
{
	struct batch made = { s->tracker.out.data, s->tracker.out.size };
	int status = 0;

	if (buffer_failed(&s->tracker.out))
		return error_no_memory(err);
	if (s->options.take && made.size)
		status = s->options.take(s->options.user, &made, err);
	if (!s->options.take) {
		batch_for_each (r, &made)
			phase_history_add_record(&s->history, r);
	}
	buffer_reset(&s->tracker.out);
	return status;
}

static int sample_phases(struct phases_state *s, uint64_t now_ns, struct sooth_error *err)
{
	int status = host_state_resolve(&s->host, err);

	if (status)
		return status;
	phase_tracker_sample(&s->tracker, &s->host);
	/* A process may end after it was read for this sample: the next one has to know how. */
	endings_forget_before(&s->endings, s->sampled_ns);
	s->sampled_ns = now_ns;
	host_state_next_interval(&s->host);
	host_state_drop_ended(&s->host);
	return pass_on_spans(s, err);
}

/* Splits the batch at the last record of each sample, which completes the sample. */
static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	const unsigned char *taken = batch->data, *last = batch->data + batch->size;
	struct phases_state *s = state;
	int status = 0;

	batch_for_each (r, batch) {
		const unsigned char *end = (const unsigned char *)r + record_bytes(r);

		phase_history_add_record(&s->history, r);
		endings_add_record(&s->endings, r);
		if (status || r->kind != PROC_SNAPSHOT)
			continue;
		host_state_add_batch(&s->host, &(struct batch){ taken, (size_t)(end - taken) });
		taken = end;
		status = sample_phases(s, r->time_ns, err);
	}
	if (!status && taken < last)
		host_state_add_batch(&s->host, &(struct batch){ taken, (size_t)(last - taken) });
	return status;
}

static void report_missing(struct output *output)
{
	output_limit(output, "descriptors over time", "the history of the monitor has none",
		"sooth record --probe proc,fds -o FILE.sooth PID");
	output_limit(output, "single API calls",
		"the history of the monitor has waits for the model, as phases",
		"sooth api --save FILE.sooth PID");
}

static int finish(void *state, struct sooth_error *err)
{
	struct phases_state *s = state;
	int status;

	phase_tracker_finish(&s->tracker);
	status = pass_on_spans(s, err);
	if (s->options.says_missing)
		report_missing(s->output);
	return status || s->options.take ? status : phase_emit(s->output, &s->history, err);
}

static void fini(void *state)
{
	struct phases_state *s = state;

	host_state_fini(&s->host);
	endings_fini(&s->endings);
	phase_tracker_fini(&s->tracker);
	phase_history_fini(&s->history);
}

const struct stage_type stage_phases = {
	.name = "phases",
	.help = "what sessions of agents did over time",
	.tables = phase_tables,
	STAGE_FUNCTIONS(struct phases_state),
};
