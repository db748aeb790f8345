/* SPDX-License-Identifier: BSD-2-Clause */
/* Profiles: the rows of the view of functions, and the samples with their stacks. */
#include <sooth/profile.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/profile/profile_table.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/options.h"
#include "library/observation.h"
#include "library/stacks.h"
#include "library/table.h"
#include "library/tracker.h"
#include "model/batch.h"
#include "probes/profile.h"

#define NS_PER_S    1000000000ull
#define NS_PER_MS   1000000ull
#define DURATION_NS (5 * NS_PER_S)
#define STEP_MS	    100

static int store_function(void *user, const char *section, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	return strcmp(section, "functions") ? 0 : table_append(user, schema, row);
}

/* --- in one call --- */

struct sooth_table *sooth_profile(
	pid_t pid, const struct sooth_profiler_options *options, struct sooth_error *err)
{
	static const struct observation_probe probes[] = { { "profile", SOOTH_STREAM },
		{ NULL, 0 } };
	ERROR_HERE(err);
	struct sooth_profiler_options o;
	struct profile_options view;
	struct observation n = { .name = "profile",
		.view = "profile-table",
		.view_options = &view,
		.pid = pid,
		.probes = probes,
		.take = store_function };

	if (options_copy(&o, sizeof(o), options, err) ||
		observation_options(&n.options, o.observer, err))
		return NULL;
	n.options.profile = o.profile;
	view = (struct profile_options){ .naming = { .has_lines = o.profile.has_source_lines } };
	n.duration_ns = o.duration_ns ? o.duration_ns : DURATION_NS;
	return observation_table(&n, "profile", err);
}

/* --- samples --- */

struct sooth_profiler {
	struct tracker tracker; /* tracker, whose queue has struct profile_sample */
	struct stacks stacks;
	struct sooth_table *functions;
	struct sooth_sample sample; /* the sample that the caller borrows */
};

static int handle_record(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct sooth_profiler *p = user;
	struct profile_sample sample;

	(void)schema;
	tracker_count(&p->tracker, record);
	if (record->kind == PROFILE_STACK || record->kind == PROFILE_FRAME)
		stacks_add_record(&p->stacks, record);
	if (record->kind != PROFILE_SAMPLE || !record_holds(record, sizeof(sample)))
		return 0;
	memcpy(&sample, record, sizeof(sample));
	buffer_append(&p->tracker.coming, &sample, sizeof(sample));
	return tracker_check(&p->tracker);
}

static int store_row(void *user, const char *section, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	struct sooth_profiler *p = user;

	return store_function(p->functions, section, schema, row);
}

static int begin_profile(struct sooth_profiler *p, const struct tracker_target *target,
	const struct sooth_profiler_options *o, struct sooth_error *err)
{
	struct profile_options view = { .naming = { .has_lines = o->profile.has_source_lines } };
	struct sooth_observer_options chosen;
	int status = observation_options(&chosen, o->observer, err);

	chosen.profile = o->profile;
	if (!status)
		status = tracker_begin(&p->tracker, "profile", "profile",
			sizeof(struct profile_sample), &chosen, err);
	if (!status)
		status = sooth_report_add_view(p->tracker.report, "profile-table", &view, err);
	if (!status)
		status = sooth_report_on_row(p->tracker.report, store_row, p, err);
	if (status)
		return status;
	sooth_report_on_record(p->tracker.report, handle_record, p);
	status = tracker_add(&p->tracker, target, err);
	if (!status)
		status =
			sooth_observer_add_probe(p->tracker.observer, "profile", SOOTH_STREAM, err);
	return status ? status : tracker_start(&p->tracker, err);
}

static int start_profiler(const struct tracker_target *target,
	const struct sooth_profiler_options *options, struct sooth_profiler **out,
	struct sooth_error *err)
{
	ERROR_HERE(err);
	struct sooth_profiler_options o;
	struct sooth_profiler *p = calloc(1, sizeof(*p));
	int status = options_copy(&o, sizeof(o), options, err);

	*out = NULL;
	if (!p)
		return error_no_memory(err);
	stacks_init(&p->stacks, PROFILE_STACK, PROFILE_FRAME, o.profile.has_source_lines);
	if (!status) {
		p->functions = table_new(err);
		status = p->functions ? begin_profile(p, target, &o, err) : -ENOMEM;
	}
	if (status) {
		sooth_profiler_close(p);
		return observation_failed(status, err);
	}
	*out = p;
	return 0;
}

int sooth_profiler_start(pid_t pid, const struct sooth_profiler_options *options,
	struct sooth_profiler **out, struct sooth_error *err)
{
	return start_profiler(&(struct tracker_target){ &pid, 1, NULL }, options, out, err);
}

int sooth_profiler_start_multiple(const pid_t *pids, size_t count,
	const struct sooth_profiler_options *options, struct sooth_profiler **out,
	struct sooth_error *err)
{
	return start_profiler(&(struct tracker_target){ pids, count, NULL }, options, out, err);
}

int sooth_profiler_start_command(char *const *command, const struct sooth_profiler_options *options,
	struct sooth_profiler **out, struct sooth_error *err)
{
	return start_profiler(&(struct tracker_target){ NULL, 0, command }, options, out, err);
}

int sooth_profiler_run(struct sooth_profiler *p, int timeout_ms, struct sooth_error *err)
{
	uint64_t now = clock_monotonic_ns();
	uint64_t end = timeout_ms < 0 ? UINT64_MAX : now + (uint64_t)timeout_ms * NS_PER_MS;
	int status = p->tracker.has_ended ? 0 : 1;

	do {
		uint64_t left = now < end ? (end - now - 1) / NS_PER_MS + 1 : 0;

		if (!p->tracker.has_ended)
			status = sooth_observer_step(
				p->tracker.observer, left > STEP_MS ? STEP_MS : (int)left, err);
		p->tracker.has_ended |= !status;
		now = clock_monotonic_ns();
	} while (status > 0 && now < end);
	return status;
}

int sooth_profiler_fd(struct sooth_profiler *p)
{
	return tracker_fd(&p->tracker);
}

int sooth_profiler_stop(struct sooth_profiler *p, struct sooth_error *err)
{
	return tracker_stop(&p->tracker, err);
}

bool sooth_profiler_next(struct sooth_profiler *p, const struct sooth_sample **sample)
{
	const struct profile_sample *s;
	struct profile_stacked stacked;

	if (!p->tracker.is_stopped || !tracker_turn(&p->tracker))
		return false;
	s = (const struct profile_sample *)p->tracker.queue.data + p->tracker.next++;
	p->tracker.given++;
	p->sample = (struct sooth_sample){ .time_ns = s->record.time_ns,
		.cpu_ns = s->period_ns,
		.process = s->process,
		.thread = s->thread,
		.pid = (pid_t)s->record.pid,
		.tid = (pid_t)s->record.tid,
		.phase = tracker_phase_at(&p->tracker, s->record.time_ns) };
	p->sample.frame_count = stacks_frames(&p->stacks, s->stack, &p->sample.frames);
	p->sample.is_whole = profile_sums_stack(&p->stacks.sums, s->stack, &stacked) &&
			     stacked.end == PROFILE_WHOLE;
	*sample = &p->sample;
	return true;
}

int sooth_profiler_mark(struct sooth_profiler *p, const char *phase, struct sooth_error *err)
{
	return sooth_observer_mark(p->tracker.observer, phase, err);
}

int sooth_profiler_pause(struct sooth_profiler *p, struct sooth_error *err)
{
	return sooth_observer_pause(p->tracker.observer, err);
}

int sooth_profiler_resume(struct sooth_profiler *p, struct sooth_error *err)
{
	return sooth_observer_resume(p->tracker.observer, err);
}

struct sooth_observer *sooth_profiler_observer(struct sooth_profiler *p)
{
	return p->tracker.observer;
}

struct sooth_table *sooth_profiler_functions(struct sooth_profiler *p, struct sooth_error *err)
{
	if (p->tracker.is_stopped)
		return table_copy(p->functions, err);
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "list functions of a profiler that runs");
	error_remedy(err, "call sooth_profiler_stop() before");
	return NULL;
}

void sooth_profiler_stats(const struct sooth_profiler *p, struct sooth_profile_stats *stats)
{
	const struct tracker *t = &p->tracker;
	size_t size = stats->size < sizeof(*stats) ? stats->size : sizeof(*stats);
	struct sooth_profile_stats now = { .size = size,
		.samples = t->given + tracker_waiting(t),
		.dropped = t->dropped,
		.sample_ns = t->event_ns };

	memcpy(stats, &now, size);
}

pid_t sooth_profiler_child_pid(const struct sooth_profiler *p)
{
	return sooth_observer_child_pid(p->tracker.observer);
}

int sooth_profiler_child_status(struct sooth_profiler *p)
{
	return sooth_observer_child_status(p->tracker.observer);
}

void sooth_profiler_close(struct sooth_profiler *p)
{
	if (!p)
		return;
	tracker_fini(&p->tracker);
	stacks_fini(&p->stacks);
	sooth_table_free(p->functions);
	free(p);
}
