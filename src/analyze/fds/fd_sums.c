/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/fds/fd_sums.h"

#include <assert.h>
#include <stdlib.h>

#define GROUP_DEPTH 4 /* path components that separate projects and their parts */

void fd_sums_of(struct fd_sums *sums, const struct snapshot *snapshot)
{
	struct batch records = snapshot_records(snapshot);

	assert(sums);
	*sums = (struct fd_sums){ .process = snapshot_end(snapshot, sizeof(struct fds_process)) };
	batch_for_each (r, &records) {
		const struct fds_descriptor *d = record_as(r, FDS_DESCRIPTOR, sizeof(*d));

		sums->watches_reported += r->kind == FDS_WATCH;
		if (!d)
			continue;
		if (d->type < FDS_TYPES)
			sums->types[d->type]++;
		else
			sums->other++;
	}
	sums->instances = sums->types[FDS_INOTIFY];
}

static struct span group_of(struct span path)
{
	unsigned depth = 0;
	size_t i;

	for (i = 0; i < path.size; i++) {
		if (path.data[i] == '/' && depth++ == GROUP_DEPTH)
			break;
	}
	return span_of(path.data, i);
}

static int compare_by_path(const void *a, const void *b)
{
	const struct fd_directory *x = a, *y = b;
	int order = span_compare(x->path, y->path);

	return order ? order : (int)x->state - (int)y->state;
}

static int compare_by_watches(const void *a, const void *b)
{
	const struct fd_directory *x = a, *y = b;

	if (x->watches != y->watches)
		return x->watches < y->watches ? 1 : -1;
	return compare_by_path(a, b);
}

static void list_groups(struct buffer *out, const struct snapshot *snapshot)
{
	struct batch records = snapshot_records(snapshot);

	batch_for_each (r, &records) {
		const struct fds_watch *w = record_as(r, FDS_WATCH, sizeof(*w));
		struct fd_directory d = { .watches = 1 };

		if (!w)
			continue;
		d.state = w->path_state;
		d.path = d.state ? span_of("", 0) : group_of(record_text(r, &w->path));
		buffer_append(out, &d, sizeof(d));
	}
}

void fd_sums_directories(struct buffer *out, const struct snapshot *snapshot)
{
	struct fd_directory *all;
	size_t count, kept = 0;

	assert(out);
	buffer_reset(out);
	list_groups(out, snapshot);
	all = (void *)out->data;
	count = out->size / sizeof(*all);
	if (!count)
		return;
	qsort(all, count, sizeof(*all), compare_by_path);
	for (size_t i = 1; i < count; i++) {
		if (!compare_by_path(&all[i], &all[kept]))
			all[kept].watches++;
		else
			all[++kept] = all[i];
	}
	out->size = (kept + 1) * sizeof(*all);
	qsort(all, kept + 1, sizeof(*all), compare_by_watches);
}
