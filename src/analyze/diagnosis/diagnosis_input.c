/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/diagnosis_input.h"

#include <assert.h>
#include <string.h>

#include "analyze/diagnosis/diagnosis_options.h"
#include "analyze/processes/host.h"
#include "base/cleanup.h"
#include "probes/fds.h"
#include "probes/limits.h"
#include "probes/logs.h"
#include "probes/malloc.h"
#include "probes/maps.h"
#include "probes/sockets.h"
#include "probes/stacks.h"
#include "probes/waits.h"

#define PROCESSES_MAX 65536
#define ROOM_BYTES    (256u << 20)
#define IN_WINDOWS    "system calls in " /* followed by "96 % of the time" */
#define POINTS_MAX    512		 /* per process: beyond, every other point is dropped */

static struct snapshot_pair *pair_at(struct diagnosis_input *r, size_t i)
{
	struct snapshot_pair *const all[] = { &r->fds, &r->sockets, &r->maps, &r->limits, &r->waits,
		&r->logs, &r->malloc_heaps };

	return i < ARRAY_SIZE(all) ? all[i] : NULL;
}

void diagnosis_input_init(struct diagnosis_input *r)
{
	static const uint16_t ends[] = { FDS_PROCESS, SOCKETS_PROCESS, MAPS_PROCESS, LIMITS_PROCESS,
		WAITS_SNAPSHOT, LOGS_PROCESS, MALLOC_HEAP };
	struct snapshot_pair *pair;

	assert(r);
	*r = (struct diagnosis_input){ .room.most = ROOM_BYTES };
	host_state_init(&r->host);
	map_init(&r->points, sizeof(struct process_id), sizeof(struct buffer), PROCESSES_MAX);
	for (size_t i = 0; (pair = pair_at(r, i)); i++) {
		snapshots_init_in(&pair->first, ends[i], &r->room);
		snapshots_init_in(&pair->last, ends[i], &r->room);
	}
	thread_histories_init(&r->threads);
	call_histories_init(&r->calls);
	api_history_init(&r->api);
	profile_sums_init(&r->profile);
	snapshots_init_in(&r->stacks, STACKS_SNAPSHOT, &r->room);
	profile_sums_init(&r->stacks_sums);
	r->stacks_sums.stack_kind = STACKS_STACK;
	r->stacks_sums.frame_kind = STACKS_FRAME;
	map_init(&r->calls_refused, sizeof(struct process_id), 0, PROCESSES_MAX);
	endings_init(&r->endings);
	heap_use_init(&r->heap);
	message_logs_init(&r->messages);
	page_touches_init(&r->touches);
	peer_labels_init(&r->labels);
}

void diagnosis_input_fini(struct diagnosis_input *r)
{
	struct snapshot_pair *pair;

	assert(r);
	host_state_fini(&r->host);
	map_for_each_value (&r->points, void *, value)
		buffer_fini(value);
	map_fini(&r->points);
	for (size_t i = 0; (pair = pair_at(r, i)); i++) {
		snapshots_fini(&pair->first);
		snapshots_fini(&pair->last);
	}
	thread_histories_fini(&r->threads);
	call_histories_fini(&r->calls);
	api_history_fini(&r->api);
	profile_sums_fini(&r->profile);
	snapshots_fini(&r->stacks);
	profile_sums_fini(&r->stacks_sums);
	endings_fini(&r->endings);
	heap_use_fini(&r->heap);
	message_logs_fini(&r->messages);
	page_touches_fini(&r->touches);
	peer_labels_fini(&r->labels);
	map_fini(&r->calls_refused);
	buffer_fini(&r->probes);
}

/* --- taking --- */

static void drop_every_other_point(struct buffer *points)
{
	struct sample_point *all = (void *)points->data;
	size_t count = points->size / sizeof(*all), kept = 0;

	for (size_t i = 0; i < count; i += 2)
		all[kept++] = all[i];
	points->size = kept * sizeof(*all);
}

static void take_process(struct diagnosis_input *r, const struct proc_process *p)
{
	struct process_id id = process_id_of(&p->record);
	struct sample_point point = { .time_ns = p->record.time_ns,
		.cpu_ns = p->cpu_ns,
		.rss_bytes = p->rss_bytes,
		.vsz_bytes = p->vsz_bytes,
		.descriptors = p->descriptors,
		.threads = p->threads,
		.descriptors_state = p->descriptors_state,
		.state = p->state,
		.ppid = p->ppid };
	struct buffer *points = map_put(&r->points, &id, NULL);

	if (!points)
		return;
	if (points->size >= POINTS_MAX * sizeof(point))
		drop_every_other_point(points);
	buffer_append(points, &point, sizeof(point));
}

static void take_pair(struct snapshot_pair *pair, const struct sooth_record *r)
{
	struct process_id id;

	if ((r->kind ^ pair->first.end_kind) & 0xff00)
		return;
	id = process_id_of(r);
	if (!snapshots_get(&pair->first, &id))
		snapshots_add_record(&pair->first, r);
	snapshots_add_record(&pair->last, r);
}

static void take_source(struct diagnosis_input *r, const struct stream_source *source)
{
	struct span probe = record_text(&source->record, &source->probe);

	/* Added to the running observation, to find the code behind a growth: other checks of
	 * allocations would have only a part of the time. */
	if (r->has_begun && source->record.time_ns > r->begin_ns && span_equal(probe, "heap"))
		return;
	buffer_append(&r->probes, probe.data, probe.size);
	buffer_char(&r->probes, '\0');
	if (span_equal(probe, "syscalls")) {
		call_histories_begin(&r->calls);
		api_history_begin(&r->api);
	}
}

/* Takes a limit, whose text the recording program chose. */
static void take_limit(struct diagnosis_input *r, const struct stream_limit *limit)
{
	struct process_id id = process_id_of(&limit->record);
	struct span what = record_text(&limit->record, &limit->what);

	if (what.size > strlen(IN_WINDOWS) && !memcmp(what.data, IN_WINDOWS, strlen(IN_WINDOWS)))
		r->calls.has_time_gaps = true;
	r->are_samples_refused |= span_equal(what, DIAGNOSIS_LIMIT_SAMPLES);
	if (!span_equal(what, "system calls"))
		return;
	if (id.pid)
		map_put(&r->calls_refused, &id, NULL);
	else
		r->are_calls_refused = true;
}

void diagnosis_input_add_batch(struct diagnosis_input *r, const struct batch *batch)
{
	const struct host_limit *limit;
	const void *known;

	assert(r);
	host_state_add_batch(&r->host, batch);
	profile_sums_add_batch(&r->profile, batch);
	profile_sums_add_batch(&r->stacks_sums, batch);
	profile_sums_add_batch(&r->heap.names, batch);
	batch_for_each (record, batch) {
		struct snapshot_pair *pair;

		for (size_t i = 0; (pair = pair_at(r, i)); i++)
			take_pair(pair, record);
		thread_histories_add_record(&r->threads, record);
		call_histories_add_record(&r->calls, record);
		api_history_add_record(&r->api, record);
		endings_add_record(&r->endings, record);
		heap_use_add_record(&r->heap, record);
		message_logs_add_record(&r->messages, record);
		page_touches_add_record(&r->touches, record);
		if (record->kind == STACKS_THREAD || record->kind == STACKS_SNAPSHOT)
			snapshots_add_record(&r->stacks, record);
		if ((known = record_as(record, PROC_PROCESS, PROC_PROCESS_LEAST)))
			take_process(r, known);
		else if ((known = record_as(record, STREAM_SOURCE, sizeof(struct stream_source))))
			take_source(r, known);
		else if ((known = record_as(record, STREAM_LIMIT, sizeof(struct stream_limit))))
			take_limit(r, known);
		else if ((known = record_as(record, STREAM_BEGIN, sizeof(struct stream_begin)))) {
			r->begin_ns = record->time_ns;
			r->has_begun = true;
		} else if (record->kind == STREAM_SEGMENT) {
			r->has_begun = false;
		} else if (host_load_read_record(&r->load, record) && !r->first_load.record.time_ns)
			r->first_load = r->load;
		else if ((limit = record_as(record, HOST_LIMIT, sizeof(*limit))) &&
			 limit->resource < HOST_RESOURCES)
			memcpy(&r->host_limits[limit->resource], limit, sizeof(*limit));
		else if ((known = record_as(record, HOST_MEMORY, sizeof(r->memory))))
			memcpy(&r->memory, known, sizeof(r->memory));
		if (record->time_ns > r->end_ns)
			r->end_ns = record->time_ns;
	}
}

int diagnosis_input_resolve(struct diagnosis_input *r, struct sooth_error *err)
{
	int status;

	if (r->has_failed)
		return error_no_memory(err);
	call_histories_resolve(&r->calls);
	api_history_resolve(&r->api);
	status = host_state_resolve(&r->host, err);
	if (!status)
		message_logs_resolve(&r->messages, &r->host.process_table, r->end_ns);
	return status;
}

/* --- asking --- */

bool diagnosis_input_has_probe(const struct diagnosis_input *r, const char *probe)
{
	size_t size = strlen(probe) + 1;

	assert(r);
	for (size_t at = 0; at + size <= r->probes.size;) {
		const char *name = (const char *)r->probes.data + at;

		if (!strcmp(name, probe))
			return true;
		at += strlen(name) + 1;
	}
	return false;
}

bool diagnosis_input_is_selected(const struct diagnosis_input *r, const struct process_entry *p)
{
	assert(r);

	const struct host_state *h = &r->host;

	assert(p);
	if (h->asked.size)
		return host_state_is_asked(h, p->id.pid) ||
		       (r->has_sessions && p->main && host_state_is_asked(h, p->main->id.pid));
	return h->is_named || p->agent || p->owner_agent;
}

struct sample_series diagnosis_input_series(
	const struct diagnosis_input *r, const struct process_id *id)
{
	const struct buffer *points = map_get(&r->points, id);

	if (!points)
		return (struct sample_series){ 0 };
	return (struct sample_series){ (const void *)points->data,
		points->size / sizeof(struct sample_point) };
}

uint64_t sample_series_ns(const struct sample_series *s)
{
	assert(s);
	return s->count < 2 ? 0 : s->points[s->count - 1].time_ns - s->points[0].time_ns;
}

/* --- again and again --- */

static void keep_last_point(struct diagnosis_input *r)
{
	map_for_each_value (&r->points, struct buffer *, points) {
		struct sample_point last;

		if (points->size < sizeof(last))
			continue;
		memcpy(&last, points->data + points->size - sizeof(last), sizeof(last));
		buffer_reset(points);
		buffer_append(points, &last, sizeof(last));
	}
}

void diagnosis_input_next_interval(struct diagnosis_input *r)
{
	struct snapshot_pair *pair;

	keep_last_point(r);
	for (size_t i = 0; (pair = pair_at(r, i)); i++) {
		uint16_t end_kind = pair->first.end_kind;

		snapshots_fini(&pair->first);
		pair->first = pair->last;
		snapshots_init_in(&pair->last, end_kind, &r->room);
	}
	thread_histories_next_interval(&r->threads);
	call_histories_next_interval(&r->calls);
	api_history_next_interval(&r->api);
	endings_next_interval(&r->endings);
	profile_sums_next_interval(&r->profile);
	host_state_next_interval(&r->host);
	message_logs_next_interval(&r->messages, r->end_ns);
	page_touches_next_interval(&r->touches);
	r->begin_ns = r->end_ns;
	r->first_load = r->load;
}
