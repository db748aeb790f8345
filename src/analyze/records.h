/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Safe access to records of unknown writers, which may be shorter, or have texts that point
 * anywhere; and helpers to make rows from records.
 */
#pragma once

#include <string.h>

#include "base/cursor.h"
#include "model/batch.h"
#include "model/process_id.h"
#include "model/stream_records.h"
#include <sooth/field.h>

/* Returns the record if it has that kind and at least `size` bytes; else NULL. */
static inline const void *record_as(const struct sooth_record *r, uint16_t kind, size_t size)
{
	return r->kind == kind && record_holds(r, size) ? r : NULL;
}

static inline bool record_has_text(const struct sooth_record *r, const struct sooth_text *text)
{
	return (uint64_t)text->offset + text->size <= record_bytes(r);
}

/* Returns a text of the record, borrowed; empty if it points outside. */
static inline struct span record_text(const struct sooth_record *r, const struct sooth_text *text)
{
	return record_has_text(r, text) ? span_of((const char *)r + text->offset, text->size)
					: span_of("", 0);
}

/* Sets what is added to CLOCK_MONOTONIC for the time since 1970; false: the record does not say. */
static inline bool record_reads_clock(const struct sooth_record *r, int64_t *offset_ns)
{
	const struct stream_segment *segment = record_as(r, STREAM_SEGMENT, sizeof(*segment));
	const struct stream_tick *tick = record_as(r, STREAM_TICK, sizeof(*tick));

	if (segment || tick)
		*offset_ns = segment ? segment->realtime_offset_ns : tick->realtime_offset_ns;
	return segment || tick;
}

/* Returns whether a record of the kind STREAM_TARGET says that the target was launched by sooth. */
static inline bool target_is_command(const struct sooth_record *r)
{
	const struct stream_target *target = record_as(r, STREAM_TARGET, sizeof(*target));

	return target && span_equal(record_text(r, &target->selector), "command");
}

/* Returns the header of a row about a process. */
static inline struct sooth_record row_head(const struct process_id *id)
{
	return (struct sooth_record){ .start_ticks = id->start_ticks, .pid = id->pid };
}

/* Returns the header of a row made of one record. */
static inline struct sooth_record row_head_like(const struct sooth_record *r)
{
	return (struct sooth_record){ .start_ticks = r->start_ticks, .pid = r->pid };
}

static inline struct record_tail tail_span(struct sooth_text *to, struct span text)
{
	return (struct record_tail){ to, text.data, text.size };
}

static inline struct record_tail tail_text(
	struct sooth_text *to, const struct sooth_record *r, const struct sooth_text *text)
{
	return tail_span(to, record_text(r, text));
}

static inline struct record_tail tail_buffer(struct sooth_text *to, const struct buffer *text)
{
	return (struct record_tail){ to, text->data, text->size };
}
