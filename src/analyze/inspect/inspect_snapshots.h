/* SPDX-License-Identifier: BSD-2-Clause */
/* The last snapshot of each probe, for the view "inspect". */
#ifndef SOOTH_ANALYZE_INSPECT_SNAPSHOTS_H
#define SOOTH_ANALYZE_INSPECT_SNAPSHOTS_H

#include "analyze/maps/map_classes.h"
#include "analyze/process_table/host_state.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/threads/thread_times.h"
#include "agents/agent_set.h"
#include "explain/output.h"
#include "probes/proc.h"

struct inspect_snapshots {
	struct output *output;
	struct host_state host; /* only of a session is the activity known */
	struct map processes;	/* process_id -> struct buffer: its last proc.process */
	struct snapshots_room room;
	struct snapshots fds, sockets, maps, signals, limits;
	struct snapshots waits, first_waits; /* two: has it run in between? */
	struct thread_times threads;
	struct peer_labels labels;
	struct agent_set *agents; /* NULL: the built-in ones */
	uint32_t ticks_per_s;
	int64_t boottime_offset_ns;
	/* Of the shown process, for lines and tables; empty without its snapshots. */
	struct map_total map_totals[MAP_CLASSES];
	struct socket_sums socket_sums;
	struct buffer thread_list; /* struct thread_time, busiest first */
	struct thread_sums thread_sums;
};

/* Of the one shown process. Missing snapshots are printed as not measured. */
int inspect_emit_lines(struct inspect_snapshots *s, const struct process_id *id,
	const struct sooth_record *process, struct sooth_error *err);

/* Appends an entry to a list such as "3 tcp ESTABLISHED, 1 udp". */
static inline void inspect_add_count(struct buffer *list, uint64_t count, const char *what)
{
	if (count)
		buffer_format(
			list, "%s%llu %s", list->size ? ", " : "", (unsigned long long)count, what);
}

#endif
