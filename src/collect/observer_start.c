/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaching: find the target, open a source for each probe, say what there is,
 * mark the processes, and only then let anything run.
 */
#include "collect/observer_state.h"

#include <errno.h>

#include "collect/collector.h"
#include "model/probe.h"
#include "model/schema.h"

static void list_targets(const struct target *t, struct buffer *out)
{
	const struct process_id *process;
	size_t position = 0;

	while ((process = target_next(t, &position)))
		buffer_append(out, process, sizeof(*process));
}

/* Only selected processes are probed; the others are sampled only. */
static bool is_of_host(const struct sooth_observer *o, unsigned interest)
{
	bool is_expensive =
		interest & (INTEREST_COUNT | INTEREST_STREAM) && !(interest & INTEREST_BRIEF);

	return o->target.selector == TARGET_HOST &&
	       !(is_expensive && target_means_some(&o->target));
}

static int acquire_sources(struct sooth_observer *o, struct sooth_error *err)
{
	struct buffer processes = { 0 };
	int status = 0;

	list_targets(&o->target, &processes);
	for (unsigned i = 1; i <= o->probe_count && !status; i++) {
		struct observed_probe *p = &o->probes[i];
		struct probe_options options = {
			.interest = p->interest,
			.is_host = is_of_host(o, p->interest),
			.has_uid = o->target.selector == TARGET_USER,
			.uid = o->target.uid,
			.sample_ns = o->options.sample_ns,
			.buffer_bytes = o->options.buffer_bytes,
			.search_path = o->options.search_path,
			.agents = o->agents,
			.calls = { o->options.calls, o->options.only_failed, o->options.data_bytes,
				o->options.has_call_budget },
			.profile_hz = o->options.profile_hz,
			.profile_calls = o->options.profile_calls,
			.profile_wait_ns = o->options.profile_wait_ns,
			.may_pause = o->options.may_pause && o->target.is_launched,
			.must_hold = o->options.must_hold,
		};
		struct buffer refusals = { 0 };

		status = hub_acquire(
			o->hub, p->name, &options, &processes, &p->source, &refusals, err);
		if (!status) {
			collector_source(o->os, observer_out(o), i, hub_source_backend(p->source),
				buffer_cstr(&refusals));
			o->reported_of_ends |= backend_follows(hub_source_backend(p->source));
		}
		buffer_fini(&refusals);
	}
	buffer_fini(&processes);
	return status;
}

static void write_schemas(struct sooth_observer *o)
{
	for (size_t i = 0; stream_schemas[i]; i++)
		collector_schema(o->os, observer_out(o), stream_schemas[i]);
	for (unsigned i = 1; i <= o->probe_count; i++) {
		const struct probe *probe = registry_probe(o->probes[i].name);

		for (size_t k = 0; probe->schemas[k]; k++)
			collector_schema(o->os, observer_out(o), probe->schemas[k]);
	}
}

void observer_unwant(struct sooth_observer *o, struct observed_probe *p, size_t until)
{
	struct sooth_error ignored;
	const struct process_id *process;
	size_t position = 0;

	while (position < until && (process = target_next(&o->target, &position)))
		hub_unwant(p->source, process, p->interest, false, &ignored);
}

/* None is left out if all would be: then the whole probe is refused. */
static int want_targets(struct sooth_observer *o, struct observed_probe *p, struct sooth_error *err)
{
	unsigned interest = p->interest | (o->target.is_launched ? INTEREST_FROM_EXEC : 0);
	const struct process_id *process;
	size_t position = 0, wanted = 0, limits = o->limits.size;
	struct sooth_error refusal;
	int status = 0, refused = 0;

	while (!status && (process = target_next(&o->target, &position))) {
		status = hub_want(p->source, process, interest, false, err);
		/* Of several selected processes one may exit before it is attached to. */
		if (status == -ESRCH && o->target.live > 1 &&
			(o->target.may_be_gone || target_means_some(&o->target))) {
			target_leave(&o->target, process);
			status = 0;
			continue;
		}
		wanted += !status;
		if (status && observer_leaves_out(o, p, process, err, &o->limits)) {
			refused = status;
			refusal = *err;
			status = 0;
		}
	}
	if (!status && refused && !wanted) {
		o->limits.size = limits;
		*err = refusal;
		status = refused;
	}
	if (status)
		observer_unwant(o, p, position);
	return status;
}

static int start_sources(struct sooth_observer *o, struct sooth_error *err)
{
	int status = 0;

	for (unsigned i = 1; i <= o->probe_count && !status; i++) {
		struct observed_probe *p = &o->probes[i];

		status = want_targets(o, p, err);
		if (status)
			break;
		p->is_started = true;
		status = hub_start(o->hub, p->source, err);
		log_line(&o->log, LOG_DEBUG, "started %s for %zu processes", p->name,
			(size_t)o->target.live);
	}
	return status;
}

/* The exec is done when this returns. If no backend reports it, it is reported here. */
static int release_command(struct sooth_observer *o, struct sooth_error *err)
{
	int status = o->os->release(o->os, &o->target.launch, err);

	if (!status)
		log_line(&o->log, LOG_DEBUG, "the launched command runs: process %d",
			(int)o->target.launch.pid);
	for (unsigned i = 1; i <= o->probe_count && !status && !o->reported_of_ends; i++)
		hub_joined(o->probes[i].source, &o->target.launch.process);
	return status;
}

int sooth_observer_start(struct sooth_observer *o, struct sooth_error *err)
{
	ERROR_HERE(err);
	int status;

	o->has_started = true;
	o->target.may_be_gone = o->options.may_be_gone;
	o->target.launch.as_user = o->options.has_launch_user;
	o->target.launch.uid = o->options.launch_uid;
	o->target.launch.gid = o->options.launch_gid;
	status = target_resolve(&o->target, o->os, err);
	if (status)
		return status;
	collector_segment(o->os, observer_out(o));
	write_schemas(o);
	collector_agents(o->os, observer_out(o), o->agents);
	status = acquire_sources(o, err);
	if (status)
		return status;
	target_describe(&o->target, o->os, observer_out(o));
	status = stream_flush(&o->stream, 0, true, err);
	if (!status)
		status = hub_join(o->hub, observer_receive, o, err);
	if (!status)
		status = start_sources(o, err);
	if (status)
		return status;
	/* Attached: what is counted is counted from here. */
	o->last_sample_ns = o->last_edges_ns = o->last_sweep_ns =
		collector_begin(o->os, observer_out(o));
	buffer_append(observer_out(o), o->limits.data, o->limits.size);
	if (o->target.is_launched)
		status = release_command(o, err);
	if (!status && o->capture)
		status = capture_writer_place(o->capture, err);
	o->is_running = !status;
	return status;
}
