/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaching: find the target, open a source for each probe, record the definitions, mark the
 * processes, and only then let anything run. Also decides which records belong to an observer: the
 * set of live processes follows the starts and exits in the records.
 */
#include "collect/observer_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "capture/writer.h"
#include "collect/collector.h"
#include "collect/hub.h"
#include "collect/observer.h"
#include "collect/stream.h"
#include "collect/target.h"
#include "model/probe.h"
#include "model/schema.h"
#include "os/os.h"

/* --- processes that a probe may not observe, among others that it may --- */

/* Returns the probe's name in an analysis (analyze/diagnosis/diagnosis_input.c). */
static const char *limit_name(const struct observed_probe *p)
{
	return !strcmp(p->name, "syscalls") ? "system calls" : p->name;
}

/* Returns whether a probe goes on without a process that it may not observe. A limit reports it. */
static bool observer_leaves_out(struct sooth_observer *o, struct observed_probe *p,
	const struct process_id *process, const struct sooth_error *refusal, struct buffer *limits)
{
	struct sooth_error ignored;
	char reason[512];

	if (!o->options.may_be_refused || refusal->fault != SOOTH_FAULT_PRIVILEGE)
		return false;
	hub_unwant(p->source, process, p->interest, true, &ignored); /* the probe follows none of
								      * its children */
	snprintf(reason, sizeof(reason), "%s: %s", refusal->tried, refusal->why);
	/* The limit has no remedy: there may be many such limits, and a report gives it once. */
	collector_limit(o->os, limits, process, limit_name(p), reason, "");
	return true;
}

/* Returns whether the probe leaves out the process, by the process itself or its parent. */
static bool is_left_out(const struct observed_probe *p, const struct process_id *process)
{
	return p->is_late && !hub_is_wanted(p->source, process);
}

/* `parent`: a followed one, or the process itself. */
static void follow_process(
	struct sooth_observer *o, const struct process_id *process, const struct process_id *parent)
{
	struct sooth_error ignored;

	target_join(&o->target, process, &ignored);
	for (unsigned i = 1; i <= o->probe_count; i++) {
		struct observed_probe *p = &o->probes[i];
		bool is_followed = backend_follows(hub_source_backend(p->source));

		if (is_left_out(p, parent))
			continue;
		/* On a host, only selected processes and their children are followed. */
		if (!is_followed && target_means_some(&o->target))
			continue;
		if (p->is_started || is_followed)
			hub_want(p->source, process, p->interest, is_followed, &ignored);
		/* A probe that is requested only at the start identifies a child by its parent. */
		if (p->is_started && !(p->interest & INTEREST_ONCE))
			hub_joined(p->source, process);
		else if (is_followed) /* being stopped: else nothing would release it later */
			hub_unwant(p->source, process, p->interest, false, &ignored);
	}
}

/* Requests a process that is not followed yet from every source. */
static int request_process(
	struct sooth_observer *o, const struct process_id *process, struct sooth_error *err)
{
	int status = target_join(&o->target, process, err);

	for (unsigned i = 1; i <= o->probe_count && !status; i++) {
		struct observed_probe *p = &o->probes[i];

		if (!p->is_started || p->is_late)
			continue;
		status = hub_want(p->source, process, p->interest, false, err);
		if (status && observer_leaves_out(o, p, process, err, observer_out(o))) {
			status = 0;
			continue;
		}
		/* This is the start of the process, so it includes probes that are requested only
		 * at the start. */
		if (!status)
			hub_joined(p->source, process);
	}
	if (status)
		target_forget(&o->target, process);
	return status;
}

int observer_join(struct sooth_observer *o, pid_t pid, struct sooth_error *err)
{
	struct process_id process;
	int status = o->os->identify(o->os, pid, &process, err);

	if (!status && !target_knows(&o->target, &process))
		status = request_process(o, &process, err);
	if (!status)
		target_describe(&o->target, o->os, observer_out(o));
	return status;
}

static void forget_process(struct sooth_observer *o, const struct process_id *process)
{
	struct sooth_error ignored;

	target_leave(&o->target, process);
	for (unsigned i = 1; i <= o->probe_count; i++) {
		struct observed_probe *p = &o->probes[i];
		bool is_followed = backend_follows(hub_source_backend(p->source));

		if (p->is_started)
			hub_unwant(p->source, process, p->interest, is_followed, &ignored);
	}
}

/* Returns whether a record belongs to the target. If this is the only observer of a source that
 * lost process starts, all its records do: the source observes nothing else. */
static bool belongs_to_target(
	struct sooth_observer *o, const struct sooth_record *r, bool takes_all)
{
	struct process_id process = process_id_of(r);

	if (!process.pid || !memcmp(&process, &o->last_member, sizeof(process)))
		return true;
	if (!target_has(&o->target, &process)) {
		if (!takes_all)
			return false;
		follow_process(o, &process, &process);
	}
	o->last_member = process;
	return true;
}

/* Handles a process start. Several sources may follow the same processes, so duplicates are
 * dropped. A start and an exit are identified by their process; a process may exec more than once,
 * so execs are taken from one source only. */
static bool handle_start(struct sooth_observer *o, const struct process_join *join)
{
	struct process_id process = process_id_of(&join->record);
	struct process_id parent = { .start_ticks = join->parent_start_ticks,
		.pid = join->parent_pid };

	if (!target_has(&o->target, &parent) || target_knows(&o->target, &process))
		return false;
	follow_process(o, &process, &parent);
	return true;
}

/* Returns whether it is the launched command. Its exec is its start: before, it was a copy of
 * sooth. */
static bool is_launched(const struct sooth_observer *o, const struct process_id *process)
{
	return o->target.is_launched &&
	       !memcmp(process, &o->target.launch.process, sizeof(*process));
}

static bool handle_exec(struct sooth_observer *o, const struct process_id *process, unsigned source)
{
	if (!o->exec_teller)
		o->exec_teller = source;
	if (o->exec_teller != source)
		return false;
	for (unsigned i = 1; i <= o->probe_count; i++) {
		if ((!(o->probes[i].interest & INTEREST_ONCE) || is_launched(o, process)) &&
			!is_left_out(&o->probes[i], process))
			hub_joined(o->probes[i].source, process);
	}
	return true;
}

static bool handle_exit(struct sooth_observer *o, const struct process_id *process)
{
	o->last_member = (struct process_id){ 0 };
	if (!target_note_end(&o->target, process))
		return false;
	forget_process(o, process);
	return true;
}

/* Returns whether the record is this observer's, and updates the set of live processes. */
static bool admit_record(
	struct sooth_observer *o, const struct sooth_record *r, unsigned source, bool takes_all)
{
	struct process_id process = process_id_of(r);

	if (r->kind == PROCESS_JOIN)
		return handle_start(o, (const void *)r);
	if (!belongs_to_target(o, r, takes_all))
		return false;
	if (r->kind == PROCESS_EXEC)
		return handle_exec(o, &process, source);
	return r->kind != PROCESS_LEAVE || handle_exit(o, &process);
}

static unsigned source_index(const struct sooth_observer *o, const struct hub_source *source)
{
	for (unsigned i = 1; i <= o->probe_count; i++) {
		if (o->probes[i].source == source)
			return i;
	}
	return 0;
}

/* Returns whether the probe selects a kind: a shared source delivers the kinds of all its users. */
static bool is_selected(const struct observed_probe *p, uint16_t kind)
{
	const struct sooth_schema *schema = registry_schema(kind);

	/* A late probe was not requested, so what it cannot do is no gap of the report. */
	if (p->is_late && kind == STREAM_LIMIT)
		return false;
	if (kind <= KIND_STREAM_LAST || !schema || !hub_source_backend(p->source)->drain)
		return true;
	if (schema->class_ == SOOTH_CLASS_AGGREGATE)
		return p->interest & INTEREST_COUNT || hub_is_lightened(p->source);
	return schema->class_ != SOOTH_CLASS_EVENT || p->interest & INTEREST_STREAM;
}

/* Handles the records of the target, and updates the set of live processes, as a hub_receiver. */
static int observer_receive(
	void *user, struct hub_source *source, const struct batch *batch, struct sooth_error *err)
{
	bool takes_all = hub_has_lost_comings(source) && !hub_is_shared(source);
	struct sooth_observer *o = user;
	unsigned index = source_index(o, source);
	struct buffer *out = stream_source(&o->stream, index);
	uint16_t last_kind = 0;
	bool wanted = true;

	if (!index)
		return 0;
	batch_for_each (r, batch) {
		if (r->kind != last_kind) { /* kinds come in runs */
			last_kind = r->kind;
			wanted = is_selected(&o->probes[index], last_kind);
		}
		if (wanted && admit_record(o, r, index, takes_all) &&
			!(o->pauses.size && observer_is_paused(o, r)))
			buffer_append(out, r, record_bytes(r));
	}
	return buffer_failed(out) ? error_no_memory(err) : 0;
}

/* Returns whether the interest is in all processes of the host. If processes are selected, all
 * others are only sampled. */
static bool is_of_host(const struct sooth_observer *o, unsigned interest)
{
	bool is_expensive =
		interest & (INTEREST_COUNT | INTEREST_STREAM) && !(interest & INTEREST_BRIEF);

	return o->target.selector == TARGET_HOST &&
	       !(is_expensive && target_means_some(&o->target));
}

static struct probe_options options_for(
	const struct sooth_observer *o, const struct observed_probe *p)
{
	return (struct probe_options){
		.observer = o->options,
		.interest = p->interest,
		.is_host = is_of_host(o, p->interest),
		.has_uid = o->target.selector == TARGET_USER,
		.uid = o->target.uid,
		.agents = o->agents,
		.is_launched = o->target.is_launched,
		.process_count = o->target.members.count,
	};
}

int observer_acquire(struct sooth_observer *o, unsigned i, struct sooth_error *err)
{
	struct observed_probe *p = &o->probes[i];
	struct probe_options options = options_for(o, p);
	struct buffer refusals = { 0 };
	int status = hub_acquire(o->hub, p->name, &options, &p->source, &refusals, err);

	if (!status) {
		collector_source(o->os, observer_out(o), i, hub_source_backend(p->source),
			buffer_cstr(&refusals));
		o->reported_of_ends |= backend_follows(hub_source_backend(p->source));
	}
	buffer_fini(&refusals);
	return status;
}

static int acquire_sources(struct sooth_observer *o, struct sooth_error *err)
{
	int status = 0;

	for (unsigned i = 1; i <= o->probe_count && !status; i++)
		status = observer_acquire(o, i, err);
	return status;
}

void observer_write_schemas(struct sooth_observer *o, const char *name)
{
	const struct probe *probe = registry_probe(name);

	for (size_t k = 0; probe->schemas[k]; k++)
		collector_schema(o->os, observer_out(o), probe->schemas[k]);
}

static void write_schemas(struct sooth_observer *o)
{
	for (size_t i = 0; stream_schemas[i]; i++)
		collector_schema(o->os, observer_out(o), stream_schemas[i]);
	for (unsigned i = 1; i <= o->probe_count; i++)
		observer_write_schemas(o, o->probes[i].name);
}

void observer_unwant(struct sooth_observer *o, struct observed_probe *p, size_t until)
{
	struct sooth_error ignored;
	const struct process_id *process;
	size_t position = 0;

	while (position < until && (process = target_next(&o->target, &position)))
		hub_unwant(p->source, process, p->interest, false, &ignored);
}

/* Requests the target. A probe that may observe none is refused; else some are left out. */
static int request_targets(
	struct sooth_observer *o, struct observed_probe *p, struct sooth_error *err)
{
	unsigned interest = p->interest | (o->target.is_launched ? INTEREST_FROM_EXEC : 0);
	const struct process_id *process;
	size_t position = 0, wanted = 0, limits = o->limits.size;
	struct sooth_error refusal;
	int status = 0, refused = 0;

	while (!status && (process = target_next(&o->target, &position))) {
		status = hub_want(p->source, process, interest, false, err);
		/* One of several selected processes may exit before it is attached to. */
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

		status = request_targets(o, p, err);
		if (status)
			break;
		p->is_started = true;
		status = hub_start(o->hub, p->source, err);
		log_line(&o->log, LOG_DEBUG, "started %s for %zu processes", p->name,
			(size_t)o->target.live);
	}
	return status;
}

/* Releases the command, whose exec is done when this returns. If no backend reports the exec, it is
 * recorded here. */
static int release_command(struct sooth_observer *o, struct sooth_error *err)
{
	int status = 0;

	for (unsigned i = 1; i <= o->probe_count && !status; i++)
		status = hub_launching(o->probes[i].source, &o->target.launch, err);
	if (!status)
		status = o->os->release(o->os, &o->target.launch, err);
	if (!status)
		log_line(&o->log, LOG_DEBUG, "the launched command runs: process %d",
			(int)o->target.launch.pid);
	for (unsigned i = 1; i <= o->probe_count && !status && !o->reported_of_ends; i++)
		hub_joined(o->probes[i].source, &o->target.launch.process);
	return status;
}

static int resolve_pids(struct target *t, const struct os *os, struct sooth_error *err)
{
	const pid_t *pids = (const void *)t->pids.data;
	int status = 0, gone = 0;

	for (size_t i = 0; i < t->pids.size / sizeof(*pids) && !status; i++) {
		struct process_id process;

		status = os->identify(os, pids[i], &process, err);
		if (status == -ESRCH && t->may_be_gone) {
			gone = status;
			status = 0;
			continue;
		}
		if (!status)
			status = target_join(t, &process, err);
	}
	return status || t->live ? status : gone;
}

/* Resolves the selected processes. A selected process of a host must exist, as in any other target.
 */
static int resolve_targeted(struct target *t, const struct os *os, struct sooth_error *err)
{
	int status = 0, gone = 0;

	buffer_each_while (const pid_t, pid, &t->pids, !status) {
		struct process_id process;

		status = os->identify(os, *pid, &process, err);
		if (status == -ESRCH) {
			gone = status;
			status = 0;
			continue;
		}
		if (!status)
			status = target_join(t, &process, err);
	}
	return status || t->may_be_gone ? status : gone;
}

static int resolve_user(struct target *t, const struct os *os, struct sooth_error *err)
{
	struct buffer found = { 0 };
	int status = os->list(os, true, t->uid, &found, err);

	buffer_each_while (const struct process_id, process, &found, !status)
		status = target_join(t, process, err);
	buffer_fini(&found);
	return status;
}

/* Finds, or launches, the first processes. */
static int target_resolve(struct target *t, const struct os *os, struct sooth_error *err)
{
	int status;

	switch (t->selector) {
	case TARGET_PIDS:
		return resolve_pids(t, os, err);
	case TARGET_USER:
		return resolve_user(t, os, err);
	case TARGET_HOST:
		return resolve_targeted(t, os, err);
	case TARGET_COMMAND:
		status = os->launch(os, t->command, &t->launch, err);
		if (status)
			return status;
		t->is_launched = true;
		return target_join(t, &t->launch.process, err);
	default:
		return error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "observe without a target");
	}
}

static int check_start(const struct sooth_observer *o, struct sooth_error *err)
{
	if (o->options.profile.rate_hz > SOOTH_PROFILE_HZ_MOST) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "sample stacks %u times a second",
			o->options.profile.rate_hz);
		error_why(err, "at most %d are possible", SOOTH_PROFILE_HZ_MOST);
		return error_remedy(err, "choose a lower rate; 99 is the default");
	}
	return observer_check_owner(o, err);
}

/* --- plan --- */

static int plan_probe(const struct sooth_observer *o, const struct observed_probe *p,
	struct backend_mode *mode, struct buffer *refusals, struct sooth_error *err)
{
	struct probe_options options = options_for(o, p);
	const struct process_id *process = NULL;
	const struct backend *backend;
	size_t position = 0;
	int status;

	if (!options.is_host && !options.has_uid)
		process = target_next(&o->target, &position);
	options.is_launched = o->target.selector == TARGET_COMMAND;
	status = hub_choose(o->os, p->name, &options, process, &backend, refusals, err);
	if (!status)
		*mode = backend_mode_of(backend, &options);
	return status;
}

int observer_plan(struct sooth_observer *o,
	int (*take)(void *user, const struct observer_planned *p, struct sooth_error *err),
	void *user, struct sooth_error *err)
{
	int status = check_start(o, err);

	o->target.may_be_gone = o->options.may_be_gone;
	if (!status && o->target.selector != TARGET_COMMAND)
		status = target_resolve(&o->target, o->os, err);
	for (unsigned i = 1; i <= o->probe_count && !status; i++) {
		struct observer_planned planned = { .probe = o->probes[i].name };
		struct buffer refusals = { 0 };
		struct sooth_error refusal;
		struct backend_mode mode;

		if (plan_probe(o, &o->probes[i], &mode, &refusals, &refusal))
			planned.error = &refusal;
		else
			planned.mode = &mode;
		planned.refusals = buffer_cstr(&refusals);
		status = take(user, &planned, err);
		buffer_fini(&refusals);
	}
	return status;
}

int sooth_observer_start(struct sooth_observer *o, struct sooth_error *err)
{
	ERROR_HERE(err);
	int status = check_start(o, err);

	if (status)
		return status;
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
	/* Attached: counts begin here. */
	o->last_sample_ns = o->last_edges_ns = o->last_sweep_ns =
		collector_begin(o->os, observer_out(o));
	buffer_append(observer_out(o), o->limits.data, o->limits.size);
	if (o->options.starts_paused)
		status = observer_pause_begin(o, err);
	if (!status && o->target.is_launched)
		status = release_command(o, err);
	if (!status && o->capture)
		status = capture_writer_place(o->capture, err);
	o->is_running = !status;
	return status;
}
