/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/snapshots.h"

#include <assert.h>

#define PROCESSES_MAX 65536
#define BYTES_MAX     (64u << 20) /* limit of one snapshot: some 250,000 mappings */

void snapshots_init(struct snapshots *s, uint16_t end_kind)
{
	assert(s);
	*s = (struct snapshots){ .end_kind = end_kind };
	map_init(&s->processes, sizeof(struct process_id), sizeof(struct snapshot), PROCESSES_MAX);
}

void snapshots_init_in(struct snapshots *s, uint16_t end_kind, struct snapshots_room *room)
{
	assert(s);
	snapshots_init(s, end_kind);
	s->room = room;
}

static bool has_room(const struct snapshots *s, size_t size)
{
	return s->room ? s->room->bytes + size <= s->room->most : s->bytes + size <= BYTES_MAX;
}

static void count_bytes(struct snapshots *s, size_t size)
{
	s->bytes += size;
	if (s->room)
		s->room->bytes += size;
}

static void subtract_bytes(struct snapshots *s, uint64_t size)
{
	s->bytes -= size;
	if (s->room)
		s->room->bytes -= size;
}

static bool append_record(struct snapshots *s, struct buffer *to, const struct sooth_record *r)
{
	buffer_append(to, r, record_bytes(r));
	if (buffer_failed(to))
		return false;
	count_bytes(s, record_bytes(r));
	return true;
}

void snapshots_fini(struct snapshots *s)
{
	assert(s);
	subtract_bytes(s, s->bytes);

	map_for_each_value (&s->processes, struct snapshot *, one) {
		buffer_fini(&one->records);
		buffer_fini(&one->end);
		buffer_fini(&one->pending);
	}
	map_fini(&s->processes);
}

void snapshots_drop(struct snapshots *s, const struct process_id *id)
{
	assert(s);

	struct snapshot *one = map_get(&s->processes, id);

	if (!one)
		return;
	subtract_bytes(s, one->records.size + one->end.size + one->pending.size);
	buffer_fini(&one->records);
	buffer_fini(&one->end);
	buffer_fini(&one->pending);
	map_remove(&s->processes, id);
}

static void finish_snapshot(struct snapshots *s, struct snapshot *one, const struct sooth_record *r)
{
	if (!one->pending.size && one->records.size)
		return; /* it ended before it was read again */
	subtract_bytes(s, one->records.size + one->end.size);
	buffer_fini(&one->records);
	one->records = one->pending;
	one->pending = (struct buffer){ 0 };
	buffer_reset(&one->end);
	if (!append_record(s, &one->end, r))
		s->refused++;
}

void snapshots_add_record(struct snapshots *s, const struct sooth_record *r)
{
	assert(r);

	struct process_id id = process_id_of(r);
	struct snapshot *one;

	assert(s);
	if (!snapshots_are_of(s, r))
		return;
	one = map_put(&s->processes, &id, NULL);
	if (!one || !has_room(s, record_bytes(r))) {
		s->refused++;
		return;
	}
	one->id = id;
	if (r->kind == s->end_kind) {
		finish_snapshot(s, one, r);
		return;
	}
	if (!append_record(s, &one->pending, r))
		s->refused++;
}

const struct snapshot *snapshots_next(const struct snapshots *s, size_t *position)
{
	void *value;

	assert(s);
	while (map_next(&s->processes, position, NULL, &value)) {
		if (((struct snapshot *)value)->end.size)
			return value;
	}
	return NULL;
}

bool snapshots_are_of_one(const struct snapshots *s)
{
	size_t position = 0;

	return snapshots_next(s, &position) && !snapshots_next(s, &position);
}

const struct snapshot *snapshots_get(const struct snapshots *s, const struct process_id *id)
{
	assert(s);

	const struct snapshot *one = map_get(&s->processes, id);

	return one && one->end.size ? one : NULL;
}

const void *snapshot_next(const struct snapshot *s, uint16_t kind, size_t size, size_t *position)
{
	assert(position);
	while (s && *position < s->records.size) {
		const struct sooth_record *r = (const void *)(s->records.data + *position);

		*position += record_bytes(r);
		if (record_as(r, kind, size))
			return r;
	}
	return NULL;
}

const void *snapshot_find(const struct snapshot *s, uint16_t kind, size_t size)
{
	size_t position = 0;

	return snapshot_next(s, kind, size, &position);
}

const void *snapshot_end(const struct snapshot *s, size_t size)
{
	const struct sooth_record *r = s ? (const void *)s->end.data : NULL;

	return r && record_holds(r, size) ? r : NULL;
}
