/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/inspect/limit_sums.h"

#include <errno.h>
#include <stdlib.h>

#include <sooth/field.h>

const struct limits_resource *limit_sums_resource(const struct sooth_record *r)
{
	const struct limits_resource *l = record_as(r, LIMITS_RESOURCE, sizeof(*l));

	return l && record_has_text(r, &l->name) ? l : NULL;
}

const struct limits_group *limit_sums_group(const struct sooth_record *r)
{
	const struct limits_group *g = record_as(r, LIMITS_GROUP, LIMITS_GROUP_LEAST);

	return g && record_has_text(r, &g->name) && record_has_text(r, &g->path) ? g : NULL;
}

const struct limits_pressure *limit_sums_pressure(const struct sooth_record *r)
{
	const struct limits_pressure *p = record_as(r, LIMITS_PRESSURE, sizeof(*p));

	return p && record_has_text(r, &p->resource) && record_has_text(r, &p->path) ? p : NULL;
}

static bool share(uint64_t used, uint64_t limit, double *percent)
{
	/* A limit of 0 is fully used by any use: NOFILE may be 0. */
	*percent = limit ? 100.0 * (double)used / (double)limit : used ? 100.0 : 0.0;
	return true;
}

bool limit_sums_resource_percent(const struct limits_resource *r, double *percent)
{
	return r->used_state == SOOTH_STATE_VALUE && r->soft_state == SOOTH_STATE_VALUE &&
	       share(r->used, r->soft, percent);
}

bool limit_sums_group_percent(const struct limits_group *g, double *percent)
{
	return g->used_state == SOOTH_STATE_VALUE && g->limit_state == SOOTH_STATE_VALUE &&
	       share(g->used, g->limit, percent);
}

bool limit_sums_group_files(const struct limits_group *g, uint64_t *bytes)
{
	if (!record_holds(&g->record, sizeof(*g)) || g->file_state != SOOTH_STATE_VALUE)
		return false;
	*bytes = g->file_bytes;
	return true;
}

bool limit_sums_group_is(const struct limits_group *g, const char *name)
{
	return span_equal(record_text(&g->record, &g->name), name);
}

const struct limits_group *limit_sums_same_group(
	const struct snapshot *s, const struct limits_group *group)
{
	struct batch all = snapshot_records(s);
	struct span name = record_text(&group->record, &group->name);
	struct span path = record_text(&group->record, &group->path);

	batch_for_each (r, &all) {
		const struct limits_group *g = limit_sums_group(r);

		if (g && g->version == group->version &&
			!span_compare(record_text(r, &g->name), name) &&
			!span_compare(record_text(r, &g->path), path))
			return g;
	}
	return NULL;
}

static int nearest_first(const void *a, const void *b)
{
	const struct limit_sum *x = a, *y = b;

	return (x->percent < y->percent) - (x->percent > y->percent);
}

int limit_sums_near(const struct snapshot *process, double percent_least, struct buffer *out)
{
	struct batch batch = snapshot_records(process);

	batch_for_each (r, &batch) {
		struct limit_sum one = { .resource = limit_sums_resource(r),
			.group = limit_sums_group(r) };
		bool is_known =
			(one.resource && limit_sums_resource_percent(one.resource, &one.percent)) ||
			(one.group && limit_sums_group_percent(one.group, &one.percent));

		if (is_known && one.percent >= percent_least)
			buffer_append(out, &one, sizeof(one));
	}
	if (buffer_failed(out))
		return -ENOMEM;
	if (out->size)
		qsort(out->data, out->size / sizeof(struct limit_sum), sizeof(struct limit_sum),
			nearest_first);
	return 0;
}

static bool is_memory(const struct limits_group *g)
{
	return limit_sums_group_is(g, "memory");
}

static uint64_t room(const struct limits_group *g)
{
	uint64_t used = g->used_state == SOOTH_STATE_VALUE ? g->used : 0;

	return g->limit > used ? g->limit - used : 0;
}

const struct limits_group *limit_sums_tightest_memory(const struct snapshot *process)
{
	struct batch batch = snapshot_records(process);
	const struct limits_group *best = NULL;

	batch_for_each (r, &batch) {
		const struct limits_group *g = limit_sums_group(r);

		if (g && is_memory(g) && g->limit_state == SOOTH_STATE_VALUE &&
			(!best || room(g) < room(best)))
			best = g;
	}
	return best;
}
