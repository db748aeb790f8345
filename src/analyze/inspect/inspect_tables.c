/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of the view "inspect": largest, busiest and most nearly exhausted. */
#include <stdlib.h>
#include <string.h>

#include "analyze/fds/fd_sums.h"
#include "analyze/inspect/inspect_snapshots.h"
#include "analyze/inspect/inspect_rows.h"
#include "analyze/inspect/limit_sums.h"
#include "analyze/maps/map_classes.h"
#include "analyze/sockets/socket_sums.h"
#include "base/cleanup.h"
#include "model/probe.h"
#include "probes/sockets.h"

#define ROWS_MOST  6
#define NEAR_LEAST 50.0 /* least percent of a limit that gets a row */
#define BUSY_LEAST 0.05 /* least percent of a CPU that gets a row */

static int by_rss(const void *a, const void *b)
{
	const struct inspect_class_row *x = a, *y = b;

	if (x->rss_bytes != y->rss_bytes)
		return x->rss_bytes < y->rss_bytes ? 1 : -1;
	return x->size_bytes < y->size_bytes ? 1 : x->size_bytes > y->size_bytes ? -1 : 0;
}

static int emit_classes(
	struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	static const struct section section = { .name = "memory_classes",
		.schema = &inspect_class_schema,
		.shape = SECTION_TABLE,
		.columns = "class,rss_bytes,pss_bytes,dirty_bytes,swap_bytes,size_bytes,reserved_"
			   "bytes",
		.rows_most = ROWS_MOST };
	struct inspect_class_row rows[MAP_CLASSES];
	size_t count = 0;
	int status = output_section(s->output, &section, err);

	for (uint32_t i = 0; i < MAP_CLASSES; i++) {
		const struct map_total *t = &s->map_totals[i];

		if (t->mappings)
			rows[count++] = (struct inspect_class_row){ .record = row_head(id),
				.rss_bytes = t->rss_bytes,
				.pss_bytes = t->pss_bytes,
				.dirty_bytes = t->dirty_bytes,
				.swap_bytes = t->swap_bytes,
				.reserved_bytes = t->reserved_bytes,
				.size_bytes = t->size_bytes,
				.mappings = t->mappings,
				.class_ = i,
				.figures_state = t->figures_state };
	}
	qsort(rows, count, sizeof(rows[0]), by_rss);
	for (size_t i = 0; i < count && !status; i++)
		status = OUTPUT_ROW(s->output, &rows[i], NULL, 0, err);
	return status;
}

static int emit_threads(struct inspect_snapshots *s, struct sooth_error *err)
{
	static const struct section section = { .name = "busiest_threads",
		.schema = &inspect_thread_schema,
		.shape = SECTION_TABLE,
		.rows_most = ROWS_MOST };
	const struct thread_time *all = (const void *)s->thread_list.data;
	int status = output_section(s->output, &section, err);

	for (size_t i = 0; i < s->thread_list.size / sizeof(*all) && !status; i++) {
		const struct sooth_record *r = &all[i].thread->record;
		struct inspect_thread_row row = { .record = *r,
			.cpu_percent = all[i].cpu_percent,
			.cpu_state = all[i].cpu_state,
			.state = all[i].thread->state };
		struct sooth_value name =
			sooth_field_get(sooth_schema_field(registry_schema(r->kind), "name"), r);
		struct record_tail tail[] = { { &row.name, name.text.data, name.text.size } };

		if (!row.cpu_state && row.cpu_percent >= BUSY_LEAST)
			status = OUTPUT_ROW(s->output, &row, tail, 1, err);
	}
	return status;
}

static int emit_count(struct inspect_snapshots *s, const struct process_id *id, struct span what,
	uint8_t state, uint64_t count, struct sooth_error *err)
{
	struct inspect_count_row row = {
		.record = row_head(id), .count = count, .what_state = state
	};
	struct record_tail tail[] = { tail_span(&row.what, what) };

	return OUTPUT_ROW(s->output, &row, tail, 1, err);
}

struct peer_count {
	const struct socket_peer_key *key;
	uint64_t count;
};

static int by_count(const void *a, const void *b)
{
	const struct peer_count *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return memcmp(x->key, y->key, sizeof(*x->key));
}

static int emit_peers(
	struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	static const struct section section = { .name = "peers",
		.schema = &inspect_peer_schema,
		.shape = SECTION_TABLE,
		.rows_most = ROWS_MOST };
	const struct map *peers = &s->socket_sums.peers;
	_cleanup_free_ struct peer_count *all = NULL;
	size_t position = 0, count = 0;
	const void *key;
	void *value;
	int status = output_section(s->output, &section, err);

	all = calloc(peers->count + 1, sizeof(*all));
	while (all && map_next(peers, &position, &key, &value))
		all[count++] = (struct peer_count){ key, ((struct socket_peer_sum *)value)->count };
	if (!all)
		status = error_no_memory(err);
	else
		qsort(all, count, sizeof(*all), by_count);
	for (size_t i = 0; i < count && !status; i++)
		status = emit_count(s, id,
			span_of(all[i].key->text, strnlen(all[i].key->text, SOCKET_SUMS_TEXT)),
			SOOTH_STATE_VALUE, all[i].count, err);
	return status;
}

static int emit_directories(
	struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	static const struct section section = { .name = "watch_directories",
		.schema = &inspect_directory_schema,
		.shape = SECTION_TABLE,
		.rows_most = ROWS_MOST };
	const struct snapshot *snapshot = snapshots_get(&s->fds, id);
	const struct fd_directory *all;
	struct buffer list = { 0 };
	int status = output_section(s->output, &section, err);

	if (snapshot)
		fd_sums_directories(&list, snapshot);
	all = (const void *)list.data;
	for (size_t i = 0; i < list.size / sizeof(*all) && !status; i++)
		status = emit_count(s, id, all[i].path, all[i].state, all[i].watches, err);
	buffer_fini(&list);
	return status;
}

static int emit_limit(
	struct inspect_snapshots *s, const struct limit_sum *l, struct sooth_error *err)
{
	static const char *const units[] = { "", "bytes", "s", "us" };
	const struct sooth_record *r = l->group ? &l->group->record : &l->resource->record;
	struct sooth_value name =
		sooth_field_get(sooth_schema_field(registry_schema(r->kind), "name"), r);
	uint32_t unit = l->group ? l->group->unit : l->resource->unit;
	const char *unit_name = unit < ARRAY_SIZE(units) ? units[unit] : "";
	struct inspect_limit_row row = { .record = *r, .percent = l->percent };
	struct buffer text = { 0 };
	int status;

	row.used = l->group ? l->group->used : l->resource->used;
	row.limit = l->group ? l->group->limit : l->resource->soft;
	buffer_string(&text, l->group ? "group " : "");
	buffer_append(&text, name.text.data, name.text.size);
	struct record_tail tail[] = {
		tail_buffer(&row.name, &text),
		tail_string(&row.unit, unit_name),
	};
	status = OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&text);
	return status;
}

static int emit_limits(
	struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	static const struct section section = { .name = "near_limits",
		.schema = &inspect_limit_schema,
		.shape = SECTION_TABLE,
		.rows_most = ROWS_MOST };
	const struct snapshot *snapshot = snapshots_get(&s->limits, id);
	const struct limit_sum *all;
	struct buffer list = { 0 };
	int status = output_section(s->output, &section, err);

	if (!status && snapshot && limit_sums_near(snapshot, NEAR_LEAST, &list))
		status = error_no_memory(err);
	all = (const void *)list.data;
	for (size_t i = 0; i < list.size / sizeof(*all) && !status; i++)
		status = emit_limit(s, &all[i], err);
	buffer_fini(&list);
	return status;
}

int inspect_emit_tables(
	struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	int status = emit_classes(s, id, err);

	if (!status)
		status = emit_threads(s, err);
	if (!status)
		status = emit_peers(s, id, err);
	if (!status)
		status = emit_directories(s, id, err);
	return status ? status : emit_limits(s, id, err);
}
