/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests while an observer runs: phases, and pauses of the recording. */
#include "collect/observer_state.h"

#include <errno.h>
#include <string.h>

#include "collect/backend.h"
#include "collect/collector.h"

static struct observer_pause *last_pause(const struct sooth_observer *o)
{
	struct observer_pause *all = (void *)o->pauses.data;
	size_t count = o->pauses.size / sizeof(*all);

	return count ? &all[count - 1] : NULL;
}

static bool is_open(const struct sooth_observer *o)
{
	const struct observer_pause *last = last_pause(o);

	return last && last->to_ns == UINT64_MAX;
}

static int check_running(const struct sooth_observer *o, const char *tried, struct sooth_error *err)
{
	int status = observer_check_owner(o, err);

	if (status || o->is_running)
		return status;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "%s", tried);
	error_why(err, "the observer does not run");
	return error_remedy(
		err, "call this between start and stop, while a process of the target runs");
}

int sooth_observer_mark(struct sooth_observer *o, const char *name, struct sooth_error *err)
{
	ERROR_HERE(err);
	int status = check_running(o, "mark a phase", err);

	if (!status && (!name || !*name)) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "mark a phase");
		error_why(err, "it has no name");
		return error_remedy(err, "give a text that is not empty");
	}
	if (!status)
		collector_mark(o->os, observer_out(o), STREAM_MARK_PHASE, name);
	return status ? status : buffer_failed(observer_out(o)) ? error_no_memory(err) : 0;
}

/* Aggregates made in the kernel have no times of single events. */
static int check_streams(const struct sooth_observer *o, struct sooth_error *err)
{
	for (unsigned i = 1; i <= o->probe_count; i++) {
		const struct observed_probe *p = &o->probes[i];

		if (!(p->interest & INTEREST_COUNT) || p->interest & INTEREST_STREAM)
			continue;
		error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "pause the recording");
		error_why(err, "the kernel only adds up what \"%s\" observes", p->name);
		return error_remedy(err, "record single events instead of counts");
	}
	return 0;
}

int sooth_observer_pause(struct sooth_observer *o, struct sooth_error *err)
{
	ERROR_HERE(err);
	int status = check_running(o, "pause the recording", err);

	return status ? status : observer_pause_begin(o, err);
}

int observer_pause_begin(struct sooth_observer *o, struct sooth_error *err)
{
	struct observer_pause pause = { .to_ns = UINT64_MAX };
	int status = check_streams(o, err);

	if (status || is_open(o))
		return status;
	pause.from_ns = collector_mark(o->os, observer_out(o), STREAM_MARK_PAUSE, "");
	buffer_append(&o->pauses, &pause, sizeof(pause));
	return buffer_failed(&o->pauses) ? error_no_memory(err) : 0;
}

int sooth_observer_resume(struct sooth_observer *o, struct sooth_error *err)
{
	ERROR_HERE(err);
	int status = check_running(o, "resume the recording", err);

	if (status || !is_open(o))
		return status;
	last_pause(o)->to_ns = collector_mark(o->os, observer_out(o), STREAM_MARK_RESUME, "");
	return 0;
}

int sooth_observer_snapshot(struct sooth_observer *o, struct sooth_error *err)
{
	ERROR_HERE(err);
	int status = check_running(o, "take a snapshot", err);

	if (!status)
		collector_mark(o->os, observer_out(o), STREAM_MARK_SNAPSHOT, "");
	return status;
}

bool observer_is_paused(const struct sooth_observer *o, const struct sooth_record *event)
{
	const struct sooth_schema *schema = registry_schema(event->kind);

	if (event->kind <= KIND_STREAM_LAST || !schema || schema->class_ != SOOTH_CLASS_EVENT)
		return false;
	buffer_each (const struct observer_pause, pause, &o->pauses) {
		if (event->time_ns >= pause->from_ns && event->time_ns < pause->to_ns)
			return true;
	}
	return false;
}

void observer_forget_pauses(struct sooth_observer *o, uint64_t complete_ns)
{
	const struct observer_pause *all = (const void *)o->pauses.data;
	size_t count = o->pauses.size / sizeof(*all), past = 0;

	while (past < count && all[past].to_ns < complete_ns)
		past++;
	if (past)
		buffer_consume(&o->pauses, past * sizeof(*all));
}

uint64_t sooth_observer_event_ns(const struct sooth_observer *o, const char *probe)
{
	for (unsigned i = 1; i <= o->probe_count; i++) {
		const struct observed_probe *p = &o->probes[i];

		if (p->source && !strcmp(p->name, probe))
			return hub_source_backend(p->source)->target_ns;
	}
	return 0;
}
