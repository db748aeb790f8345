/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The descriptors of processes at their last snapshot: by type, each with its other end, paths open
 * more than once, epoll members, inotify watches, limits.
 */
#include <stdlib.h>

#include "analyze/fds/fd_emit_ends.h"
#include "analyze/fds/fd_sums.h"
#include "base/cleanup.h"
#include "base/cursor.h"
#include "explain/stage.h"
#include "model/probe.h"
#include "probes/fds.h"
#include "probes/sockets.h"

#define WATCHES_FOR_PEOPLE     20
#define DIRECTORIES_FOR_PEOPLE 10
#define PATHS_FOR_PEOPLE       10
#define FDS_OF_PATH_MAX	       10000

/* --- by type --- */

static const struct section type_section =
	SECTION_OF("by_type", fd_type_schema, KEYED, .columns = "kind,count");

/* Orders types by count, highest first, then by number. */
static size_t order_types(const uint32_t counts[FDS_TYPES + 1], uint32_t order[FDS_TYPES + 1])
{
	size_t used = 0;

	for (uint32_t i = 0; i <= FDS_TYPES; i++) {
		size_t at;

		if (!counts[i])
			continue;
		for (at = used++; at && counts[order[at - 1]] < counts[i]; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	return used;
}

static int fd_emit_types(struct fds_view *s, struct sooth_error *err)
{
	uint32_t counts[FDS_TYPES + 1] = { 0 }, order[FDS_TYPES + 1];
	int status = process_view_section(&s->view, &type_section, err);
	size_t used;

	snapshots_for_each (s->view.input, snapshot) {
		struct fd_sums sums;

		fd_sums_of(&sums, snapshot);
		for (size_t i = 0; i < FDS_TYPES; i++)
			counts[i] += sums.types[i];
		counts[FDS_UNKNOWN] += sums.other;
	}
	used = order_types(counts, order);
	for (size_t i = 0; i < used && !status; i++) {
		struct fd_type_row row = { .type = order[i], .count = counts[order[i]] };

		status = OUTPUT_ROW(s->view.output, &row, NULL, 0, err);
	}
	return status;
}

/* --- open several times --- */

static const struct section path_section =
	SECTION_OF("fd_paths", fd_path_schema, TABLE, .title = "open more than once",
		.columns = "pid,count,path,fds", .rows_least = 1, .rows_most = PATHS_FOR_PEOPLE);

struct named {
	struct span path;
	uint32_t fd;
};

static int compare_by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = span_compare(x->path, y->path);

	return order ? order : (x->fd > y->fd) - (x->fd < y->fd);
}

static void list_named(struct buffer *out, const struct snapshot *snapshot)
{
	struct batch records = snapshot_records(snapshot);

	batch_for_each (r, &records) {
		const struct fds_descriptor *d = record_as(r, FDS_DESCRIPTOR, sizeof(*d));
		struct named n;

		if (!d || d->path_state || d->type == FDS_MEMFD)
			continue;
		n = (struct named){ record_text(r, &d->path), d->fd };
		if (n.path.size && n.path.data[0] == '/')
			buffer_append(out, &n, sizeof(n));
	}
}

static int emit_path(struct fds_view *s, const struct process_id *id, const struct named *first,
	size_t count, struct buffer *fds, struct sooth_error *err)
{
	struct fd_path_row row = { .record = row_head(id), .count = (uint32_t)count };
	struct record_tail tail[2];

	buffer_reset(fds);
	for (size_t i = 0; i < count && i < FDS_OF_PATH_MAX; i++)
		buffer_append(fds, &first[i].fd, sizeof(first[i].fd));
	tail[0] = tail_span(&row.path, first->path);
	tail[1] = tail_buffer(&row.fds, fds);
	return OUTPUT_ROW(s->view.output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_paths(void *state, const struct snapshot *snapshot, struct sooth_error *err)
{
	struct buffer list = { 0 }, fds = { 0 };
	const struct named *all;
	size_t count, next;
	int status = 0;

	list_named(&list, snapshot);
	all = (const void *)list.data;
	count = list.size / sizeof(*all);
	if (count)
		qsort(list.data, count, sizeof(*all), compare_by_name);
	for (size_t i = 0; i < count && !status; i = next) {
		for (next = i + 1; next < count && !span_compare(all[i].path, all[next].path);)
			next++;
		if (next - i > 1)
			status = emit_path(state, &snapshot->id, &all[i], next - i, &fds, err);
	}
	buffer_fini(&list);
	buffer_fini(&fds);
	return status;
}

static int fd_emit_paths(struct fds_view *s, struct sooth_error *err)
{
	return process_view_emit(&s->view, &path_section, emit_paths, err);
}

/* --- watches --- */

static const struct section directory_section = SECTION_OF("watch_directories", fd_directory_schema,
	TABLE, .title = "directories watched", .columns = "pid,watches,path", .rows_least = 1,
	.rows_most = DIRECTORIES_FOR_PEOPLE);

static int emit_directories(void *state, const struct snapshot *snapshot, struct sooth_error *err)
{
	struct fds_view *s = state;
	struct buffer list = { 0 };
	int status = 0;

	fd_sums_directories(&list, snapshot);
	buffer_each_while (const struct fd_directory, directory, &list, !status) {
		struct fd_directory_row row = { .record = row_head(&snapshot->id),
			.watches = directory->watches,
			.path_state = directory->state };
		struct record_tail tail[] = { tail_span(&row.path, directory->path) };

		status = OUTPUT_ROW(s->view.output, &row, tail, 1, err);
	}
	buffer_fini(&list);
	return status;
}

static int fd_emit_directories(struct fds_view *s, struct sooth_error *err)
{
	return process_view_emit(&s->view, &directory_section, emit_directories, err);
}

static const struct section watch_section = SECTION_OF("watches", fd_watch_schema, TABLE,
	.title = "inotify watches", .columns = "pid,fd,watch,path,events", .rows_least = 1,
	.rows_most = WATCHES_FOR_PEOPLE);

static int emit_watch(struct fds_view *s, const struct fds_watch *w, struct buffer *words,
	struct sooth_error *err)
{
	struct fd_watch_row row = { .record = w->record,
		.inode = w->inode,
		.fd = w->fd,
		.watch = w->watch,
		.mask = w->mask,
		.device_major = w->device_major,
		.device_minor = w->device_minor,
		.path_state = w->path_state };
	struct record_tail tail[2];

	fd_inotify_words(words, w->mask);
	tail[0] = tail_buffer(&row.events, words);
	tail[1] = tail_text(&row.path, &w->record, &w->path);
	return OUTPUT_ROW(s->view.output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_watches(void *state, const struct snapshot *snapshot, struct sooth_error *err)
{
	struct batch records = snapshot_records(snapshot);
	struct buffer words = { 0 };
	int status = 0;

	batch_for_each (r, &records) {
		const struct fds_watch *w = record_as(r, FDS_WATCH, sizeof(*w));

		if (w && !status)
			status = emit_watch(state, w, &words, err);
	}
	buffer_fini(&words);
	return status;
}

static int fd_emit_watches(struct fds_view *s, struct sooth_error *err)
{
	return process_view_emit(&s->view, &watch_section, emit_watches, err);
}

/* --- limits --- */

static const struct section limits_section = SECTION_OF("fd_limits", fd_limits_schema, TABLE,
	.title = "descriptor and watch limits",
	.columns = "pid,open_files,soft_limit,hard_limit,percent,watches,watches_max,instances,"
		   "instances_max");

static uint8_t limit_state(uint8_t state, uint64_t value)
{
	return !state && value == UINT64_MAX ? SOOTH_STATE_ABSENT : state;
}

static int emit_limits(void *state, const struct snapshot *snapshot, struct sooth_error *err)
{
	struct fds_view *s = state;
	struct fd_limits_row row;
	const struct fds_process *p;
	struct fd_sums sums;

	fd_sums_of(&sums, snapshot);
	p = sums.process;
	if (!p)
		return 0;
	row = (struct fd_limits_row){ .record = p->record,
		.soft_limit = p->soft_limit,
		.hard_limit = p->hard_limit,
		.count = p->descriptors,
		.watches = p->watches,
		.watches_max = p->watches_max,
		.instances = sums.instances,
		.instances_max = p->instances_max,
		.count_state = p->descriptors_state,
		.has_all = p->descriptors_state == SOOTH_STATE_VALUE,
		.soft_state = limit_state(p->limit_state, p->soft_limit),
		.hard_state = limit_state(p->limit_state, p->hard_limit),
		.inotify_state = p->inotify_state,
		/* A descriptor of unknown type may be an inotify instance. */
		.watches_state = sums.types[FDS_UNKNOWN] || p->descriptors_state
					 ? SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)
					 : SOOTH_STATE_VALUE };
	row.percent_state = p->descriptors_state ? p->descriptors_state : row.soft_state;
	if (!row.percent_state && !p->soft_limit)
		row.percent_state = SOOTH_STATE_ABSENT;
	if (!row.percent_state)
		row.percent = 100.0 * p->descriptors / (double)p->soft_limit;
	return OUTPUT_ROW(s->view.output, &row, NULL, 0, err);
}

static int fd_emit_limits(struct fds_view *s, struct sooth_error *err)
{
	return process_view_emit(&s->view, &limits_section, emit_limits, err);
}

/* --- the view --- */

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct fds_view *s = state;

	(void)options;
	(void)err;
	process_view_init(&s->view, output, FDS_PROCESS);
	snapshots_init(&s->sockets, SOCKETS_PROCESS);
	return 0;
}

static void handle_segment(struct fds_view *s, const struct sooth_record *r)
{
	const struct sooth_schema *schema = registry_schema(r->kind);

	s->is_aarch64 = span_equal(text_named(schema, r, "architecture"), "aarch64");
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct fds_view *s = state;

	(void)err;
	batch_for_each (r, batch) {
		if (r->kind == STREAM_SEGMENT)
			handle_segment(s, r);
		else if (r->kind == SOCKETS_SOCKET || r->kind == SOCKETS_PROCESS)
			snapshots_add_record(&s->sockets, r);
		else
			snapshots_add_record(&s->view.own, r);
	}
	return 0;
}

static void fini(void *state)
{
	struct fds_view *s = state;

	snapshots_fini(&s->sockets);
	process_view_fini(s);
}

static void emit_limit_notes(struct fds_view *s)
{
	if (s->view.input->refused)
		output_limit(s->view.output, "some file descriptors",
			"the processes have more descriptors than sooth can keep; the rest is left "
			"out",
			"");
	snapshots_for_each (s->view.input, snapshot) {
		const struct fds_process *p = snapshot_end(snapshot, sizeof(*p));

		if (!p)
			continue;
		if (p->descriptors_state == SOOTH_STATE_TRUNCATED)
			output_limit(s->view.output, "some file descriptors",
				"a process has more descriptors than sooth can read; the rest is "
				"left out",
				"");
		if (p->holders_state == SOOTH_STATE_TRUNCATED)
			output_limit(s->view.output,
				"some processes that hold the other ends of pipes and sockets",
				"too many processes hold the other ends, or the search took too "
				"long",
				"");
		if (p->holders_state == SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION))
			output_limit(s->view.output,
				"processes of other users that hold the other ends of pipes and "
				"sockets",
				"sooth may not read these processes, or they are hidden from this "
				"container",
				"run sooth as root, outside containers");
	}
}

static int finish(void *state, struct sooth_error *err)
{
	static int (*const emit[])(struct fds_view *, struct sooth_error *) = { fd_emit_types,
		fd_emit_limits, fd_emit_descriptors, fd_emit_holders, fd_emit_paths,
		fd_emit_members, fd_emit_directories, fd_emit_watches };
	int status = 0;

	emit_limit_notes(state);
	for (size_t i = 0; i < sizeof(emit) / sizeof(emit[0]) && !status; i++)
		status = emit[i](state, err);
	return status;
}

const struct stage_type stage_fds = {
	.name = "fds",
	.help = "file descriptors: types, other ends of pipes and sockets, watches, limits",
	.probe = "fds",
	.shows = "fds",
	STAGE_FUNCTIONS(struct fds_view),
};
