/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/monitor/phase_keeper.h"

#include <errno.h>

#include "base/units.h"
#include "cli/diagnosing.h"
#include "cli/user_agents/user_agents.h"
#include "cli/terminal/log.h"
#include "explain/report.h"
#include "model/stream_records.h"

#define RETRY_NS (10 * NS_PER_S)
/* Most samples of one observer, which remembers processes up to a limit: weeks of agents would
 * reach it. A new observer, each hour at 2 s between samples, remembers nothing. */
#define SAMPLES_MOST 1800
#define SAMPLES_A    5 /* from one diagnosis to the next */

static int store_spans(void *user, const struct batch *spans, struct sooth_error *err)
{
	struct phase_keeper *k = user;

	(void)err;
	batch_for_each (r, spans) {
		struct process_id main = process_id_of(r);

		if (!target_found_has(k->options.target, &main))
			continue;
		if (k->options.push)
			otlp_push_add(k->options.push, r);
		if (k->options.has_history)
			history_writer_add_spans(&k->writer,
				&(struct batch){ (const unsigned char *)r, record_bytes(r) });
	}
	return 0;
}

static int handle_record(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct phase_keeper *k = user;

	(void)schema;
	if (k->options.has_history)
		history_writer_learn(&k->writer, record);
	if (k->options.push && record->kind == STREAM_SEGMENT)
		otlp_push_add(k->options.push, record);
	return 0;
}

int phase_keeper_open(
	struct phase_keeper *k, const struct phase_keeper_options *options, struct sooth_error *err)
{
	bool has_rows = options->fleet || options->alerts;
	bool has_spans = options->has_history || options->push;
	int status;

	*k = (struct phase_keeper){ .options = *options,
		.view = { .take = store_spans, .user = k },
		.fleet_view = { .kept = options->fleet, .user = k },
		.answers = { .settings = &k->settings, .is_one_look = true, .user = k } };
	if (!k->options.sample_ns)
		k->options.sample_ns = PHASE_SAMPLE_NS;
	k->answers.interval_ns = SAMPLES_A * k->options.sample_ns;
	if (has_spans) {
		k->answers.take = k->fleet_view.take = store_spans;
		k->answers.has_rows = has_rows;
	}
	status = diagnosing_settings(&k->settings, NULL, err);
	if (!status && options->has_history)
		status = history_writer_open(&k->writer, options->folder, options->most_bytes, err);
	k->is_on = !status && (has_spans || has_rows);
	return status;
}

/* --- findings, for metrics --- */

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	(void)err;
	*(struct fleet **)state = options->user;
	return 0;
}

static int pass_findings(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	(void)err;
	batch_for_each (r, batch)
		fleet_add_finding(*(struct fleet **)state, section->schema, r);
	return 0;
}

static const struct sink_type finding_sink = {
	.name = "findings of metrics",
	.state_size = sizeof(struct fleet *),
	.open = open_sink,
	.rows = pass_findings,
};

static int add_sinks(struct phase_keeper *k, struct sooth_error *err)
{
	const struct phase_keeper_options *o = &k->options;
	int status = 0;

	if (o->fleet)
		status = report_add_sink_type(
			k->report, &finding_sink, &(struct sink_options){ .user = o->fleet }, err);
	if (!status && o->alerts)
		status = report_add_sink_type(
			k->report, &alert_sink, &(struct sink_options){ .user = o->alerts }, err);
	return status;
}

/* The view of metrics finds the phases as well. */
static int add_views(struct phase_keeper *k, struct sooth_error *err)
{
	int status = k->options.fleet
			     ? sooth_report_add_view(k->report, "fleet", &k->fleet_view, err)
			     : sooth_report_add_view(k->report, "phases", &k->view, err);

	if (!status)
		status = sooth_report_add_view(k->report, "finding-changes", &k->answers, err);
	return status ? status : add_sinks(k, err);
}

static int add_probes(struct sooth_observer *o, struct sooth_error *err)
{
	/* The probes: events come first, so that no end is missed. */
	static const struct {
		const char *name;
		unsigned interest;
	} probes[] = {
		{ "exit_reasons", SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_STREAM },
		{ "short_lived", SOOTH_STREAM },
		{ "sockets", SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_DETAIL },
		{ "proc", SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_TRANSCRIPT },
	};
	int status = 0;

	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]) && !status; i++)
		status = sooth_observer_add_probe(o, probes[i].name, probes[i].interest, err);
	return status ? status : user_agents_add(o, err);
}

static int start_observer(struct phase_keeper *k, struct sooth_error *err)
{
	struct sooth_observer_options options = { .size = sizeof(options),
		.sample_ns = k->options.sample_ns,
		.log = log_print,
		.log_level = log_selected(),
		.may_be_gone = true };
	int status = sooth_report_new(&k->report, "phases", err);

	if (!status)
		status = add_views(k, err);
	if (!status)
		sooth_report_on_record(k->report, handle_record, k);
	if (!status)
		status = sooth_observer_new(&k->observer, &options, err);
	if (!status)
		status =
			k->options.target && k->options.target->has_user
				? sooth_observer_set_user(k->observer, k->options.target->user, err)
				: sooth_observer_set_host(k->observer, err);
	if (!status)
		status = add_probes(k->observer, err);
	if (!status)
		status = sooth_observer_connect_report(k->observer, k->report, err);
	return status ? status : sooth_observer_start(k->observer, err);
}

/* Stops: spans that are under way end here, and are written. */
static void stop_observer(struct phase_keeper *k, bool is_whole)
{
	struct sooth_error ignored;

	if (k->observer && is_whole &&
		!sooth_observer_stop(k->observer, SOOTH_END_STOPPED, &ignored))
		sooth_report_finish(k->report, &ignored);
	sooth_observer_free(k->observer);
	sooth_report_free(k->report);
	k->observer = NULL;
	k->report = NULL;
}

static int step_observer(struct phase_keeper *k, uint64_t now_ns, struct sooth_error *err)
{
	int status;

	if (!k->observer) {
		if (now_ns < k->retry_ns)
			return 0;
		status = start_observer(k, err);
		k->start_ns = now_ns;
	} else {
		status = sooth_observer_step(k->observer, 0, err);
	}
	if (status >= 0 || status == -EINTR) {
		if (now_ns - k->start_ns >= SAMPLES_MOST * k->options.sample_ns)
			stop_observer(k, true);
		return 0;
	}
	stop_observer(k, false);
	k->retry_ns = now_ns + RETRY_NS;
	return status;
}

int phase_keeper_step(struct phase_keeper *k, uint64_t now_ns, struct sooth_error *err)
{
	int status = k->is_on ? step_observer(k, now_ns, err) : 0;

	if (status || !k->is_on || !k->options.has_history)
		return status;
	return history_writer_step(&k->writer, now_ns, err);
}

void phase_keeper_close(struct phase_keeper *k)
{
	if (!k->is_on)
		return;
	stop_observer(k, true);
	if (k->options.has_history)
		history_writer_close(&k->writer);
	k->is_on = false;
}
