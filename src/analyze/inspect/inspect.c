/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One process on one screen: a line for each aspect, then its largest, busiest and most nearly
 * exhausted resources. Of a capture with several processes one must be selected.
 */
#include <errno.h>
#include <string.h>

#include "analyze/inspect/inspect_snapshots.h"
#include "analyze/sockets/sockets.h"
#include "explain/stage.h"
#include "model/stream_records.h"
#include "probes/fds.h"
#include "probes/limits.h"
#include "probes/maps.h"
#include "probes/signals.h"
#include "probes/sockets.h"
#include "probes/waits.h"

#define PROCESSES_MAX 65536
#define ROOM_BYTES    (128u << 20)
#define NAMED_MAX     8 /* processes that the error lists */

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct inspect_snapshots *s = state;

	s->output = output;
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

static void take_process(struct inspect_snapshots *s, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	struct buffer *last;

	if (!record_holds(r, PROC_PROCESS_LEAST))
		return;
	last = map_put(&s->processes, &id, NULL);
	if (!last)
		return;
	/* One is shown: of several only the numbers are. */
	s->room.bytes -= last->size;
	buffer_reset(last);
	if (s->room.bytes + record_bytes(r) <= s->room.most)
		buffer_append(last, r, record_bytes(r));
	s->room.bytes += last->size;
}

static void take_segment(struct inspect_snapshots *s, const struct sooth_record *r)
{
	const struct stream_segment *segment = (const void *)r;

	if (!record_holds(r, sizeof(*segment)) || !segment->ticks_per_s)
		return;
	s->ticks_per_s = segment->ticks_per_s;
	s->boottime_offset_ns = segment->boottime_offset_ns;
}

static void take_waits(struct inspect_snapshots *s, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);

	if (r->kind < WAITS_PROCESS || r->kind > WAITS_SNAPSHOT)
		return;
	if (!snapshots_get(&s->first_waits, &id))
		snapshots_take(&s->first_waits, r);
	snapshots_take(&s->waits, r);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct inspect_snapshots *s = state;
	struct snapshots *all[] = { &s->fds, &s->sockets, &s->maps, &s->signals, &s->limits };
	struct sooth_error ignored;

	(void)err;
	batch_for_each (r, batch) {
		if (r->kind == PROC_PROCESS)
			take_process(s, r);
		if (r->kind == STREAM_SEGMENT)
			take_segment(s, r);
		for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
			snapshots_take(all[i], r);
		take_waits(s, r);
		thread_times_take(&s->threads, r);
		/* What is wrong with an agent is among the notes. */
		agent_set_take(&s->agents, r, &ignored);
	}
	return 0;
}

static int no_process(struct sooth_error *err)
{
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "inspect a process");
	error_why(err, "the process had ended before sooth read it, or the capture has no process "
		       "samples");
	return error_remedy(err, "select a running process: sooth inspect PID; to make a capture "
				 "of it, add --save FILE.sooth");
}

static int several_processes(struct inspect_snapshots *s, struct sooth_error *err)
{
	struct buffer pids = { 0 };
	size_t position = 0, named = 0;
	const void *key;

	while (named < NAMED_MAX && map_next(&s->processes, &position, &key, NULL))
		buffer_format(&pids, "%s%llu", named++ ? ", " : "",
			(unsigned long long)((const struct process_id *)key)->pid);
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
		const struct sockets_socket *one = record_as(r, SOCKETS_SOCKET, sizeof(*one));

		if (one)
			socket_sums_add(&s->socket_sums, one,
				socket_sums_label(&s->labels, one, &strength));
	}
}

/* Lines and tables share these sums. */
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
		return several_processes(s, err);
	if (!map_next(&s->processes, &position, &key, &value))
		return no_process(err);
	status = add_up(s, key, err);
	if (!status)
		status = inspect_emit_lines(
			s, key, (const void *)((struct buffer *)value)->data, err);
	return status ? status : inspect_emit_tables(s, key, err);
}

static void fini(void *state)
{
	struct inspect_snapshots *s = state;
	size_t position = 0;
	void *value;

	while (map_next(&s->processes, &position, NULL, &value))
		buffer_fini(value);
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
	.state_size = sizeof(struct inspect_snapshots),
	.init = init,
	.push = push,
	.finish = finish,
	.fini = fini,
};
