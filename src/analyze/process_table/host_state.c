/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/process_table/host_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"

void host_state_init(struct host_state *h)
{
	*h = (struct host_state){ 0 };
	process_table_init(&h->process_table);
	short_lived_init(&h->short_lived);
	snapshots_init(&h->sockets, SOCKETS_PROCESS);
}

void host_state_fini(struct host_state *h)
{
	process_table_fini(&h->process_table);
	short_lived_fini(&h->short_lived);
	snapshots_fini(&h->sockets);
	free(h->segment);
	h->segment = NULL;
	buffer_fini(&h->asked);
}

static void take_segment(struct host_state *h, const struct stream_segment *segment)
{
	struct stream_segment *copy = malloc(record_bytes(&segment->record));

	if (!copy)
		return;
	memcpy(copy, segment, record_bytes(&segment->record));
	free(h->segment);
	h->segment = copy;
	h->realtime_offset_ns = copy->realtime_offset_ns;
}

static void take_target(struct host_state *h, const struct stream_target *target)
{
	struct span selector = record_text(&target->record, &target->selector);

	struct span pids = record_text(&target->record, &target->pids);

	h->is_named = span_equal(selector, "pid") || span_equal(selector, "command");
	buffer_reset(&h->asked);
	if (span_equal(selector, "host"))
		buffer_append(
			&h->asked, pids.data, pids.size / sizeof(uint32_t) * sizeof(uint32_t));
}

void host_state_take(struct host_state *h, const struct batch *batch)
{
	batch_for_each (r, batch) {
		const void *known;

		if (r->time_ns > h->last_ns)
			h->last_ns = r->time_ns;
		process_table_take(&h->process_table, r);
		short_lived_take(&h->short_lived, r);
		snapshots_take(&h->sockets, r);
		if ((known = record_as(r, STREAM_SEGMENT, sizeof(struct stream_segment))))
			take_segment(h, known);
		else if ((known = record_as(r, STREAM_TARGET, sizeof(struct stream_target))))
			take_target(h, known);
		else if ((known = record_as(r, STREAM_TICK, sizeof(struct stream_tick))))
			h->realtime_offset_ns =
				((const struct stream_tick *)known)->realtime_offset_ns;
	}
}

int host_state_resolve(struct host_state *h, struct sooth_error *err)
{
	int status = process_table_resolve(&h->process_table);

	if (status)
		return error_errno(err, status, "assign processes to agents");
	short_lived_resolve(&h->short_lived, &h->process_table);
	return 0;
}

void host_state_next_interval(struct host_state *h)
{
	process_table_next_interval(&h->process_table);
	short_lived_next_interval(&h->short_lived, h->last_ns);
}

struct span host_state_text(const struct host_state *h, const struct sooth_text *text)
{
	return h->segment ? record_text(&h->segment->record, text) : span_of("", 0);
}

uint64_t host_state_memory(const struct host_state *h)
{
	return h->segment ? h->segment->memory_bytes : 0;
}

uint64_t host_state_utc(const struct host_state *h)
{
	return h->segment ? h->last_ns + (uint64_t)h->realtime_offset_ns : 0;
}

uint64_t host_state_elapsed(const struct host_state *h, const struct process_entry *p)
{
	uint64_t ticks = h->segment && h->segment->ticks_per_s ? h->segment->ticks_per_s : 100;
	int64_t boottime = h->segment ? h->segment->boottime_offset_ns : 0;
	uint64_t now_s = (p->last_ns + (uint64_t)boottime) / NS_PER_S;
	uint64_t start_s = p->id.start_ticks / ticks;

	return now_s > start_s ? now_s - start_s : 0;
}
