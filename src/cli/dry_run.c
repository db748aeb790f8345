/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/dry_run.h"

#include <assert.h>

#include "base/cleanup.h"
#include "cli/output/method_price.h"
#include "cli/output/own_report.h"
#include "collect/backend.h"
#include "collect/observer.h"

#define PLAN_ROW(F, S)                                                                             \
	F(S, TEXT, probe, ALWAYS, "name of the probe")                                             \
	F(S, TEXT, method, MAYBE(method_state), "method by which it would observe")                \
	F(S, TEXT, event, MAYBE(event_state), "event at which something would be attached")        \
	METHOD_PRICE(F, S)                                                                         \
	F(S, TEXT, why, ALWAYS, "why no better method, or none, is used", .may_shrink = true)

ROW_TABLE(plan, PLAN_ROW, "plan", plan_row);

struct dry_run {
	struct sooth_observer *observer;
	struct output *output;
};

static int emit_planned(void *user, const struct observer_planned *p, struct sooth_error *err)
{
	static const struct backend_mode none;
	const struct backend_mode *mode = p->mode ? p->mode : &none;
	struct dry_run *d = user;
	struct plan_row row = { .target_ns = mode->target_ns,
		.bystander_ns = mode->bystander_ns,
		.price_state = mode->price_source ? SOOTH_STATE_VALUE
			       : mode->event	  ? SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)
						  : SOOTH_STATE_ABSENT,
		.method_state =
			p->mode ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED),
		.event_state = state_if(mode->event) };

	if (p->error)
		output_limit(d->output, p->probe, p->error->why, p->error->remedy);
	struct record_tail tail[] = {
		tail_string(&row.probe, p->probe),
		tail_string(&row.method, mode->name),
		tail_string(&row.event, mode->event),
		tail_string(&row.price_source, mode->price_source),
		tail_string(&row.why, p->refusals),
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
