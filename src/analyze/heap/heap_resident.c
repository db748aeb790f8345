/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/heap/heap_resident.h"

#include "analyze/records.h"
#include "model/process_id.h"
#include "model/stream_records.h"
#include "probes/proc.h"

#define PROCESSES_MAX 65536

struct resident {
	uint64_t first, last; /* bytes */
	bool is_started;
};

void heap_resident_init(struct heap_resident *h)
{
	h->started_bytes = h->first_ns = 0;
	map_init(&h->processes, sizeof(struct process_id), sizeof(struct resident), PROCESSES_MAX);
}

void heap_resident_fini(struct heap_resident *h)
{
	map_fini(&h->processes);
}

void heap_resident_add_record(struct heap_resident *h, const struct sooth_record *r)
{
	const struct proc_process *p = record_as(r, PROC_PROCESS, PROC_PROCESS_LEAST);
	struct process_id id = process_id_of(r);
	struct resident *seen;
	bool is_new;

	if (r->kind == PROCESS_LEAVE)
		map_remove(&h->processes, &id);
	if ((!p && r->kind != PROCESS_EXEC) || !(seen = map_put(&h->processes, &id, &is_new)))
		return;
	seen->is_started |= !p;
	if (!p)
		return;
	if (!h->first_ns)
		h->first_ns = r->time_ns;
	h->last_ns = r->time_ns;
	if (is_new)
		seen->first = p->rss_bytes;
	seen->last = p->rss_bytes;
	if (seen->is_started && seen->last > h->started_bytes)
		h->started_bytes = seen->last;
}

struct heap_resident_growth heap_resident_growth(const struct heap_resident *h)
{
	struct heap_resident_growth out = { .interval_ns = h->last_ns - h->first_ns };
	uint64_t most = 0;

	map_for_each (&h->processes, const struct process_id *, id, const struct resident *, seen) {
		uint64_t grown = seen->last > seen->first ? seen->last - seen->first : 0;

		if (seen->is_started)
			continue;
		out.before_bytes += seen->first;
		out.bytes += seen->last;
		out.grown_bytes += grown;
		if (grown <= most && out.pid)
			continue;
		most = grown;
		out.pid = id->pid;
	}
	return out;
}

bool heap_resident_is_elsewhere(const struct heap_resident_growth *g, uint64_t live_bytes)
{
	return g->grown_bytes >= HEAP_RESIDENT_LEAST && g->grown_bytes / 2 >= live_bytes;
}
