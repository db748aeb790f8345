/* SPDX-License-Identifier: BSD-2-Clause */
/* One process on one screen: a line for each aspect, then the resources that are largest, busiest
 * or closest to their limits. If a capture has several processes, one must be selected. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/fds/fd_sums.h"
#include "analyze/inspect/inspect_lines.h"
#include "analyze/inspect/limits.h"
#include "analyze/maps/map_classes.h"
#include "analyze/sockets/socket_sums.h"
#include "base/cleanup.h"
#include "explain/stage.h"
#include "model/probe.h"
#include "model/stream_records.h"
#include "probes/fds.h"
#include "probes/limits.h"
#include "probes/maps.h"
#include "probes/signals.h"
#include "probes/sockets.h"
#include "probes/waits.h"

#define PROCESSES_MAX 65536
#define ROOM_BYTES    (128u << 20)
#define NAMED_MAX     8 /* most processes that the error names */
#define ROWS_MOST     6
#define NEAR_LEAST    50.0 /* least percent of a limit that gets a row */
#define BUSY_LEAST    0.05 /* least percent of a CPU that gets a row */

/* --- the tables: largest, busiest and most nearly exhausted --- */

static int compare_by_rss(const void *a, const void *b)
{
	const struct inspect_class_row *x = a, *y = b;

	if (x->rss_bytes != y->rss_bytes)
		return x->rss_bytes < y->rss_bytes ? 1 : -1;
	return x->size_bytes < y->size_bytes ? 1 : x->size_bytes > y->size_bytes ? -1 : 0;
}

static int emit_classes(
	struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("memory_classes", inspect_class_schema,
		TABLE,
		.columns = "class,rss_bytes,pss_bytes,dirty_bytes,swap_bytes,size_bytes,reserved_"
			   "bytes",
		.rows_most = ROWS_MOST);
	struct inspect_class_row rows[MAP_CLASSES];
	size_t count = 0;
	int status = output_section(s->output, &section, err);

	for (uint32_t i = 0; i < MAP_CLASSES; i++) {
		const struct map_total *t = &s->map_totals[i];

		if (t->mappings)
			rows[count++] = (struct inspect_class_row){ .record = row_head(id),
				.rss_bytes = t->rss_bytes,
				.pss_bytes = t->pss_bytes,
				.dirty_bytes = t->dirty_bytes,
				.swap_bytes = t->swap_bytes,
				.reserved_bytes = t->reserved_bytes,
				.size_bytes = t->size_bytes,
				.mappings = t->mappings,
				.class_ = i,
				.figures_state = t->figures_state };
	}
	qsort(rows, count, sizeof(rows[0]), compare_by_rss);
	for (size_t i = 0; i < count && !status; i++)
		status = OUTPUT_ROW(s->output, &rows[i], NULL, 0, err);
	return status;
}

static int emit_threads(struct inspect_snapshots *s, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("busiest_threads", inspect_thread_schema, TABLE, .rows_most = ROWS_MOST);
	int status = output_section(s->output, &section, err);

	buffer_each_while (const struct thread_time, thread, &s->thread_list, !status) {
		const struct sooth_record *r = &thread->thread->record;
		struct inspect_thread_row row = { .record = *r,
			.cpu_percent = thread->cpu_percent,
			.cpu_state = thread->cpu_state,
			.state = thread->thread->state };
		struct sooth_value name =
			sooth_field_get(sooth_schema_field(registry_schema(r->kind), "name"), r);
		struct record_tail tail[] = { { &row.name, name.text.data, name.text.size } };

		if (!row.cpu_state && row.cpu_percent >= BUSY_LEAST)
			status = OUTPUT_ROW(s->output, &row, tail, 1, err);
	}
	return status;
}

static int emit_count(struct inspect_snapshots *s, const struct process_id *id, struct span what,
	uint8_t state, uint64_t count, struct sooth_error *err)
{
	struct inspect_count_row row = {
		.record = row_head(id), .count = count, .what_state = state
	};
	struct record_tail tail[] = { tail_span(&row.what, what) };

	return OUTPUT_ROW(s->output, &row, tail, 1, err);
}

struct peer_count {
	const struct socket_peer_key *key;
	uint64_t count;
};

static int compare_by_count(const void *a, const void *b)
{
	const struct peer_count *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return memcmp(x->key, y->key, sizeof(*x->key));
}

static int emit_peers(
	struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("peers", inspect_peer_schema, TABLE, .rows_most = ROWS_MOST);
	const struct map *peers = &s->socket_sums.peers;
	_cleanup_free_ struct peer_count *all = NULL;
	size_t count = 0;
	int status = output_section(s->output, &section, err);

	all = calloc(peers->count + 1, sizeof(*all));
	map_for_each (map_while(all, peers), const void *, key, struct socket_peer_sum *, value)
		all[count++] = (struct peer_count){ key, value->count };
	if (!all)
		status = error_no_memory(err);
	else
		qsort(all, count, sizeof(*all), compare_by_count);
	for (size_t i = 0; i < count && !status; i++)
		status = emit_count(s, id,
			span_of(all[i].key->text, strnlen(all[i].key->text, SOCKET_SUMS_TEXT)),
			SOOTH_STATE_VALUE, all[i].count, err);
	return status;
}

static int emit_directories(
	struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	static const struct section section = SECTION_OF(
		"watch_directories", inspect_directory_schema, TABLE, .rows_most = ROWS_MOST);
	const struct snapshot *snapshot = snapshots_get(&s->fds, id);
	struct buffer list = { 0 };
	int status = output_section(s->output, &section, err);

	if (snapshot)
		fd_sums_directories(&list, snapshot);
	buffer_each_while (const struct fd_directory, directory, &list, !status)
		status = emit_count(
			s, id, directory->path, directory->state, directory->watches, err);
	buffer_fini(&list);
	return status;
}

static int emit_limit(
	struct inspect_snapshots *s, const struct limit_sum *l, struct sooth_error *err)
{
	static const char *const units[] = { "", "bytes", "s", "us" };
	const struct sooth_record *r = l->group ? &l->group->record : &l->resource->record;
	struct sooth_value name =
		sooth_field_get(sooth_schema_field(registry_schema(r->kind), "name"), r);
	uint32_t unit = l->group ? l->group->unit : l->resource->unit;
	const char *unit_name = unit < ARRAY_SIZE(units) ? units[unit] : "";
	struct inspect_limit_row row = { .record = *r, .percent = l->percent };
	struct buffer text = { 0 };
	int status;

	row.used = l->group ? l->group->used : l->resource->used;
	row.limit = l->group ? l->group->limit : l->resource->soft;
	buffer_string(&text, l->group ? "group " : "");
	buffer_append(&text, name.text.data, name.text.size);
	struct record_tail tail[] = {
		tail_buffer(&row.name, &text),
		tail_string(&row.unit, unit_name),
	};
	status = OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&text);
	return status;
}

static int emit_limits(
	struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("near_limits", inspect_limit_schema, TABLE, .rows_most = ROWS_MOST);
	const struct snapshot *snapshot = snapshots_get(&s->limits, id);
	struct buffer list = { 0 };
	int status = output_section(s->output, &section, err);

	if (!status && snapshot && limit_sums_near(snapshot, NEAR_LEAST, &list))
		status = error_no_memory(err);
	buffer_each_while (const struct limit_sum, limit, &list, !status)
		status = emit_limit(s, limit, err);
	buffer_fini(&list);
	return status;
}

static int inspect_emit_tables(
	struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	int status = emit_classes(s, id, err);

	if (!status)
		status = emit_threads(s, err);
	if (!status)
		status = emit_peers(s, id, err);
	if (!status)
		status = emit_directories(s, id, err);
	return status ? status : emit_limits(s, id, err);
}

/* --- the view --- */

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct inspect_snapshots *s = state;

	s->output = output;
	host_state_init(&s->host);
	s->ticks_per_s = 100;
	s->room.most = ROOM_BYTES;
	map_init(&s->processes, sizeof(struct process_id), sizeof(struct buffer), PROCESSES_MAX);
	snapshots_init_in(&s->fds, FDS_PROCESS, &s->room);
	snapshots_init_in(&s->sockets, SOCKETS_PROCESS, &s->room);
	snapshots_init_in(&s->maps, MAPS_PROCESS, &s->room);
	snapshots_init_in(&s->signals, SIGNALS_PROCESS, &s->room);
	snapshots_init_in(&s->limits, LIMITS_PROCESS, &s->room);
	snapshots_init_in(&s->waits, WAITS_SNAPSHOT, &s->room);
	snapshots_init_in(&s->first_waits, WAITS_SNAPSHOT, &s->room);
	thread_times_init(&s->threads);
	peer_labels_init(&s->labels);
	socket_sums_init(&s->socket_sums);
	return peer_labels_load(&s->labels, options, err);
}

/* Returns whether a process is shown: others are read because the shown one may depend on them. */
static bool is_shown(const struct inspect_snapshots *s, const struct process_id *id)
{
	return !s->host.asked.size || host_state_is_asked(&s->host, id->pid);
}

static void handle_process(struct inspect_snapshots *s, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	struct buffer *last;

	if (!record_holds(r, PROC_PROCESS_LEAST))
		return;
	if (!is_shown(s, &id))
		return;
	last = map_put(&s->processes, &id, NULL);
	if (!last)
		return;
	/* Keep the last record. One process is shown; of several, only the PIDs are used. */
	s->room.bytes -= last->size;
	buffer_reset(last);
	if (s->room.bytes + record_bytes(r) <= s->room.most)
		buffer_append(last, r, record_bytes(r));
	s->room.bytes += last->size;
}

static void handle_segment(struct inspect_snapshots *s, const struct sooth_record *r)
{
	const struct stream_segment *segment = (const void *)r;

	if (!record_holds(r, sizeof(*segment)) || !segment->ticks_per_s)
		return;
	s->ticks_per_s = segment->ticks_per_s;
	s->boottime_offset_ns = segment->boottime_offset_ns;
}

static void handle_waits(struct inspect_snapshots *s, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);

	if (!snapshots_are_of(&s->waits, r))
		return;
	if (!snapshots_get(&s->first_waits, &id))
		snapshots_add_record(&s->first_waits, r);
	snapshots_add_record(&s->waits, r);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct inspect_snapshots *s = state;
	struct snapshots *all[] = { &s->fds, &s->sockets, &s->maps, &s->signals, &s->limits };
	struct sooth_error ignored;

	(void)err;
	host_state_add_batch(&s->host, batch);
	batch_for_each (r, batch) {
		if (r->kind == PROC_PROCESS)
			handle_process(s, r);
		if (r->kind == STREAM_SEGMENT)
			handle_segment(s, r);
		for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
			snapshots_add_record(all[i], r);
		handle_waits(s, r);
		thread_times_add_record(&s->threads, r);
		/* the notes report errors in an agent's definition */
		agent_set_add_record(&s->agents, r, &ignored);
	}
	return 0;
}

static int refuse_no_process(struct sooth_error *err)
{
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "inspect a process");
	error_why(err, "the process had ended before sooth read it, or the capture has no process "
		       "samples");
	return error_remedy(err,
		"select a running process: sooth inspect PID (--save FILE.sooth stores a capture)");
}

static int refuse_several_processes(struct inspect_snapshots *s, struct sooth_error *err)
{
	struct buffer pids = { 0 };
	size_t named = 0;

	map_for_each_key (
		map_while(named < NAMED_MAX, &s->processes), const struct process_id *, key)
		buffer_format(&pids, "%s%llu", named++ ? ", " : "", (unsigned long long)key->pid);
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "show %zu processes on one screen",
		s->processes.count);
	error_why(err, "one process is shown at a time; there are %s%s", buffer_cstr(&pids),
		s->processes.count > NAMED_MAX ? " and more" : "");
	buffer_fini(&pids);
	return error_remedy(err, "select one with -p, or use a table: --fds, --maps, ...");
}

static void add_sockets(struct inspect_snapshots *s, const struct snapshot *snapshot)
{
	struct batch all = snapshot_records(snapshot);

	batch_for_each (r, &all) {
		enum peer_label_strength strength;
		const struct sockets_socket *one =
			record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);

		if (one)
			socket_sums_add(&s->socket_sums, one,
				socket_sums_label(&s->labels, one, &strength));
	}
}

/* Computes the sums that lines and tables share. */
static int add_up(struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	const struct snapshot *maps = snapshots_get(&s->maps, id);
	const struct snapshot *sockets = snapshots_get(&s->sockets, id);
	const struct snapshot *threads = thread_times_get(&s->threads, id);

	if (sockets)
		add_sockets(s, sockets);
	if ((maps && map_totals(maps, s->map_totals)) ||
		(threads &&
			thread_times_list(&s->threads, threads, &s->thread_list, &s->thread_sums)))
		return error_no_memory(err);
	return 0;
}

static int finish(void *state, struct sooth_error *err)
{
	struct inspect_snapshots *s = state;
	size_t position = 0;
	const void *key;
	void *value;
	int status;

	if (s->processes.count > 1)
		return refuse_several_processes(s, err);
	if (!map_next(&s->processes, &position, &key, &value))
		return refuse_no_process(err);
	status = host_state_resolve(&s->host, err);
	if (!status)
		status = add_up(s, key, err);
	if (!status)
		status = inspect_emit_lines(
			s, key, (const void *)((struct buffer *)value)->data, err);
	return status ? status : inspect_emit_tables(s, key, err);
}

static void fini(void *state)
{
	struct inspect_snapshots *s = state;

	map_for_each_value (&s->processes, void *, value)
		buffer_fini(value);
	host_state_fini(&s->host);
	map_fini(&s->processes);
	snapshots_fini(&s->fds);
	snapshots_fini(&s->sockets);
	snapshots_fini(&s->maps);
	snapshots_fini(&s->signals);
	snapshots_fini(&s->limits);
	snapshots_fini(&s->waits);
	snapshots_fini(&s->first_waits);
	thread_times_fini(&s->threads);
	peer_labels_fini(&s->labels);
	agent_set_unref(s->agents);
	socket_sums_fini(&s->socket_sums);
	buffer_fini(&s->thread_list);
}

const struct stage_type stage_inspect = {
	.name = "inspect",
	.help = "one process on one screen",
	.shows = "proc",
	STAGE_FUNCTIONS(struct inspect_snapshots),
};
