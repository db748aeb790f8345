/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which records are an observer's. The live set follows the starts and exits
 * in the records.
 */
#include "collect/observer_state.h"

#include <string.h>

#include "model/probe.h"

static void follow(struct sooth_observer *o, const struct process_id *process)
{
	struct sooth_error ignored;

	target_join(&o->target, process, &ignored);
	for (unsigned i = 1; i <= o->probe_count; i++) {
		struct observed_probe *p = &o->probes[i];
		bool is_followed = backend_follows(hub_source_backend(p->source));

		/* On a host, only selected processes and their children are followed. */
		if (!is_followed && target_means_some(&o->target))
			continue;
		if (p->is_started || is_followed)
			hub_want(p->source, process, p->interest, is_followed, &ignored);
		/* What is wanted of the start alone is known of its children by their parent. */
		if (p->is_started && !(p->interest & INTEREST_ONCE))
			hub_joined(p->source, process);
		else if (is_followed) /* it is being stopped: nothing would release it later */
			hub_unwant(p->source, process, p->interest, false, &ignored);
	}
}

/* Not followed yet, so every source is asked to. */
static int want_now(
	struct sooth_observer *o, const struct process_id *process, struct sooth_error *err)
{
	int status = target_join(&o->target, process, err);

	for (unsigned i = 1; i <= o->probe_count && !status; i++) {
		struct observed_probe *p = &o->probes[i];

		if (!p->is_started)
			continue;
		status = hub_want(p->source, process, p->interest, false, err);
		if (status && observer_leaves_out(o, p, process, err, observer_out(o))) {
			status = 0;
			continue;
		}
		if (!status && !(p->interest & INTEREST_ONCE))
			hub_joined(p->source, process);
	}
	return status;
}

int observer_join(struct sooth_observer *o, pid_t pid, struct sooth_error *err)
{
	struct process_id process;
	int status = o->os->identify(o->os, pid, &process, err);

	if (!status && !target_knows(&o->target, &process))
		status = want_now(o, &process, err);
	if (!status)
		target_describe(&o->target, o->os, observer_out(o));
	return status;
}

static void forget(struct sooth_observer *o, const struct process_id *process)
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

/*
 * If this is the only observer of a source that lost process starts, all its records
 * are accepted: it observes nothing else.
 */
static bool belongs(struct sooth_observer *o, const struct sooth_record *r, bool takes_all)
{
	struct process_id process = process_id_of(r);

	if (!process.pid || !memcmp(&process, &o->last_member, sizeof(process)))
		return true;
	if (!target_has(&o->target, &process)) {
		if (!takes_all)
			return false;
		follow(o, &process);
	}
	o->last_member = process;
	return true;
}

/*
 * Several sources may follow the same processes, so duplicates are dropped. A start and
 * an exit are identified by their process; a process may exec more than once, so execs
 * are taken from one source only.
 */
static bool take_coming(struct sooth_observer *o, const struct process_join *join)
{
	struct process_id process = process_id_of(&join->record);
	struct process_id parent = { .start_ticks = join->parent_start_ticks,
		.pid = join->parent_pid };

	if (!target_has(&o->target, &parent) || target_knows(&o->target, &process))
		return false;
	follow(o, &process);
	return true;
}

/* Its exec is its start: before it was a copy of us. */
static bool is_launched(const struct sooth_observer *o, const struct process_id *process)
{
	return o->target.is_launched &&
	       !memcmp(process, &o->target.launch.process, sizeof(*process));
}

static bool take_exec(struct sooth_observer *o, const struct process_id *process, unsigned source)
{
	if (!o->exec_teller)
		o->exec_teller = source;
	if (o->exec_teller != source)
		return false;
	for (unsigned i = 1; i <= o->probe_count; i++) {
		if (!(o->probes[i].interest & INTEREST_ONCE) || is_launched(o, process))
			hub_joined(o->probes[i].source, process);
	}
	return true;
}

static bool take_end(struct sooth_observer *o, const struct process_id *process)
{
	o->last_member = (struct process_id){ 0 };
	if (!target_note_end(&o->target, process))
		return false;
	forget(o, process);
	return true;
}

/* True when the record is this observer's; keeps the live set on the way. */
static bool admit(
	struct sooth_observer *o, const struct sooth_record *r, unsigned source, bool takes_all)
{
	struct process_id process = process_id_of(r);

	if (r->kind == PROCESS_JOIN)
		return take_coming(o, (const void *)r);
	if (!belongs(o, r, takes_all))
		return false;
	if (r->kind == PROCESS_EXEC)
		return take_exec(o, &process, source);
	return r->kind != PROCESS_LEAVE || take_end(o, &process);
}

static unsigned source_index(const struct sooth_observer *o, const struct hub_source *source)
{
	for (unsigned i = 1; i <= o->probe_count; i++) {
		if (o->probes[i].source == source)
			return i;
	}
	return 0;
}

/* A shared source delivers what any of its users wants. */
static bool is_selected(const struct observed_probe *p, uint16_t kind)
{
	const struct sooth_schema *schema = registry_schema(kind);

	if (kind <= KIND_STREAM_LAST || !schema || !hub_source_backend(p->source)->drain)
		return true;
	if (schema->class_ == SOOTH_CLASS_AGGREGATE)
		return p->interest & INTEREST_COUNT;
	return schema->class_ != SOOTH_CLASS_EVENT || p->interest & INTEREST_STREAM;
}

int observer_receive(
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
		if (wanted && admit(o, r, index, takes_all))
			buffer_append(out, r, record_bytes(r));
	}
	return buffer_failed(out) ? error_no_memory(err) : 0;
}
