/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/monitor/feed.h"

#include <errno.h>
#include <string.h>

#include "analyze/api/api_calls.h"
#include "analyze/calls/syscall_stream.h"
#include "base/units.h"
#include "cli/agents/config_files.h"
#include "cli/agents/user_agents.h"
#include "cli/terminal/log.h"
#include "model/stream_records.h"

#define PIDS_MAX     4096
#define FEED_PROBES  4
#define BUFFER_BYTES (8u << 20)

struct feed_probe {
	const char *name; /* NULL: no more */
	unsigned interest;
};

static const struct syscall_stream_options every_call = { .is_host = true };
static const struct api_calls_options every_event = { .with_events = true };

static const struct feed_type {
	const char *name, *view, *calls;
	const void *options;
	bool is_of_api;
	struct feed_probe probes[FEED_PROBES];
} types[FEEDS] = {
	[FEED_SYSCALLS] = { .name = "syscalls",
		.view = "syscall-stream",
		.options = &every_call,
		.probes = { { "syscalls", SOOTH_STREAM }, { "proc", SOOTH_SAMPLE | SOOTH_ONCE },
			{ "fds", SOOTH_SAMPLE | SOOTH_ONCE },
			{ "sockets", SOOTH_SAMPLE | SOOTH_ONCE } } },
	[FEED_SCHEDULER] = { .name = "scheduler",
		.view = "sched-stream",
		.probes = { { "sched", SOOTH_COUNT | SOOTH_STREAM } } },
	[FEED_API_CALLS] = { .name = "api_calls",
		.view = "api-calls",
		.calls = "%api",
		.options = &every_event,
		.is_of_api = true,
		.probes = { { "syscalls", SOOTH_STREAM }, { "proc", SOOTH_SAMPLE | SOOTH_ONCE },
			{ "fds", SOOTH_SAMPLE | SOOTH_ONCE }, { "sockets", SOOTH_SAMPLE } } },
};

const char *feed_name(enum feed_id id)
{
	return types[id].name;
}

int feed_init(struct feed *f, enum feed_id id)
{
	*f = (struct feed){ .id = id };
	map_init(&f->pids, sizeof(uint32_t), 0, PIDS_MAX);
	return line_queue_open(&f->queue);
}

void feed_fini(struct feed *f)
{
	feed_stop(f);
	if (f->pids.key_size)
		map_fini(&f->pids);
	line_queue_close(&f->queue);
}

/* --- start --- */

/* What the kernel side lost is a line of its own, at its place. */
static int take_record(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	const struct stream_loss *loss = (const void *)record;
	struct feed *f = user;
	uint64_t end;

	(void)schema;
	if (record->kind != STREAM_LOSS ||
		record->fixed_words * SOOTH_RECORD_WORD < (int)sizeof(*loss))
		return 0;
	end = (uint64_t)loss->reason.offset + loss->reason.size;
	if (end <= (uint64_t)record->words * SOOTH_RECORD_WORD)
		line_queue_note_loss(&f->queue, loss->records,
			(const char *)record + loss->reason.offset, loss->reason.size);
	return 0;
}

static int make_report(struct feed *f, struct sooth_error *err)
{
	const struct feed_type *type = &types[f->id];
	struct sooth_sink_options sink = { .size = sizeof(sink), .stream = f->queue.stream };
	int status = sooth_report_new(&f->report, type->name, err);

	if (!status)
		status = sooth_report_add_sink(f->report, "jsonl", &sink, err);
	if (!status)
		status = sooth_report_add_view(f->report, type->view, type->options, err);
	if (!status)
		sooth_report_on_record(f->report, take_record, f);
	return status;
}

static int make_observer(struct feed *f, struct sooth_error *err)
{
	const struct feed_type *type = &types[f->id];
	struct sooth_observer_options options = { .size = sizeof(options),
		.sample_ns = NS_PER_S,
		.buffer_bytes = BUFFER_BYTES,
		.log = log_print,
		.log_level = log_selected(),
		.may_be_gone = true,
		.may_be_refused = true,
		.calls = type->calls,
		.keeps_api = type->is_of_api,
		.only_api = type->is_of_api,
		.cache_folder = config_cache_folder() };
	int status = sooth_observer_new(&f->observer, &options, err);

	for (size_t i = 0; i < FEED_PROBES && type->probes[i].name && !status; i++)
		status = sooth_observer_add_probe(
			f->observer, type->probes[i].name, type->probes[i].interest, err);
	return status;
}

static int add_all(struct feed *f, const uint32_t *pids, size_t count, struct sooth_error *err)
{
	int status = 0;

	for (size_t i = 0; i < count && !status; i++) {
		if (map_put(&f->pids, &pids[i], NULL))
			status = sooth_observer_add_pid(f->observer, (pid_t)pids[i], err);
	}
	return status;
}

int feed_start(struct feed *f, const uint32_t *pids, size_t count, struct sooth_error *err)
{
	int status;

	if (!count)
		return 0;
	status = make_report(f, err);
	if (!status)
		status = make_observer(f, err);
	if (!status)
		status = add_all(f, pids, count, err);
	if (!status)
		status = sooth_observer_connect_report(f->observer, f->report, err);
	if (!status)
		status = sooth_observer_start(f->observer, err);
	if (status)
		feed_stop(f);
	return status;
}

void feed_add(struct feed *f, const uint32_t *pids, size_t count)
{
	struct sooth_error ignored;
	bool is_new;

	for (size_t i = 0; f->observer && i < count; i++) {
		if (map_put(&f->pids, &pids[i], &is_new) && is_new)
			sooth_observer_add_pid(f->observer, (pid_t)pids[i], &ignored);
	}
}

/* --- at work --- */

int feed_step(struct feed *f, int timeout_ms, struct sooth_error *err)
{
	int status = f->observer ? sooth_observer_step(f->observer, timeout_ms, err) : 0;

	if (status > 0 || status == -EINTR)
		return 0;
	/* What was held back for the order of time comes now. */
	if (f->observer && !sooth_observer_stop(f->observer, SOOTH_END_STOPPED, err))
		sooth_report_finish(f->report, err);
	feed_stop(f);
	return status;
}

void feed_stop(struct feed *f)
{
	struct sooth_error ignored;

	if (f->observer)
		sooth_observer_stop(f->observer, SOOTH_END_STOPPED, &ignored);
	sooth_observer_free(f->observer);
	sooth_report_free(f->report);
	f->observer = NULL;
	f->report = NULL;
	map_clear(&f->pids);
}
