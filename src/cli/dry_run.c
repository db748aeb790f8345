/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/dry_run.h"

#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/output/own_report.h"
#include "collect/backend.h"
#include "collect/observer.h"
#include "model/row_list.h"

#define PLAN_ROW(F, S)                                                                             \
	F(S, TEXT, probe, ALWAYS, "name of the probe")                                             \
	F(S, TEXT, method, MAYBE(method_state), "method by which it would observe")                \
	F(S, TEXT, event, MAYBE(event_state), "event at which something would be attached")        \
	F(S, NAMED, U32, target_ns, target_overhead_ns, MAYBE(price_state),                        \
		"overhead of one event for the target", .unit = SOOTH_UNIT_NS,                     \
		.label = "OVERHEAD")                                                               \
	F(S, NAMED, U32, bystander_ns, others_overhead_ns, WITH(price_state),                      \
		"overhead of one event for other processes", .unit = SOOTH_UNIT_NS,                \
		.label = "OTHERS")                                                                 \
	F(S, NAMED, TEXT, price_source, overhead_source, ALWAYS, "source of the overhead values",  \
		.is_hidden = true)                                                                 \
	F(S, TEXT, why, ALWAYS, "why no better method, or none, is used", .may_shrink = true)

ROW_TABLE(plan, PLAN_ROW, "plan", plan_row);

struct dry_run {
	struct sooth_observer *observer;
	struct output *output;
};

static int emit_planned(void *user, const struct observer_planned *p, struct sooth_error *err)
{
	const struct backend *b = p->backend;
	struct dry_run *d = user;
	const char *event = p->mode ? p->mode->event : b ? b->event : NULL;
	struct plan_row row = { .price_state = SOOTH_STATE_ABSENT,
		.method_state =
			b ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED),
		.event_state = event ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };

	if (b && b->price_source) {
		row.target_ns = p->mode ? p->mode->target_ns : b->target_ns;
		row.bystander_ns = p->mode ? p->mode->bystander_ns : b->bystander_ns;
		row.price_state = SOOTH_STATE_VALUE;
	} else if (event) {
		row.price_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	}
	if (p->error)
		output_limit(d->output, p->probe, p->error->why, p->error->remedy);
	struct record_tail tail[] = {
		record_tail_of(&row.probe, p->probe),
		record_tail_of(&row.method, p->mode ? p->mode->name
					    : b	    ? b->name
						    : ""),
		record_tail_of(&row.event, event),
		record_tail_of(&row.price_source, p->mode ? p->mode->price_source
						  : b	  ? b->price_source
							  : ""),
		record_tail_of(&row.why, p->refusals),
	};
	return OUTPUT_ROW(d->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_plan(struct output *o, void *user, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("plan", plan_schema, TABLE,
		.title = "Nothing was attached or started. This command would observe by:");
	struct dry_run *d = user;
	int status = output_section(o, &section, err);

	d->output = o;
	return status ? status : observer_plan(d->observer, emit_planned, d, err);
}

int dry_run_report(
	const struct output_options *output, struct sooth_observer *o, struct sooth_error *err)
{
	struct dry_run d = { .observer = o };

	assert(output);
	assert(o);
	return own_report_emit("plan", output, emit_plan, &d, err);
}
