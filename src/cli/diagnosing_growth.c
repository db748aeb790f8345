/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/diagnosing_growth.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "model/batch.h"
#include "model/process_id.h"
#include "probes/proc.h"

#define PROCESSES_MAX 64
#define POINTS_MAX    64
#define POINTS_LEAST  6
#define GAIN_LEAST    (4.0 * (1 << 20))
#define GAIN_STEP     (8.0 * (1 << 20))
#define GAIN_PLAIN    (48.0 * (1 << 20)) /* so much at once is reported without a longer look */
#define RISES_LEAST   0.5		 /* of the steps between two samples */
#define LATE_SHARE    0.15		 /* of the gain, in the last third */
#define MORE_NS	      (10 * NS_PER_S)

struct resident {
	uint64_t bytes[POINTS_MAX];
	unsigned count;
};

void diagnosing_growth_init(
	struct diagnosing_growth *g, const uint32_t *selected, size_t selected_count)
{
	*g = (struct diagnosing_growth){ .selected = selected, .selected_count = selected_count };
	map_init(&g->processes, sizeof(struct process_id), sizeof(struct resident), PROCESSES_MAX);
}

void diagnosing_growth_fini(struct diagnosing_growth *g)
{
	map_fini(&g->processes);
}

static bool is_selected(const struct diagnosing_growth *g, uint32_t pid)
{
	for (size_t i = 0; i < g->selected_count; i++) {
		if (g->selected[i] == pid)
			return true;
	}
	return false;
}

int diagnosing_growth_take(
	void *growth, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct diagnosing_growth *g = growth;
	const struct proc_process *p;
	struct resident *r;
	struct process_id id;

	(void)schema;
	if (record->kind != PROC_PROCESS || !record_holds(record, sizeof(*p)) ||
		!is_selected(g, (uint32_t)record->pid))
		return 0;
	p = (const void *)record;
	id = process_id_of(record);
	r = map_put(&g->processes, &id, NULL);
	if (r && r->count < POINTS_MAX)
		r->bytes[r->count++] = p->rss_bytes;
	return 0;
}

/* Most of the time up, at the end too, and not so much that it is clear already. */
static bool grows(const struct resident *r)
{
	double gain, late;
	unsigned rises = 0, falls = 0;

	if (r->count < POINTS_LEAST)
		return false;
	for (unsigned i = 1; i < r->count; i++) {
		rises += r->bytes[i] > r->bytes[i - 1];
		falls += r->bytes[i] < r->bytes[i - 1];
	}
	gain = (double)r->bytes[r->count - 1] - (double)r->bytes[0];
	late = (double)r->bytes[r->count - 1] - (double)r->bytes[r->count * 2 / 3];
	/* A JVM takes a piece at each collection, some seconds apart. */
	if (gain >= GAIN_STEP && gain < GAIN_PLAIN && !falls)
		return true;
	return gain >= GAIN_LEAST && gain < GAIN_PLAIN && late >= LATE_SHARE * gain &&
	       rises >= RISES_LEAST * (r->count - 1);
}

uint64_t diagnosing_growth_more(void *growth)
{
	struct diagnosing_growth *g = growth;
	size_t position = 0;
	const void *key;
	void *value;

	if (g->was_extended)
		return 0;
	while (map_next(&g->processes, &position, &key, &value)) {
		if (!grows(value))
			continue;
		g->was_extended = true;
		return MORE_NS;
	}
	return 0;
}
