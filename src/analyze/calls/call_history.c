/* SPDX-License-Identifier: BSD-2-Clause */
/* See call_history.h: the tables, their bounds, and one call after the other. The parts say what it
 * does to them. */
#include "analyze/calls/call_history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/calls/call_about.h"
#include "analyze/calls/call_history_parts.h"
#include "base/cleanup.h"
#include "bpf/aggregate.h"
#include "model/stream_records.h"
#include "probes/fds.h"
#include "probes/proc.h"
#include "probes/sockets.h"

#define PROCESSES_MAX 4096
#define FILES_MAX     16384 /* of a process; so the others: */
#define FAILURES_MAX  2048
#define TIMES_MAX     1024
#define FOUND_MAX     16384
#define SCRAPS_MAX    1024
#define PEERS_MAX     512
#define THREADS_MAX   4096
#define FDS_MAX	      16384
#define ENTRIES_MAX   200000 /* of all processes: then nothing new is kept */
#define LOOKED_EVERY  4096   /* calls, at that */

/* --- histories --- */

static struct map *map_at(struct call_history *h, size_t i)
{
	struct map *const all[] = { &h->failures, &h->found, &h->times, &h->files, &h->scraps,
		&h->peers, &h->waits, &h->positions, &h->pending };

	return i < ARRAY_SIZE(all) ? all[i] : NULL;
}

static void fini_history(struct call_history *h)
{
	struct map *m;

	for (size_t i = 0; (m = map_at(h, i)); i++)
		map_fini(m);
}

static struct call_history *new_history(const struct process_id *id)
{
	struct call_history *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->id = *id;
	map_init(&h->failures, sizeof(struct call_place), sizeof(struct call_failures),
		FAILURES_MAX);
	map_init(&h->found, sizeof(uint64_t), sizeof(uint64_t), FOUND_MAX);
	map_init(&h->times, sizeof(struct call_place), sizeof(struct call_times), TIMES_MAX);
	map_init(&h->files, sizeof(struct call_path), sizeof(struct call_file), FILES_MAX);
	map_init(&h->scraps, sizeof(struct call_path), sizeof(struct call_scraps), SCRAPS_MAX);
	map_init(&h->peers, sizeof(struct call_path), sizeof(struct call_peer), PEERS_MAX);
	map_init(&h->waits, sizeof(uint32_t), sizeof(struct call_waits), THREADS_MAX);
	map_init(&h->positions, sizeof(uint32_t), sizeof(struct call_position), FDS_MAX);
	map_init(&h->pending, sizeof(uint32_t), sizeof(struct call_pending), FDS_MAX);
	return h;
}

static struct call_history *history_of(struct call_histories *all, const struct process_id *id)
{
	struct call_history **kept = map_put(&all->processes, id, NULL);

	if (kept && !*kept && !all->is_full)
		*kept = new_history(id);
	if (!kept || !*kept) {
		all->refused++;
		return NULL;
	}
	return *kept;
}

static size_t count_entries(struct call_histories *all)
{
	size_t position = 0, count = 0;
	struct map *m;
	void *value;

	while (map_next(&all->processes, &position, NULL, &value)) {
		for (size_t i = 0; *(void **)value && (m = map_at(*(void **)value, i)); i++)
			count += m->count;
	}
	return count;
}

/* All bounds are that of now. */
static void freeze(struct call_histories *all)
{
	size_t position = 0;
	struct map *m;
	void *value;

	all->is_full = true;
	while (map_next(&all->processes, &position, NULL, &value)) {
		for (size_t i = 0; *(void **)value && (m = map_at(*(void **)value, i)); i++)
			m->limit = m->count;
	}
}

const struct call_history *call_histories_get(
	const struct call_histories *h, const struct process_id *id)
{
	struct call_history *const *kept = map_get(&h->processes, id);

	return kept ? *kept : NULL;
}

struct call_path call_path_of(struct span path)
{
	struct call_path key = { { 0 } };

	if (path.size)
		memcpy(key.text, path.data,
			path.size < sizeof(key.text) - 1 ? path.size : sizeof(key.text) - 1);
	return key;
}

bool call_is_on_disk(const char *path)
{
	static const char *const others[] = { "/dev/", "/proc/", "/sys/" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (!strncmp(path, others[i], strlen(others[i])))
			return false;
	}
	return *path == '/';
}

/* --- a call --- */

static void find_path(struct call_at_hand *c)
{
	struct buffer *path = &c->all->path;
	uint8_t state;

	/* fstat by another name. */
	if (call_means_descriptor(c->types, c->call))
		return;
	buffer_reset(path);
	state = call_find_path(&c->all->fds, c->types, c->call, path);
	if (state <= SOOTH_STATE_TRUNCATED && path->size)
		c->path = span_of(buffer_cstr(path), path->size);
}

static void take_call(struct call_histories *h, const struct syscalls_call *call)
{
	struct process_id id = process_id_of(&call->record);
	struct call_at_hand c = { .all = h,
		.history = history_of(h, &id),
		.call = call,
		.types = call_table_get(h->types, call->abi, call->number),
		.kinds = call_kinds_of(h->kinds, call),
		.is_error = aggregate_is_error(call->result) };

	if (!c.history || call->result_state != SOOTH_STATE_VALUE)
		return;
	if (!(++h->taken % LOOKED_EVERY) && !h->is_full && count_entries(h) > ENTRIES_MAX)
		freeze(h);
	c.error = c.is_error ? (unsigned)-call->result : 0;
	c.history->calls++;
	if (!c.types->row)
		return; /* nobody knows what it does */
	c.history->uring_calls += !strcmp(c.types->row->name, "io_uring_enter");
	find_path(&c);
	if (c.types->letters[0] == 'f')
		c.fd = fd_follow_get(&h->fds, &id, call_int(call->arguments[0]));
	call_places_take(&c);
	call_files_take(&c);
	call_peers_take(&c);
	call_waits_take(&c);
}

/* --- all of them --- */

static int take(void *state, const struct sooth_record *r, struct sooth_error *err)
{
	struct call_histories *h = state;

	(void)err;
	if (record_as(r, SYSCALLS_CALL, SYSCALLS_CALL_LEAST)) {
		h->has_calls = true;
		take_call(h, (const void *)r);
	}
	fd_follow_take(&h->fds, r);
	return 0;
}

void call_histories_init(struct call_histories *h)
{
	*h = (struct call_histories){ 0 };
	map_init(&h->processes, sizeof(struct process_id), sizeof(struct call_history *),
		PROCESSES_MAX);
}

int call_histories_begin(struct call_histories *h)
{
	if (h->is_on || h->types)
		return 0;
	h->types = calloc(1, sizeof(*h->types));
	h->kinds = malloc(sizeof(*h->kinds));
	h->transfers = malloc(sizeof(*h->transfers));
	if (!h->types || !h->kinds || !h->transfers || fd_follow_init(&h->fds))
		return -ENOMEM;
	call_kinds_init(h->kinds);
	transfers_init(h->transfers);
	call_backlog_init(&h->backlog, &h->fds, take, h);
	h->is_on = true;
	return 0;
}

static void forget(struct call_histories *h)
{
	size_t position = 0;
	void *value;

	while (map_next(&h->processes, &position, NULL, &value)) {
		struct call_history *one = *(struct call_history **)value;

		if (one)
			fini_history(one);
		free(one);
	}
}

void call_histories_fini(struct call_histories *h)
{
	forget(h);
	map_fini(&h->processes);
	if (h->is_on) {
		call_backlog_fini(&h->backlog);
		fd_follow_fini(&h->fds);
	}
	free(h->types);
	free(h->kinds);
	free(h->transfers);
	buffer_fini(&h->path);
	buffer_fini(&h->path2);
}

static void take_loss(struct call_histories *h, const struct stream_loss *loss)
{
	if (span_equal(record_text(&loss->record, &loss->source), "syscalls"))
		h->lost += loss->records ? loss->records : 1;
}

/* What says which descriptors there are, and the calls; the rest of a stream is long. */
static bool is_followed(const struct sooth_record *r)
{
	static const uint16_t kinds[] = { SYSCALLS_CALL, FDS_DESCRIPTOR, FDS_PROCESS,
		SOCKETS_SOCKET, SOCKETS_PROCESS, PROC_PROCESS, PROCESS_JOIN, PROCESS_EXEC,
		PROCESS_LEAVE, STREAM_BEGIN, STREAM_END };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i] == r->kind)
			return true;
	}
	return false;
}

void call_histories_take(struct call_histories *h, const struct sooth_record *r)
{
	const struct stream_loss *loss = record_as(r, STREAM_LOSS, sizeof(*loss));
	struct sooth_error ignored;

	if (!h->is_on)
		return;
	h->has_counts |= r->kind == SYSCALLS_COUNT;
	if (loss)
		take_loss(h, loss);
	if (is_followed(r) && call_backlog_record(&h->backlog, r, &ignored))
		h->refused++;
}

void call_histories_resolve(struct call_histories *h)
{
	struct sooth_error ignored;
	size_t position = 0;
	void *value;

	if (!h->is_on)
		return;
	if (call_backlog_end(&h->backlog, &ignored))
		h->refused++;
	while (map_next(&h->processes, &position, NULL, &value)) {
		struct call_history *one = *(struct call_history **)value;
		const struct map *m;

		if (one)
			call_peers_resolve(one);
		for (size_t i = 0; one && (m = map_at(one, i)); i++)
			h->refused += m->refused;
	}
}

/* What its descriptors are at goes on. */
static void renew(struct call_history **one)
{
	struct call_history *fresh = new_history(&(*one)->id), *old = *one;
	struct map positions, pending;

	if (!fresh)
		return;
	positions = fresh->positions;
	pending = fresh->pending;
	fresh->positions = old->positions;
	fresh->pending = old->pending;
	old->positions = positions;
	old->pending = pending;
	fini_history(old);
	free(old);
	*one = fresh;
}

void call_histories_next_interval(struct call_histories *h)
{
	size_t position = 0;
	void *value;

	h->lost = h->refused = 0;
	h->is_full = false;
	while (map_next(&h->processes, &position, NULL, &value)) {
		if (*(struct call_history **)value)
			renew(value);
	}
}
