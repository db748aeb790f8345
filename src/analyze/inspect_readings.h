/* SPDX-License-Identifier: BSD-2-Clause */
/* What the view "inspect" keeps of a stream: the last reading of each probe. */
#ifndef SOOTH_ANALYZE_INSPECT_READINGS_H
#define SOOTH_ANALYZE_INSPECT_READINGS_H

#include "analyze/peer_labels.h"
#include "analyze/snapshots.h"
#include "analyze/thread_times.h"
#include "core/output.h"
#include "probes/proc.h"

struct inspect_readings {
	struct output *output;
	struct map processes; /* process_id -> struct buffer: its last proc.process */
	struct snapshots fds, sockets, maps, signals, limits;
	struct thread_times threads;
	struct peer_labels labels;
	uint32_t ticks_per_s;
	int64_t boottime_offset_ns;
};

/* Of the one process that is shown. Missing readings are told as not measured. */
int inspect_tell_lines(struct inspect_readings *s, const struct process_id *id,
	const struct sooth_record *process, struct sooth_error *err);
int inspect_tell_tables(
	struct inspect_readings *s, const struct process_id *id, struct sooth_error *err);

struct socket_sums;
/* What a reading of the sockets adds up to, labelled by rules. */
void inspect_sum_sockets(
	struct socket_sums *sums, const struct peer_labels *labels, const struct snapshot *reading);

/* "3 tcp ESTABLISHED, 1 udp": an entry of such a list. */
static inline void inspect_add_count(struct buffer *list, uint64_t count, const char *what)
{
	if (count)
		buffer_format(
			list, "%s%llu %s", list->size ? ", " : "", (unsigned long long)count, what);
}

#endif
