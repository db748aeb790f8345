/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of agents, sessions and findings for monitoring systems, from samples, or from the phases
 * of a history. */
#include "analyze/fleet/fleet.h"

#include <stdlib.h>

#include "analyze/diagnosis/endings.h"
#include "analyze/fleet/fleet_metrics.h"
#include "analyze/fleet/fleet_sums.h"
#include "analyze/phases/phase_tracker.h"
#include "explain/stage.h"

struct fleet_state {
	struct output *output;
	struct fleet_options options;
	struct fleet own, *fleet; /* `fleet`: the one that is used */
	struct host_state host;
	struct endings endings;
	uint64_t sampled_ns; /* time of the sample before; 0: none yet */
	struct phase_tracker tracker;
	struct buffer current;
};

int fleet_new(struct fleet **out, const struct fleet_options *options, struct sooth_error *err)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return error_no_memory(err);
	fleet_init(*out, options);
	return 0;
}

void fleet_free(struct fleet *f)
{
	if (f)
		fleet_fini(f);
	free(f);
}

uint64_t fleet_samples(const struct fleet *f)
{
	return f->samples;
}

void fleet_set_self(struct fleet *f, const struct fleet_self *self)
{
	f->self = *self;
	f->has_self = true;
}

/* --- the stage --- */

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct fleet_state *s = state;

	(void)err;
	s->output = output;
	if (options)
		s->options = *(const struct fleet_options *)options;
	fleet_init(&s->own, options);
	s->fleet = s->options.kept ? s->options.kept : &s->own;
	fleet_begin_round(s->fleet);
	host_state_init(&s->host);
	endings_init(&s->endings);
	phase_tracker_init(&s->tracker);
	s->tracker.endings = &s->endings;
	return 0;
}

/* Adds the spans that were just made, and passes them on. */
static int take_spans(struct fleet_state *s, struct sooth_error *err)
{
	struct batch made = { s->tracker.out.data, s->tracker.out.size };
	int status = 0;

	if (buffer_failed(&s->tracker.out))
		return error_no_memory(err);
	fleet_add_spans(s->fleet, &made);
	if (s->options.take && made.size)
		status = s->options.take(s->options.user, &made, err);
	buffer_reset(&s->tracker.out);
	return status;
}

static int add_sample(struct fleet_state *s, uint64_t now_ns, struct sooth_error *err)
{
	int status = host_state_resolve(&s->host, err);

	if (status)
		return status;
	phase_tracker_sample(&s->tracker, &s->host);
	status = take_spans(s, err);
	fleet_add_sample(s->fleet, &s->host);
	buffer_reset(&s->current);
	phase_tracker_append_current(&s->tracker, &s->current);
	if (!status && buffer_failed(&s->current))
		status = error_no_memory(err);
	if (!status)
		fleet_set_current(s->fleet, &(struct batch){ s->current.data, s->current.size });
	/* A process may end after it was read for this sample: the next one has to know how. */
	endings_forget_before(&s->endings, s->sampled_ns);
	s->sampled_ns = now_ns;
	host_state_next_interval(&s->host);
	host_state_drop_ended(&s->host);
	return status;
}

/* Splits the batch at the last record of each sample, which completes the sample. */
static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	const unsigned char *taken = batch->data, *last = batch->data + batch->size;
	struct fleet_state *s = state;
	int status = 0;

	batch_for_each (r, batch) {
		const unsigned char *end = (const unsigned char *)r + record_bytes(r);

		if (!s->options.kept) /* a capture may be a history */
			fleet_add_spans(
				s->fleet, &(struct batch){ (const void *)r, record_bytes(r) });
		fleet_add_record(s->fleet, r);
		endings_add_record(&s->endings, r);
		if (status || r->kind != PROC_SNAPSHOT)
			continue;
		host_state_add_batch(&s->host, &(struct batch){ taken, (size_t)(end - taken) });
		taken = end;
		status = add_sample(s, r->time_ns, err);
	}
	if (!status && taken < last)
		host_state_add_batch(&s->host, &(struct batch){ taken, (size_t)(last - taken) });
	return status;
}

/* Ends the spans that are under way. */
static int finish(void *state, struct sooth_error *err)
{
	struct fleet_state *s = state;
	int status;

	phase_tracker_finish(&s->tracker);
	status = take_spans(s, err);
	fleet_set_current(s->fleet, &(struct batch){ 0 });
	return status || s->options.kept ? status : fleet_emit(s->fleet, s->output, err);
}

static void fini(void *state)
{
	struct fleet_state *s = state;

	host_state_fini(&s->host);
	endings_fini(&s->endings);
	phase_tracker_fini(&s->tracker);
	buffer_fini(&s->current);
	if (s->fleet)
		fleet_fini(&s->own);
}

const struct stage_type stage_fleet = {
	.name = "fleet",
	.help = "agents, sessions and findings as values for monitoring systems",
	.shows = "proc",
	.tables = fleet_tables,
	STAGE_FUNCTIONS(struct fleet_state),
};
