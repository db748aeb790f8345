/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A batch: a sequence of whole records, borrowed until the next call. Readers, merge, stages and
 * sinks pass batches on.
 */
#pragma once

#include <string.h>

#include <sooth/record.h>
#include "base/buffer.h"

struct batch {
	const unsigned char *data; /* 8-byte aligned */
	size_t size;
};

static inline size_t record_bytes(const struct sooth_record *r)
{
	return (size_t)r->words * SOOTH_RECORD_WORD;
}

/* Returns whether the fixed part has at least `size` bytes; records of other writers may be
 * shorter. */
static inline bool record_holds(const struct sooth_record *r, size_t size)
{
	return (size_t)r->fixed_words * SOOTH_RECORD_WORD >= size;
}

static inline const struct sooth_record *batch_first(const struct batch *b)
{
	return b->size >= sizeof(struct sooth_record) ? (const void *)b->data : NULL;
}

static inline const struct sooth_record *batch_next(
	const struct batch *b, const struct sooth_record *r)
{
	const unsigned char *next = (const unsigned char *)r + record_bytes(r);

	return next < b->data + b->size ? (const void *)next : NULL;
}

/* Walks the records of a batch that batch_check() accepted, or that sooth itself built. */
#define batch_for_each(record, batch)                                                              \
	for (const struct sooth_record *record = batch_first(batch); record != NULL;               \
		record = batch_next(batch, record))
/* Walks a buffer of rows that sooth built: rows_for_each (struct finding_row, f, &j->findings) */
#define rows_for_each(type, row, buffer)                                                           \
	for (const struct batch all_##row = { (const void *)(buffer)->data, (buffer)->size },      \
				*once_##row = &all_##row;                                          \
		once_##row; once_##row = NULL)                                                     \
		for (const type *row = (const void *)batch_first(&all_##row); row;                 \
			row = (const void *)batch_next(&all_##row, (const void *)row))

/* Returns the number of records, or -1 if the bytes are not a sequence of whole records. */
long batch_check(const struct batch *b);

/* One piece of a tail: the member of the fixed part that refers to it, and its bytes. */
struct record_tail {
	struct sooth_text *text;
	const void *data;
	size_t size;
};

/* Returns the piece for a text; NULL: an empty one. */
static inline struct record_tail tail_string(struct sooth_text *text, const char *value)
{
	return (struct record_tail){ text, value ? value : "", value ? strlen(value) : 0 };
}

/* Appends a record. `record` is the head of a fixed part of `fixed` bytes. The function fills in
 * `words`, `fixed_words` and the struct sooth_text members that `tail` names. A tail that would
 * exceed SOOTH_RECORD_BYTES_MAX is cut there. */
void record_append(struct buffer *out, struct sooth_record *record, size_t fixed,
	struct record_tail *tail, size_t tail_count);
#define RECORD_APPEND(out, value, tail, count)                                                     \
	record_append(out, &(value)->record, sizeof(*(value)), tail, count)
