/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/maps/map_gains.h"

#include <errno.h>
#include <stdlib.h>

#include "base/units.h"
#include "model/stream_records.h"
#include "probes/maps.h"

#define PROCESSES_MAX 4096
#define LOOK_NS	      NS_PER_S /* longest time to read all of /proc for one sample */

struct first_look {
	uint64_t time_ns;
	uint64_t rss[MAP_CLASSES];
};

void map_gains_init(struct map_gains *g)
{
	g->first_ns = g->last_ns = 0;
	snapshots_init(&g->last, MAPS_PROCESS);
	map_init(&g->first, sizeof(struct process_id), sizeof(struct first_look), PROCESSES_MAX);
}

void map_gains_fini(struct map_gains *g)
{
	snapshots_fini(&g->last);
	map_fini(&g->first);
}

static bool has_values(const struct snapshot *one)
{
	const struct maps_process *end = snapshot_end(one, sizeof(*end));

	return end && end->mappings && end->mappings_state <= SOOTH_STATE_TRUNCATED &&
	       end->figures_state <= SOOTH_STATE_TRUNCATED;
}

static int store_first_snapshot(struct map_gains *g, const struct sooth_record *end)
{
	const struct process_id id = process_id_of(end);
	const struct snapshot *one = snapshots_get(&g->last, &id);
	struct map_total totals[MAP_CLASSES];
	struct first_look *first;
	bool is_new = false;

	if (!g->first_ns)
		g->first_ns = end->time_ns;
	g->last_ns = end->time_ns;
	first = one && has_values(one) ? map_put(&g->first, &id, &is_new) : NULL;
	if (!is_new || !first)
		return 0;
	first->time_ns = end->time_ns;
	if (map_totals(one, totals))
		return -ENOMEM;
	for (size_t i = 0; i < MAP_CLASSES; i++)
		first->rss[i] = totals[i].rss_bytes;
	return 0;
}

int map_gains_add_record(struct map_gains *g, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);

	snapshots_add_record(&g->last, r);
	if (r->kind == PROCESS_LEAVE)
		snapshots_drop(&g->last, &id);
	return r->kind == MAPS_PROCESS ? store_first_snapshot(g, r) : 0;
}

bool map_gains_has_two(const struct map_gains *g)
{
	return g->last_ns > g->first_ns + LOOK_NS / 10;
}

static int compare_by_size(const void *left, const void *right)
{
	const struct map_gain *a = left, *b = right;

	if (a->rss != b->rss)
		return a->rss > b->rss ? -1 : 1;
	return (a->class_ > b->class_) - (a->class_ < b->class_);
}

static int add_process(
	const struct map_gains *g, const struct snapshot *one, struct map_gain all[MAP_CLASSES])
{
	const struct first_look *first = map_get(&g->first, &one->id);
	struct map_total totals[MAP_CLASSES];

	if (map_totals(one, totals))
		return -ENOMEM;
	for (size_t i = 0; i < MAP_CLASSES; i++) {
		all[i].rss += totals[i].rss_bytes;
		all[i].swap += totals[i].swap_bytes;
		if (first && first->time_ns - g->first_ns <= LOOK_NS)
			all[i].before += first->rss[i];
	}
	return 0;
}

int map_gains_sum(const struct map_gains *g, struct map_gain all[MAP_CLASSES])
{
	int count = 0;

	for (size_t i = 0; i < MAP_CLASSES; i++)
		all[i] = (struct map_gain){ .class_ = i };
	snapshots_for_each (&g->last, one) {
		const struct maps_process *end = snapshot_end(one, sizeof(*end));

		if (!has_values(one) || g->last_ns - end->record.time_ns > LOOK_NS)
			continue;
		if (add_process(g, one, all))
			return -ENOMEM;
		count++;
	}
	qsort(all, MAP_CLASSES, sizeof(all[0]), compare_by_size);
	return count;
}

int64_t map_gain_bytes(const struct map_gain *g)
{
	return (int64_t)(g->rss - g->before);
}

const struct map_gain *map_gains_most(const struct map_gain all[MAP_CLASSES], int64_t gain)
{
	const struct map_gain *most = &all[0];

	for (size_t i = 1; i < MAP_CLASSES; i++) {
		if (map_gain_bytes(&all[i]) > map_gain_bytes(most))
			most = &all[i];
	}
	return gain > 0 && map_gain_bytes(most) * 2 >= gain ? most : NULL;
}
