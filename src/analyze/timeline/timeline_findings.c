/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/timeline/timeline_findings.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/diagnosis/finding_rows.h"
#include "analyze/records.h"
#include "explain/registry.h"
#include "model/schema.h"

/* Only a diagnosis requests this probe. */
static const char diagnosed_by[] = "limits";

/* --- emit --- */

struct finding_events {
	struct timeline_tracker *tracker;
};

static int open_reported(void *state, const struct sink_options *options, struct sooth_error *err)
{
	(void)err;
	((struct finding_events *)state)->tracker = options->user;
	return 0;
}

/* A finding at the end may rest on a record from after the end. */
static uint64_t within(const struct timeline_tracker *b, uint64_t at_ns)
{
	uint64_t end_ns = b->observed_count ? b->observed[b->observed_count - 1].to_ns : 0;

	return end_ns && at_ns > end_ns ? end_ns : at_ns;
}

static void take_change(struct timeline_tracker *b, const struct finding_change_row *row)
{
	const struct sooth_record *r = &row->record;
	struct span id = record_text(r, &row->id), claim = record_text(r, &row->claim);
	uint64_t at_ns = row->utc_ns - (uint64_t)b->segment.realtime_offset_ns;
	struct buffer words = { 0 };

	buffer_string(&words, row->state == FINDING_CLEARED ? "cleared: " : "");
	buffer_append(&words, id.data, id.size);
	buffer_string(&words, ": ");
	buffer_append(&words, claim.data, claim.size);
	timeline_event(b, r, within(b, at_ns), TIMELINE_EVENT_FINDING, record_text(r, &row->name),
		span_of((const char *)words.data, words.size));
	buffer_fini(&words);
}

static int take_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct finding_events *events = state;

	(void)err;
	if (section->schema != &finding_change_schema)
		return 0;
	batch_for_each (r, batch)
		take_change(events->tracker, (const void *)r);
	return 0;
}

static const struct sink_type reported_sink = {
	.name = "timeline-findings",
	.help = "findings as events of a timeline",
	.state_size = sizeof(struct finding_events),
	.open = open_reported,
	.rows = take_rows,
};

/* --- diagnosis --- */

static bool is_diagnosed(const struct sooth_record *r)
{
	const struct stream_source *s = record_as(r, STREAM_SOURCE, sizeof(*s));

	return s && span_equal(record_text(r, &s->probe), diagnosed_by);
}

static int begin(struct timeline_findings *f, struct sooth_error *err)
{
	int status = output_new(&f->output, err);

	f->view = registry_stage("finding-changes");
	if (!status)
		status = output_add_sink(f->output, &reported_sink,
			&(struct sink_options){ .user = f->tracker }, err);
	if (status)
		return status;
	f->state = calloc(1, f->view->state_size);
	return f->state ? f->view->init(f->state, f->output, &f->options, err)
			: error_no_memory(err);
}

int timeline_findings_push(
	struct timeline_findings *f, const struct batch *batch, struct sooth_error *err)
{
	int status = 0;

	/* Definitions of sources come before their records. */
	batch_for_each (r, batch) {
		if (!f->output && is_diagnosed(r))
			status = begin(f, err);
	}
	return status || !f->state ? status : f->view->push(f->state, batch, err);
}

int timeline_findings_finish(struct timeline_findings *f, struct sooth_error *err)
{
	int status = f->state ? f->view->finish(f->state, err) : 0;

	return status || !f->output ? status : output_close_section(f->output, err);
}

void timeline_findings_fini(struct timeline_findings *f)
{
	if (f->state)
		f->view->fini(f->state);
	free(f->state);
	output_free(f->output);
}
