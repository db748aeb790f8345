/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fd-leak: descriptors grow steadily. What grows is told by comparing the first with the last
 * reading, by kind and by path (of files: the directory).
 */
#include <stdlib.h>
#include <string.h>

#include "analyze/diagnosis/check.h"
#include "base/units.h"
#include "core/finding.h"
#include "probes/fd_names.h"
#include "probes/fds.h"

#define GROUPS_MAX   4096
#define GROUP_TEXT   120
#define GROUPS_SHOWN 3
#define POINTS_MAX   512

static const struct finding_option options[] = {
	{ .name = "min-rate",
		.help = "descriptors a second that it gains",
		.otherwise = 0.5,
		.min = 0.0001,
		.max = 1e9 },
	{ .name = "min-gain",
		.help = "descriptors it gained meanwhile",
		.otherwise = 10,
		.min = 1,
		.max = 1e9 },
	{ .name = "min-windows",
		.help = "windows between samples",
		.otherwise = 4,
		.min = 2,
		.max = 500 },
	{ .name = "min-age",
		.help = "age of the process: whoever starts opens much",
		.unit = SOOTH_UNIT_NS,
		.otherwise = 10e9,
		.min = 0,
		.max = 86400e9 },
};

struct group_key {
	char text[GROUP_TEXT]; /* "file /home/me/project"; cut, not escaped */
};

struct group_sum {
	struct group_key key;
	int64_t first, last;
};

/* --- what grew --- */

static void make_key(struct group_key *key, const struct fds_descriptor *d)
{
	const char *type = d->type < FDS_TYPES ? fd_type_names.names[d->type] : "?";
	struct span path = record_text(&d->record, &d->path);
	bool is_file = d->type == FDS_FILE || d->type == FDS_DELETED;
	bool has_path = (is_file || d->type == FDS_DIRECTORY || d->type == FDS_DEVICE) &&
			d->path_state <= SOOTH_STATE_TRUNCATED;
	const char *slash = has_path ? memrchr(path.data, '/', path.size) : NULL;
	size_t size = strlen(type);

	memset(key, 0, sizeof(*key));
	memcpy(key->text, type, size);
	if (!has_path)
		return;
	if (is_file && slash && slash != path.data)
		path.size = (size_t)(slash - path.data);
	key->text[size++] = ' ';
	memcpy(key->text + size, path.data,
		path.size < GROUP_TEXT - size - 1 ? path.size : GROUP_TEXT - size - 1);
}

static void add_snapshot(struct map *groups, const struct snapshot *reading, bool is_last)
{
	struct batch all = snapshot_records(reading);

	batch_for_each (r, &all) {
		const struct fds_descriptor *d = record_as(r, FDS_DESCRIPTOR, sizeof(*d));
		struct group_key key;
		struct group_sum *sum;

		if (!d)
			continue;
		make_key(&key, d);
		sum = map_put(groups, &key, NULL);
		if (!sum)
			continue;
		sum->key = key;
		sum->first += !is_last;
		sum->last += is_last;
	}
}

static int by_gain(const void *a, const void *b)
{
	const struct group_sum *x = a, *y = b;
	int64_t p = x->last - x->first, q = y->last - y->first;

	return (q > p) - (q < p);
}

/* The groups that gained most; returns how many stand in `top`. */
static size_t find_groups(const struct check *e, struct group_sum top[GROUPS_SHOWN])
{
	const struct snapshot *first = check_first(e, &e->input->fds);
	const struct snapshot *last = check_last(e, &e->input->fds);
	size_t position = 0, count = 0, told = 0;
	struct group_sum *all;
	struct map groups;
	void *value;

	if (!first || !last || first == last)
		return 0;
	map_init(&groups, sizeof(struct group_key), sizeof(struct group_sum), GROUPS_MAX);
	add_snapshot(&groups, first, false);
	add_snapshot(&groups, last, true);
	all = calloc(groups.count + 1, sizeof(*all));
	while (all && map_next(&groups, &position, NULL, &value))
		all[count++] = *(struct group_sum *)value;
	if (count)
		qsort(all, count, sizeof(*all), by_gain);
	while (told < GROUPS_SHOWN && told < count && all[told].last > all[told].first) {
		top[told] = all[told];
		told++;
	}
	free(all);
	map_fini(&groups);
	return told;
}

/* --- the finding --- */

static void emit_groups(struct check *e, const struct group_sum *top, size_t count)
{
	if (!count)
		finding_unseen(e, "which kind of descriptor grows: there were no two readings of "
				  "what they are");
	for (size_t i = 0; i < count; i++)
		finding_text(e, "of them", "%lld more of %s (%lld, then %lld)",
			(long long)(top[i].last - top[i].first), top[i].key.text,
			(long long)top[i].first, (long long)top[i].last);
}

static void emit_limit(struct check *e, const struct growth *g)
{
	const struct snapshot *last = check_last(e, &e->input->fds);
	const struct fds_process *end = last ? snapshot_end(last, sizeof(*end)) : NULL;
	uint64_t left_ns;

	if (!end || end->limit_state || end->soft_limit == UINT64_MAX) {
		finding_unseen(e, "the limit of the process");
		return;
	}
	finding_number(e, "soft limit", (double)end->soft_limit, SOOTH_UNIT_NONE, 0);
	if (growth_reaches(g, (double)end->soft_limit, &left_ns))
		finding_number(
			e, "at that rate the limit is met in", (double)left_ns, SOOTH_UNIT_NS, 0);
}

static void tell(struct check *e, const struct growth *g)
{
	struct group_sum top[GROUPS_SHOWN];
	size_t count = find_groups(e, top);

	finding_begin(e, g->is_steady ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_MEDIUM, "");
	finding_claim(e, "opens descriptors and does not close them: %.0f more%s%s",
		g->last - g->first, count ? ", most of them " : "", count ? top[0].key.text : "");
	finding_number(e, "descriptors at first", g->first, SOOTH_UNIT_NONE, 0);
	finding_number(e, "descriptors at last", g->last, SOOTH_UNIT_NONE, 0);
	finding_rate(e, "growth", g->per_s, SOOTH_UNIT_NONE, g->interval_ns);
	finding_text(e, "steadiness", "grew in %u of %u windows", g->grown, g->windows);
	emit_groups(e, top, count);
	emit_limit(e, g);
	finding_remedy(e, "sooth inspect --fds %llu lists them; restarting it gives them back",
		(unsigned long long)e->id.pid);
	finding_end(e);
}

static size_t points_of(const struct check *e, struct growth_point out[POINTS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < e->series.count && count < POINTS_MAX; i++) {
		const struct sample_point *p = &e->series.points[i];

		if (p->descriptors_state == SOOTH_STATE_VALUE)
			out[count++] = (struct growth_point){ p->time_ns, p->descriptors };
	}
	return count;
}

/* Why the last sample does not tell how many there are; if it does, there was one only. */
static void emit_blind(struct check *e)
{
	const struct sample_point *last = &e->series.points[e->series.count - 1];

	if (last->descriptors_state == SOOTH_STATE_VALUE)
		check_blind(e, SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL));
	else
		check_blind(e, last->descriptors_state);
}

static void judge(struct check *e)
{
	struct growth_point points[POINTS_MAX];
	size_t count = points_of(e, points);
	struct growth g;

	if (count < 2) {
		emit_blind(e);
		return;
	}
	growth_diagnose(&g, points, count, (unsigned)check_option(e, "min-windows"), 0);
	if (!g.is_measured) {
		check_blind_because(e, "too few samples", "observe for longer, with --duration");
		return;
	}
	if ((double)check_age_ns(e) < check_option(e, "min-age")) {
		check_blind_because(e, "it has only just started", "ask again later");
		return;
	}
	if (g.grows && g.last - g.first >= check_option(e, "min-gain") &&
		check_is_over(e, "min-rate", g.per_s, ""))
		tell(e, &g);
	else if (g.may_grow && g.last - g.first >= check_option(e, "min-gain"))
		check_blind_because(e, "it gained descriptors, by too few steps to call it a leak",
			"observe for longer: --duration 30");
	else
		check_fine(e, "%.0f descriptors, then %.0f", g.first, g.last);
}

const struct finding_type finding_fd_leak = {
	.id = "fd-leak",
	.claim = "descriptors grow steadily",
	.probes = "proc",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.judge = judge,
};
