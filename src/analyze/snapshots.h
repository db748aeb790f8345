/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last whole snapshot of each process by a sampling probe: its records, and the record of
 * `end_kind` that ends it. An empty snapshot, because the process had ended, does not replace a
 * full one.
 */
#pragma once

#include "analyze/records.h"
#include "base/map.h"
#include "base/walk.h"
#include "model/batch.h"
#include "model/process_id.h"

struct snapshot {
	struct process_id id;
	struct buffer records; /* records of the last whole snapshot, without its end record */
	struct buffer end; /* end record of the last whole snapshot; empty: no whole snapshot yet */
	struct buffer pending; /* records of a snapshot whose end record has not come yet */
};

/* A memory limit that several struct snapshots share: a hostile capture could fill each of them. */
struct snapshots_room {
	uint64_t bytes, most;
};

struct snapshots {
	uint16_t end_kind;	     /* the other kinds have the same high byte */
	uint64_t bytes;		     /* memory of the snapshots of all processes together */
	struct snapshots_room *room; /* shared with others; NULL: none */
	uint64_t refused;	     /* records beyond the bounds */
	struct map processes;	     /* process_id -> struct snapshot */
};

void snapshots_init(struct snapshots *s, uint16_t end_kind);
void snapshots_init_in(struct snapshots *s, uint16_t end_kind, struct snapshots_room *room);
void snapshots_fini(struct snapshots *s);
/* Returns whether this is a record of the snapshots' probe. */
static inline bool snapshots_are_of(const struct snapshots *s, const struct sooth_record *r)
{
	return !((r->kind ^ s->end_kind) & 0xff00);
}
void snapshots_add_record(struct snapshots *s, const struct sooth_record *r);
/*
 * Walks the processes with a whole snapshot in the order of their first record; *position starts at
 * 0.
 */
const struct snapshot *snapshots_next(const struct snapshots *s, size_t *position);
#define snapshots_for_each(s, one) walk_each (const struct snapshot *, one, snapshots_next, s)
/* Returns whether exactly one process has a whole snapshot: then rows need no PID column. */
bool snapshots_are_of_one(const struct snapshots *s);
/* Drops what is kept of a process that has ended for good. */
void snapshots_drop(struct snapshots *s, const struct process_id *id);
const struct snapshot *snapshots_get(const struct snapshots *s, const struct process_id *id);

/* Returns the records of a snapshot without its end record; none if `s` is NULL. */
static inline struct batch snapshot_records(const struct snapshot *s)
{
	return s ? (struct batch){ s->records.data, s->records.size } : (struct batch){ 0 };
}

/* Returns the next record of a kind, with at least `size` bytes, of a snapshot, which may be NULL;
 * *position starts at 0. */
const void *snapshot_next(const struct snapshot *s, uint16_t kind, size_t size, size_t *position);
/* Walks them; `s` may be NULL: snapshot_each (struct fds_watch, w, s, FDS_WATCH) */
#define snapshot_each_of(type, one, s, kind, size)                                                 \
	for (const struct snapshot *of_ = (s); of_; of_ = NULL)                                    \
		walk_each (const type *, one, snapshot_next, of_, kind, size)
#define snapshot_each(type, one, s, kind) snapshot_each_of (type, one, s, kind, sizeof(type))
/* Returns the first of them; NULL: there is none. */
const void *snapshot_find(const struct snapshot *s, uint16_t kind, size_t size);

/* Returns the record that ends the snapshot; NULL: it has fewer than `size` bytes, or `s` is
 * NULL. */
const void *snapshot_end(const struct snapshot *s, size_t size);
