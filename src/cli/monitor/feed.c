/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/monitor/feed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "analyze/api/api_calls.h"
#include "analyze/calls/syscall_stream.h"
#include "base/clock.h"
#include "base/units.h"
#include "cli/config/config_files.h"
#include "cli/user_agents/user_agents.h"
#include "cli/terminal/log.h"
#include "cli/terminal/stop.h"
#include "collect/hub.h"
#include "collect/observer.h"
#include "collect/observer.h"
#include "explain/registry.h"
#include "explain/stage.h"
#include "model/stream_records.h"
#include "os/os.h"
#include "sinks/json_members.h"

#define PIDS_MAX     4096
#define FEED_PROBES  4
#define BUFFER_BYTES (8u << 20)
#define OLD_NS	     (3600 * NS_PER_S)
#define FULL_NS	     (60 * NS_PER_S) /* the same, if it can take no more processes */

struct feed_probe {
	const char *name; /* NULL: no more */
	unsigned interest;
};

static const struct syscall_stream_options every_call = { .is_host = true };
static const struct api_calls_options every_event = { .with_events = true };

static const struct feed_type {
	const char *name, *view;
	/* Recorded system calls; NULL: none. While feeds share a source, all need the same. */
	const struct sooth_calls_options *calls;
	const char
		*unseen; /* the note about a process that uses io_uring; NULL: all calls are seen */
	const void *options;
	bool is_of_api;
	struct feed_probe probes[FEED_PROBES];
} types[FEEDS] = {
	[FEED_SYSCALLS] = { .name = "syscalls",
		.view = "syscall-stream",
		.options = &every_call,
		.unseen = "submits requests through io_uring: these are not system calls, and no "
			  "record shows them",
		.calls = &api_calls_among_all, /* also for the feed that shares this source */
		.probes = { { "syscalls", SOOTH_STREAM }, { "proc", SOOTH_SAMPLE | SOOTH_ONCE },
			{ "fds", SOOTH_SAMPLE | SOOTH_ONCE },
			{ "sockets", SOOTH_SAMPLE | SOOTH_ONCE } } },
	[FEED_SCHEDULER] = { .name = "scheduler",
		.view = "sched-stream",
		.probes = { { "sched", SOOTH_COUNT | SOOTH_STREAM } } },
	[FEED_API_CALLS] = { .name = "api_calls",
		.view = "api-calls",
		.calls = &api_calls_alone,
		.options = &every_event,
		.unseen = "uses its connections through io_uring: API calls there are not seen",
		.is_of_api = true,
		.probes = { { "syscalls", SOOTH_STREAM }, { "proc", SOOTH_SAMPLE | SOOTH_ONCE },
			{ "fds", SOOTH_SAMPLE | SOOTH_ONCE }, { "sockets", SOOTH_SAMPLE } } },
};

int feed_test(enum feed_id id, struct sooth_error *err)
{
	const struct probe_options options = { 0 };
	const struct backend *backend;
	struct buffer refusals = { 0 };
	int status = hub_choose(
		&os_native, types[id].probes[0].name, &options, NULL, &backend, &refusals, err);

	buffer_fini(&refusals);
	return status;
}

const char *feed_name(enum feed_id id)
{
	return types[id].name;
}

enum feed_id feed_find(const char *name, size_t size)
{
	enum feed_id id = 0;

	while (id < FEEDS &&
		(strlen(types[id].name) != size || memcmp(types[id].name, name, size) != 0))
		id++;
	return id;
}

const struct sooth_schema *const *feed_schemas(enum feed_id id)
{
	return registry_stage(types[id].view)->tables;
}

/* Stops the feed. Waiting events have no reader, and are not made into records: for a busy target
 * that would take a minute. */
static void feed_stop(struct feed *f)
{
	sooth_observer_free(f->observer);
	sooth_report_free(f->report);
	f->observer = NULL;
	f->report = NULL;
	map_clear(&f->pids);
	map_clear(&f->unseen.processes);
	if (f->id == FEED_SYSCALLS && f->hidden) /* its exits are not seen from now on */
		map_clear(f->hidden);
}

void feed_init(struct feed *f, enum feed_id id, const char *folder, struct map *hidden)
{
	*f = (struct feed){ .id = id, .folder = folder, .hidden = hidden };
	map_init(&f->pids, sizeof(uint32_t), 0, PIDS_MAX);
	feed_unseen_init(&f->unseen, types[id].is_of_api, types[id].unseen);
}

void feed_fini(struct feed *f)
{
	if (!f->pids.key_size)
		return;
	feed_stop(f);
	map_fini(&f->pids);
	feed_unseen_fini(&f->unseen);
	buffer_fini(&f->line);
}

/* --- readers --- */

int feed_add_reader(struct feed *f, struct line_queue *queue, struct filter *filter)
{
	if (f->reader_count == FEED_READERS_MAX)
		return -ENOSPC;
	f->readers[f->reader_count++] = (struct feed_reader){ queue, filter };
	return 0;
}

void feed_remove_reader(struct feed *f, const struct line_queue *queue)
{
	for (size_t i = 0; i < f->reader_count; i++) {
		if (f->readers[i].queue != queue)
			continue;
		f->readers[i] = f->readers[--f->reader_count];
		break;
	}
	if (!f->reader_count && !f->fleet)
		feed_stop(f);
}

void feed_note(struct feed *f, const char *reason)
{
	for (size_t i = 0; i < f->reader_count; i++)
		line_queue_put_loss(f->readers[i].queue, 0, 0, reason, strlen(reason));
}

static bool is_row_requested(const struct feed_reader *reader, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	struct sooth_error ignored;

	return !reader->filter ||
	       (filter_fits_schema(reader->filter, schema) &&
		       filter_matches_record(reader->filter, schema, row, &ignored) > 0);
}

static void make_line(struct feed *f, const char *type, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	struct json json;

	buffer_reset(&f->line);
	json_init(&json, &f->line, 0);
	json_format(&json, "{'type':%s", type);
	json_members(&json, schema, row);
	json_end(&json);
}

static bool is_of_feed(const struct feed *f, const struct sooth_schema *schema)
{
	const struct sooth_schema *const *all = feed_schemas(f->id);

	while (*all && *all != schema)
		all++;
	return *all || !strcmp(schema->name, "exits"); /* these records come among calls */
}

void feed_hide(struct feed *f, uint32_t pid)
{
	map_put(f->hidden, &pid, NULL);
}

/* Returns whether a call is on one of the FIFOs: then the process reads the feed. */
static bool is_of_fifo(
	const struct feed *f, const struct sooth_schema *schema, const struct sooth_record *row)
{
	struct span name = text_named(schema, row, "fd_name");
	size_t size = strlen(f->folder);

	return name.size > size + strlen("/.fifo") && !memcmp(name.data, f->folder, size) &&
	       name.data[size] == '/' && !memcmp(name.data + name.size - 5, ".fifo", 5);
}

static bool is_row_hidden(
	struct feed *f, const struct sooth_schema *schema, const struct sooth_record *row)
{
	uint32_t pid = (uint32_t)row->pid;

	if (!f->is_of_all)
		return false;
	if (is_of_fifo(f, schema, row))
		feed_hide(f, pid);
	if (!map_get(f->hidden, &pid))
		return false;
	if (!strcmp(schema->name, "exits")) /* the PID may be used again */
		map_remove(f->hidden, &pid);
	return true;
}

static void put_line(struct feed *f, struct line_queue *queue)
{
	if (f->drain && line_queue_is_filling(queue))
		f->drain(f->user, queue);
	line_queue_put(queue, (const char *)f->line.data, f->line.size);
}

/* Returns whether the feed ends. Checked for each record, so that the rest of a large batch is left
 * out, too. */
static bool is_ending(struct feed *f)
{
	f->is_ending |= stop_is_selected();
	return f->is_ending;
}

/* Writes a row; its line is made once for all readers. */
static int write_row(void *user, const char *section, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	struct feed *f = user;
	bool is_made = false;

	if (is_ending(f))
		return -ECANCELED;
	if (f->fleet)
		fleet_add_call(f->fleet, schema, row);
	if (!is_of_feed(f, schema) || is_row_hidden(f, schema, row))
		return 0;
	for (size_t i = 0; i < f->reader_count; i++) {
		if (!is_row_requested(&f->readers[i], schema, row))
			continue;
		if (!is_made)
			make_line(f, section, schema, row);
		f->records += !is_made;
		is_made = true;
		put_line(f, f->readers[i].queue);
	}
	return 0;
}

/* --- pauses and phases --- */

static void put_mark(struct feed *f, uint64_t time_ns, uint32_t what, struct span name)
{
	monitor_line_mark(&f->line, types[f->id].name, time_ns, what, name);
	for (size_t i = 0; i < f->reader_count; i++)
		line_queue_put(f->readers[i].queue, (const char *)f->line.data, f->line.size);
}

/* Writes a mark, which comes among the records in order of time. */
static void write_mark(
	struct feed *f, const struct sooth_schema *schema, const struct sooth_record *record)
{
	put_mark(f, record->time_ns, ((const struct stream_mark *)record)->what,
		text_named(schema, record, "name"));
}

int feed_pause(struct feed *f, bool is_paused, struct sooth_error *err)
{
	int status = 0;

	if (f->is_paused == is_paused)
		return 0;
	if (!f->observer)
		put_mark(f, clock_monotonic_ns(),
			is_paused ? STREAM_MARK_PAUSE : STREAM_MARK_RESUME, span_of("", 0));
	else if (is_paused)
		status = sooth_observer_pause(f->observer, err);
	else
		status = sooth_observer_resume(f->observer, err);
	if (!status)
		f->is_paused = is_paused;
	return status;
}

static struct span phase_name(const struct feed *f)
{
	return span_of(f->phase.name, strlen(f->phase.name));
}

int feed_mark(struct feed *f, const char *name, struct sooth_error *err)
{
	int status = f->observer ? sooth_observer_mark(f->observer, name, err) : 0;

	if (status)
		return status;
	snprintf(f->phase.name, sizeof(f->phase.name), "%s", name);
	f->phase.time_ns = clock_monotonic_ns();
	if (!f->observer)
		put_mark(f, f->phase.time_ns, STREAM_MARK_PHASE, phase_name(f));
	return 0;
}

void feed_put_state(const struct feed *f, struct line_queue *queue)
{
	struct buffer line = { 0 };

	feed_unseen_put_all(&f->unseen, queue);
	if (!f->phase.name[0])
		return;
	monitor_line_mark(
		&line, types[f->id].name, f->phase.time_ns, STREAM_MARK_PHASE, phase_name(f));
	if (!buffer_failed(&line))
		line_queue_put(queue, (const char *)line.data, line.size);
	buffer_fini(&line);
}

/* --- start --- */

/* Writes what is no longer observed, to limit the overhead. */
static void write_limit(
	struct feed *f, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct span what = text_named(schema, record, "what");
	struct span reason = text_named(schema, record, "reason");
	struct buffer line = { 0 };

	buffer_format(&line, "not measured: %.*s: %.*s", (int)what.size, what.data,
		(int)reason.size, reason.data);
	if (!buffer_failed(&line))
		feed_note(f, buffer_cstr(&line));
	buffer_fini(&line);
}

/* Writes a record. A loss in the kernel becomes a line of its own, at its place. */
static int write_record(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	const struct stream_loss *loss = (const void *)record;
	struct feed *f = user;
	uint64_t end;

	if (is_ending(f))
		return -ECANCELED;
	if (feed_unseen_add_record(&f->unseen, record)) {
		for (size_t i = 0; i < f->reader_count; i++)
			feed_unseen_put(&f->unseen, (uint32_t)record->pid, f->readers[i].queue);
	}
	if (record->kind == STREAM_MARK && record_holds(record, sizeof(struct stream_mark)))
		write_mark(f, schema, record);
	if (record->kind == STREAM_LIMIT && observer_is_lightened(f->observer))
		write_limit(f, schema, record);
	if (record->kind != STREAM_LOSS ||
		record->fixed_words * SOOTH_RECORD_WORD < (int)sizeof(*loss))
		return 0;
	if (f->fleet)
		fleet_add_record(f->fleet, record);
	end = (uint64_t)loss->reason.offset + loss->reason.size;
	if (end > (uint64_t)record->words * SOOTH_RECORD_WORD)
		return 0;
	for (size_t i = 0; i < f->reader_count; i++)
		line_queue_put_loss(f->readers[i].queue, loss->records, 0,
			(const char *)record + loss->reason.offset, loss->reason.size);
	return 0;
}

static int make_report(struct feed *f, struct sooth_error *err)
{
	const struct feed_type *type = &types[f->id];
	int status = sooth_report_new(&f->report, type->name, err);

	if (!status)
		status = sooth_report_on_row(f->report, write_row, f, err);
	if (!status)
		status = sooth_report_add_view(f->report, type->view, type->options, err);
	if (!status)
		sooth_report_on_record(f->report, write_record, f);
	return status;
}

/* Makes the observer. API calls need few of the calls of a process, so only these are recorded.
 * While the other feed records all calls, these are among them: one source then serves both feeds,
 * as long as both have the same options. */
static int make_observer(struct feed *f, struct sooth_error *err)
{
	const struct feed_type *type = &types[f->id];
	struct sooth_observer *other = f->share ? f->share->observer : NULL;
	struct sooth_observer_options options = { .size = sizeof(options),
		.sample_ns = NS_PER_S,
		.buffer_bytes = f->buffer_bytes ? f->buffer_bytes : BUFFER_BYTES,
		.max_overhead_percent = f->max_overhead_percent,
		.log = log_print,
		.log_level = log_selected(),
		.may_be_gone = true,
		.may_be_refused = true,
		.starts_paused = f->is_paused,
		.share = other,
		.cache_folder = config_cache_folder() };
	int status;

	if (type->calls)
		options.calls = other ? api_calls_among_all : *type->calls;
	status = sooth_observer_new(&f->observer, &options, err);

	for (size_t i = 0; i < FEED_PROBES && type->probes[i].name && !status; i++)
		status = sooth_observer_add_probe(
			f->observer, type->probes[i].name, type->probes[i].interest, err);
	return status;
}

static int add_processes(
	struct feed *f, const uint32_t *pids, size_t count, struct sooth_error *err)
{
	int status = 0;

	for (size_t i = 0; i < count && !status; i++) {
		if (map_put(&f->pids, &pids[i], NULL))
			status = sooth_observer_add_pid(f->observer, (pid_t)pids[i], err);
	}
	return status;
}

static int select_all(struct feed *f, const struct target_found *whole, struct sooth_error *err)
{
	return whole->has_user ? sooth_observer_set_user(f->observer, whole->user, err)
			       : sooth_observer_set_host(f->observer, err);
}

/* Starts the feed. `whole` NULL: observes `pids` only. */
static int start_feed(struct feed *f, const struct target_found *whole, const uint32_t *pids,
	size_t count, struct sooth_error *err)
{
	int status = make_report(f, err);

	f->is_of_all = whole != NULL;
	if (!status)
		status = make_observer(f, err);
	if (!status)
		status = whole ? select_all(f, whole, err) : add_processes(f, pids, count, err);
	if (!status)
		status = sooth_observer_connect_report(f->observer, f->report, err);
	if (!status)
		status = sooth_observer_start(f->observer, err);
	if (status)
		feed_stop(f);
	f->start_ns = clock_monotonic_ns();
	return status;
}

int feed_start(struct feed *f, const uint32_t *pids, size_t count, struct sooth_error *err)
{
	return count ? start_feed(f, NULL, pids, count, err) : 0;
}

int feed_start_all(struct feed *f, const struct target_found *whole, struct sooth_error *err)
{
	return start_feed(f, whole, NULL, 0, err);
}

void feed_add(struct feed *f, const uint32_t *pids, size_t count)
{
	struct sooth_error err;
	bool is_new;

	for (size_t i = 0; f->observer && i < count; i++) {
		if (!map_put(&f->pids, &pids[i], &is_new) || !is_new)
			continue;
		/* A PID that failed is added again at the next call. */
		if (sooth_observer_add_pid(f->observer, (pid_t)pids[i], &err))
			map_remove(&f->pids, &pids[i]);
	}
}

/* --- at work --- */

/* Returns whether the observer has only metrics to serve and is old: it remembers all processes
 * that it saw, up to a limit. */
static bool is_old(const struct feed *f)
{
	uint64_t old_ns = f->pids.count < PIDS_MAX ? OLD_NS : FULL_NS;

	return f->fleet && !f->reader_count && clock_monotonic_ns() > f->start_ns + old_ns;
}

int feed_step(struct feed *f, int timeout_ms, struct sooth_error *err)
{
	int status = f->observer ? sooth_observer_step(f->observer, timeout_ms, err) : 0;

	if ((status > 0 && !is_old(f)) || status == -EINTR || f->is_ending)
		return 0;
	/* Records that were held back to sort them by time come now. */
	if (f->observer && !sooth_observer_stop(f->observer, SOOTH_END_STOPPED, err))
		sooth_report_finish(f->report, err);
	feed_stop(f);
	return status;
}
