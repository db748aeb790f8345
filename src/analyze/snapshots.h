/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last whole reading of each process by a probe that samples: its records, and
 * the one of a given kind that ends them. A reading that found nothing because the
 * process had ended does not take the place of one that found something.
 */
#ifndef SOOTH_ANALYZE_SNAPSHOTS_H
#define SOOTH_ANALYZE_SNAPSHOTS_H

#include "analyze/records.h"
#include "base/map.h"
#include "model/batch.h"
#include "model/process_id.h"

struct snapshot {
	struct process_id id;
	struct buffer records; /* of the last whole reading; the one that ends it not among them */
	struct buffer end;     /* that one; empty: no reading is whole yet */
	struct buffer pending; /* of the reading that is under way */
};

struct snapshots {
	uint16_t end_kind;    /* the other kinds have the same high byte */
	uint64_t bytes;	      /* kept for all processes together */
	uint64_t refused;     /* records that passed the bounds */
	struct map processes; /* process_id -> struct snapshot */
};

void snapshots_init(struct snapshots *s, uint16_t end_kind);
void snapshots_fini(struct snapshots *s);
/* Records of other probes are no matter. */
void snapshots_take(struct snapshots *s, const struct sooth_record *r);
/* Walk the processes with a whole reading in the order they came; *position starts at 0. */
const struct snapshot *snapshots_next(const struct snapshots *s, size_t *position);
/* Whether one process has a whole reading: then nothing has to say which. */
bool snapshots_are_of_one(const struct snapshots *s);
const struct snapshot *snapshots_get(const struct snapshots *s, const struct process_id *id);

static inline struct batch snapshot_records(const struct snapshot *s)
{
	return (struct batch){ s->records.data, s->records.size };
}

/* The record that ends the reading, when it is at least `size` bytes; NULL when it is not. */
const void *snapshot_end(const struct snapshot *s, size_t size);

#endif
