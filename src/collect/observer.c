/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One recording from attach to detach. The observer requests a source of each probe from the hub,
 * updates the set of live processes by the starts and exits in the records, and makes blocks of the
 * records of its target.
 */
#include "collect/observer_state.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/options.h"
#include "base/parser.h"
#include "base/units.h"
#include "collect/collector.h"
#include "model/probe.h"
#include "explain/report.h"

#define TICK_NS	     NS_PER_S
#define SWEEP_NS     (250 * NS_PER_MS)
#define CYCLE_MS_MAX 50 /* records wait no longer than this in a kernel ring */

_Static_assert((int)SOOTH_SAMPLE == INTEREST_SAMPLE && (int)SOOTH_COUNT == INTEREST_COUNT &&
		       (int)SOOTH_STREAM == INTEREST_STREAM,
	"the public names are the internal ones");
_Static_assert((int)SOOTH_DETAIL == INTEREST_DETAIL && (int)SOOTH_BRIEF == INTEREST_BRIEF &&
		       (int)SOOTH_TRANSCRIPT == INTEREST_TRANSCRIPT &&
		       (int)SOOTH_ONCE == INTEREST_ONCE && (int)SOOTH_EDGES == INTEREST_EDGES &&
		       (int)SOOTH_RUNNING == INTEREST_RUNNING,
	"these too");

/* --- making one --- */

static void log_through(void *user, enum log_level level, const char *line)
{
	struct sooth_observer *o = user;

	o->options.log(o->options.log_user, (int)level, line);
}

int observer_new_on(struct sooth_observer **out, const struct os *os,
	const struct sooth_observer_options *options, struct sooth_error *err)
{
	ERROR_HERE(err);
	struct sooth_observer *o = calloc(1, sizeof(*o));
	int status;

	if (!o)
		return error_no_memory(err);
	status = options_copy(&o->options, sizeof(o->options), options, err);
	if (status) {
		free(o);
		return status;
	}
	o->owner = getpid();
	if (o->options.log)
		o->log = (struct log){ (enum log_level)o->options.log_level, log_through, o };
	target_init(&o->target);
	if (o->options.share) {
		o->hub = hub_ref(o->options.share->hub);
	} else {
		status = hub_new(&o->hub, os, &o->log, err);
		if (status) {
			free(o);
			return status;
		}
	}
	o->os = hub_os(o->hub);
	o->watch = (struct os_watch){ -1, -1 };
	*out = o;
	return 0;
}

int sooth_observer_new(struct sooth_observer **out, const struct sooth_observer_options *options,
	struct sooth_error *err)
{
	ERROR_HERE(err);
	return observer_new_on(out, &os_native, options, err);
}

int sooth_observer_add_pid(struct sooth_observer *o, pid_t pid, struct sooth_error *err)
{
	ERROR_HERE(err);
	int status = observer_check_owner(o, err);

	if (!status)
		status = target_add_pid(&o->target, pid, err);
	return status || !o->is_running ? status : observer_join(o, pid, err);
}

int sooth_observer_set_user(struct sooth_observer *o, uid_t uid, struct sooth_error *err)
{
	ERROR_HERE(err);
	return target_set_user(&o->target, uid, err);
}

int sooth_observer_set_host(struct sooth_observer *o, struct sooth_error *err)
{
	ERROR_HERE(err);
	return target_set_host(&o->target, err);
}

int sooth_observer_set_command(
	struct sooth_observer *o, char *const *command, struct sooth_error *err)
{
	ERROR_HERE(err);
	return target_set_command(&o->target, command, err);
}

int sooth_observer_add_probe(
	struct sooth_observer *o, const char *name, unsigned interest, struct sooth_error *err)
{
	ERROR_HERE(err);
	const struct probe *probe = registry_probe(name);

	if (!probe) {
		error_set(err, -ENOENT, SOOTH_FAULT_USAGE,
			"observe \"%s\": there is no probe of this name", name);
		return error_remedy(err, "`sooth doctor` lists the probes");
	}
	if (!(interest & probe->offers)) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "observe \"%s\" in the requested way",
			name);
		return error_why(err, "this probe offers only: %s%s%s",
			probe->offers & INTEREST_SAMPLE ? "samples " : "",
			probe->offers & INTEREST_COUNT ? "counts " : "",
			probe->offers & INTEREST_STREAM ? "a stream" : "");
	}
	for (unsigned i = 1; i <= o->probe_count; i++) {
		if (o->probes[i].name == probe->name) {
			o->probes[i].interest |= interest;
			return 0;
		}
	}
	if (o->probe_count + 1 >= STREAM_SOURCES_MAX)
		return error_set(err, -E2BIG, SOOTH_FAULT_USAGE, "observe more than %d probes",
			STREAM_SOURCES_MAX - 1);
	o->probes[++o->probe_count] =
		(struct observed_probe){ .name = probe->name, .interest = interest };
	return 0;
}

static int refuse_after_start(const struct sooth_observer *o, struct sooth_error *err)
{
	if (!o->has_started)
		return 0;
	return error_set(err, -EBUSY, SOOTH_FAULT_USAGE, "add to an observer that has started");
}

int sooth_observer_add_agent(struct sooth_observer *o, const char *file, const char *text,
	size_t size, struct sooth_error *err)
{
	ERROR_HERE(err);
	int status = refuse_after_start(o, err);

	if (status)
		return status;
	if (!o->agents)
		o->agents = agent_set_new();
	return o->agents ? agent_set_add(o->agents, file, text, size, err) : error_no_memory(err);
}

int sooth_observer_add_limit(struct sooth_observer *o, const char *what, const char *reason,
	const char *remedy, struct sooth_error *err)
{
	ERROR_HERE(err);
	int status = refuse_after_start(o, err);

	if (status)
		return status;
	collector_limit(o->os, &o->limits, NULL, what, reason, remedy);
	return buffer_failed(&o->limits) ? error_no_memory(err) : 0;
}

int observer_connect(
	struct sooth_observer *o, block_handler handler, void *user, struct sooth_error *err)
{
	ERROR_HERE(err);
	return stream_connect(&o->stream, handler, user, err);
}

int sooth_observer_connect_report(
	struct sooth_observer *o, struct sooth_report *report, struct sooth_error *err)
{
	ERROR_HERE(err);
	return observer_connect(o, report_block, report, err);
}

static int save_block(void *user, const struct block *block, struct sooth_error *err)
{
	return capture_writer_block(user, block, err);
}

int sooth_observer_save(struct sooth_observer *o, const char *path, struct sooth_error *err)
{
	ERROR_HERE(err);
	struct capture_options options = { .codec = CODEC_ZSTD, .judge = time_range_classify };
	int status = capture_writer_open(&o->capture, path, &options, err);

	return status ? status : observer_connect(o, save_block, o->capture, err);
}

/* --- running --- */

void observer_sample_every(struct sooth_observer *o, uint64_t sample_ns)
{
	assert(o);
	o->options.sample_ns = sample_ns;
}

uint64_t observer_agent_arrivals(const struct sooth_observer *o)
{
	assert(o);
	return hub_agent_arrivals(o->hub);
}

bool observer_is_lightened(const struct sooth_observer *o)
{
	bool is_lightened = false;

	assert(o);
	for (unsigned i = 1; i <= o->probe_count; i++)
		is_lightened |= o->probes[i].source && hub_is_lightened(o->probes[i].source);
	return is_lightened;
}

static int sample_when_due(struct sooth_observer *o, uint64_t now, struct sooth_error *err)
{
	bool is_edge = o->options.edges_ns && now - o->last_edges_ns >= o->options.edges_ns;
	int status = 0;

	if (!o->options.sample_ns || now - o->last_sample_ns < o->options.sample_ns)
		return 0;
	o->last_sample_ns = now;
	o->last_edges_ns = is_edge ? now : o->last_edges_ns;
	for (unsigned i = 1; i <= o->probe_count && !status; i++) {
		if (is_edge || !(o->probes[i].interest & INTEREST_EDGES))
			status = hub_sample(o->hub, o->probes[i].source, err);
	}
	return status;
}

static bool has_waiting_records(struct sooth_observer *o)
{
	for (unsigned i = 1; i <= o->probe_count; i++) {
		if (stream_source(&o->stream, i)->size)
			return true;
	}
	return false;
}

static int run_cycle(struct sooth_observer *o, struct sooth_error *err)
{
	uint64_t complete_ns;
	int status = hub_cycle(o->hub, &complete_ns, err);
	uint64_t now = o->os->now_ns(o->os);

	if (!status)
		status = sample_when_due(o, now, err);
	if (status)
		return status;
	observer_forget_pauses(o, complete_ns);
	if (has_waiting_records(o) || now - o->last_tick_ns >= TICK_NS)
		o->last_tick_ns = collector_tick(o->os, observer_out(o));
	return stream_flush(&o->stream, complete_ns, false, err);
}

static bool target_is_over(struct sooth_observer *o)
{
	uint64_t now = o->os->now_ns(o->os);

	if (o->target.is_launched)
		o->os->reap(o->os, &o->target.launch);
	if (target_is_open(&o->target))
		return false;
	if (now - o->last_sweep_ns >= SWEEP_NS || !o->reported_of_ends) {
		o->last_sweep_ns = now;
		target_sweep(&o->target, o->os);
	}
	return o->target.live == 0;
}

static size_t list_descriptors(struct sooth_observer *o, int descriptors[STREAM_SOURCES_MAX + 1])
{
	size_t count = hub_descriptors(o->hub, descriptors, STREAM_SOURCES_MAX);

	if (o->target.launch.descriptor >= 0 && o->target.launch.status == -1)
		descriptors[count++] = o->target.launch.descriptor;
	return count;
}

int sooth_observer_fd(struct sooth_observer *o, struct sooth_error *err)
{
	ERROR_HERE(err);
	int descriptors[STREAM_SOURCES_MAX + 1];
	int status = observer_check_owner(o, err);

	if (status || o->watch.descriptor >= 0)
		return status ? status : o->watch.descriptor;
	if (!o->is_running) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "wait in an event loop");
		return error_why(err, "the observer does not run");
	}
	status = o->os->watch_begin ? o->os->watch_begin(o->os, &o->watch, descriptors,
					      list_descriptors(o, descriptors), CYCLE_MS_MAX)
				    : -ENOSYS;
	return status ? error_errno(err, status, "make a descriptor for an event loop")
		      : o->watch.descriptor;
}

/* Returns the wait if no source reports by itself: until the next sample, or tick, is due. */
static int longest_wait_ms(const struct sooth_observer *o)
{
	uint64_t now = o->os->now_ns(o->os), due_ns = o->last_tick_ns + TICK_NS;
	uint64_t sample_ns =
		o->options.sample_ns ? o->last_sample_ns + o->options.sample_ns : due_ns;

	if (!target_is_open(&o->target))
		return CYCLE_MS_MAX;
	for (unsigned i = 1; i <= o->probe_count; i++) {
		if (o->probes[i].is_started && hub_source_backend(o->probes[i].source)->drain)
			return CYCLE_MS_MAX;
	}
	if (sample_ns < due_ns)
		due_ns = sample_ns;
	return due_ns > now ? (int)((due_ns - now + NS_PER_MS - 1) / NS_PER_MS) : 0;
}

static int wait_for_something(struct sooth_observer *o, int timeout_ms)
{
	int descriptors[STREAM_SOURCES_MAX + 1], most_ms;
	size_t count = list_descriptors(o, descriptors);

	if (o->watch.descriptor >= 0)
		o->os->watch_clear(o->os, &o->watch);
	most_ms = longest_wait_ms(o);
	if (timeout_ms < 0 || timeout_ms > most_ms)
		timeout_ms = most_ms;
	return o->os->wait(o->os, descriptors, count, timeout_ms);
}

int sooth_observer_step(struct sooth_observer *o, int timeout_ms, struct sooth_error *err)
{
	ERROR_HERE(err);
	int waited, status = observer_check_owner(o, err);

	if (status)
		return status;
	waited = wait_for_something(o, timeout_ms);
	status = run_cycle(o, err);
	if (status)
		return status;
	if (target_is_over(o))
		return 0;
	return waited == -EINTR ? -EINTR : 1;
}

/* --- the end --- */

/* Notes that counts are shared: threads keep their counts until the last observer that requests
 * them stops, which is another one. */
static void note_shared_counts(struct sooth_observer *o, const struct observed_probe *p)
{
	if (p->interest & INTEREST_COUNT)
		collector_limit(o->os, observer_out(o), NULL,
			"counts of processes that another observer also counts",
			"the counts go to the observer that stops last",
			"stop that observer first, or give each observer a hub of its own");
}

/* Notes that a file ended its parser, or kept it for too long. */
static void note_parser_failure(struct sooth_observer *o)
{
	char what[160];

	if (!parser_failure())
		return;
	snprintf(what, sizeof(what), "%s, perhaps of several", parser_failure());
	collector_limit(o->os, observer_out(o), NULL, what,
		"the process that parses it ended before it answered, or took too long", "");
}

/* Takes the last sample, if the probe samples. */
static int stop_sampling(
	struct sooth_observer *o, const struct observed_probe *p, struct sooth_error *err)
{
	bool is_once = p->interest & INTEREST_ONCE, is_edge = p->interest & INTEREST_EDGES;
	int status = is_edge && !is_once ? hub_sample(o->hub, p->source, err) : 0;

	if (!status && (hub_source_backend(p->source)->defines_at_stop || (!is_edge && !is_once)))
		status = hub_stop(o->hub, p->source, err);
	return status;
}

static int stop_sources(struct sooth_observer *o, struct sooth_error *err)
{
	int status = 0;

	/* Sampled probes stop first: those that count take a moment to detach. */
	for (unsigned i = 1; i <= o->probe_count; i++) {
		struct observed_probe *p = &o->probes[i];
		int failed = 0;

		if (p->is_started && !hub_source_backend(p->source)->drain) {
			p->is_started = false;
			failed = stop_sampling(o, p, status ? NULL : err);
		}
		status = status ? status : failed;
	}
	for (unsigned i = 1; i <= o->probe_count; i++) {
		struct observed_probe *p = &o->probes[i];
		int failed = 0;

		if (!p->is_started)
			continue;
		/* The last observer stops the whole source. */
		if (hub_is_shared(p->source)) {
			note_shared_counts(o, p);
			failed = hub_drain(o->hub, p->source, status ? NULL : err);
			status = status ? status : failed;
			observer_unwant(o, p, SIZE_MAX);
		}
		p->is_started = false;
		failed = hub_stop(o->hub, p->source, status ? NULL : err);
		status = status ? status : failed;
	}
	return status;
}

int sooth_observer_stop(struct sooth_observer *o, enum sooth_end why, struct sooth_error *err)
{
	ERROR_HERE(err);
	uint64_t end_ns = o->os->now_ns(o->os); /* before the detaching, which takes time */
	bool is_over;
	int status = observer_check_owner(o, err);

	if (status || !o->is_running)
		return status;
	o->is_running = false;
	is_over = target_is_over(o);
	log_line(&o->log, LOG_DEBUG, "stop: %s",
		is_over ? "every process of the target has ended" : "time is over, or on request");
	status = stop_sources(o, err);
	if (status)
		return status;
	status = stream_flush(&o->stream, 0, false, err);
	if (status)
		return status;
	/* The end and the cost in one block: a capture has both, or was cut. */
	note_parser_failure(o);
	collector_end(o->os, observer_out(o), is_over ? STREAM_END_TARGET : (uint32_t)why,
		o->target.launch.status, end_ns);
	collector_self(o->os, observer_out(o), o->stream.records, o->stream.bytes);
	status = stream_flush(&o->stream, o->os->now_ns(o->os), false, err);
	if (!status && o->capture)
		status = capture_writer_finish(o->capture, err);
	return status;
}

pid_t sooth_observer_child_pid(const struct sooth_observer *o)
{
	return o->target.is_launched ? o->target.launch.pid : 0;
}

int sooth_observer_child_status(struct sooth_observer *o)
{
	if (o->target.is_launched && o->owner == getpid())
		o->os->reap(o->os, &o->target.launch);
	return o->target.launch.status;
}

/* Abandons the sources: last samples are not taken, and other observers get the remaining records
 * of a shared source. */
static void abandon_sources(struct sooth_observer *o)
{
	struct sooth_error ignored;

	hub_leave(o->hub, o);
	for (unsigned i = 1; i <= o->probe_count; i++) {
		struct observed_probe *p = &o->probes[i];

		if (!p->is_started || hub_source_backend(p->source)->drain)
			continue;
		p->is_started = false;
		hub_forget(p->source);
	}
	stop_sources(o, &ignored);
}

void sooth_observer_free(struct sooth_observer *o)
{
	/* A forked child has only copies of its parent's resources. */
	if (!o || o->owner != getpid())
		return;
	abandon_sources(o);
	if (o->watch.descriptor >= 0)
		o->os->watch_end(o->os, &o->watch);
	for (unsigned i = 1; i <= o->probe_count; i++)
		hub_release(o->hub, o->probes[i].source);
	if (o->target.is_launched)
		o->os->abandon(o->os, &o->target.launch);
	buffer_fini(&o->pauses);
	target_fini(&o->target);
	agent_set_unref(o->agents);
	buffer_fini(&o->limits);
	stream_fini(&o->stream);
	capture_writer_free(o->capture);
	hub_unref(o->hub);
	free(o);
}
