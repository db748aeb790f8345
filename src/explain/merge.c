/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "model/probe.h"
#include "model/stream_records.h"

/* --- order of time --- */

struct merge_entry {
	uint64_t time_ns;
	uint32_t offset; /* also the order of arrival */
	uint32_t size;
};

static int compare_entries(const void *a, const void *b)
{
	const struct merge_entry *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Makes an entry for each waiting record. Returns whether the entries are in order already. */
static bool make_entries(struct merge *m)
{
	struct batch waiting = { m->waiting.data, m->waiting.size };
	uint64_t last_ns = 0;
	bool is_sorted = true;

	buffer_reset(&m->order);
	batch_for_each (r, &waiting) {
		struct merge_entry e = { r->time_ns,
			(uint32_t)((const unsigned char *)r - waiting.data),
			(uint32_t)record_bytes(r) };

		if (e.time_ns < last_ns)
			is_sorted = false;
		last_ns = e.time_ns;
		buffer_append(&m->order, &e, sizeof(e));
	}
	return is_sorted;
}

#define KEPT_MOST (4u << 20) /* capacity of an empty buffer: ordinary blocks need less */

static void drop_large(struct buffer *b)
{
	if (b->capacity > KEPT_MOST)
		buffer_fini(b);
}

/* Returns the end of the sorted run that begins at `from`. */
static size_t run_end(const struct merge_entry *entries, size_t from, size_t total)
{
	size_t at = from + 1;

	while (at < total && compare_entries(&entries[at - 1], &entries[at]) < 0)
		at++;
	return at < total ? at : total;
}

static struct merge_entry *merge_runs(struct merge_entry *out, const struct merge_entry *entries,
	size_t from, size_t middle, size_t end)
{
	size_t a = from, b = middle;

	while (a < middle && b < end)
		*out++ =
			compare_entries(&entries[a], &entries[b]) < 0 ? entries[a++] : entries[b++];
	while (a < middle)
		*out++ = entries[a++];
	while (b < end)
		*out++ = entries[b++];
	return out;
}

/* Sorts by merging runs, two at a time, as blocks are nearly in order. False: no memory. */
static bool sort_entries(struct merge *m)
{
	size_t total = m->order.size / sizeof(struct merge_entry);

	for (bool is_sorted = false; !is_sorted;) {
		const struct merge_entry *entries = (const void *)m->order.data;
		struct merge_entry *out;
		struct buffer from = m->order;
		size_t at = 0;

		buffer_reset(&m->merged);
		out = buffer_reserve(&m->merged, from.size);
		if (!out)
			return false;
		while (at < total) {
			size_t middle = run_end(entries, at, total);
			size_t end = middle < total ? run_end(entries, middle, total) : total;

			is_sorted = !at && end == total;
			out = merge_runs(out, entries, at, middle, end);
			at = end;
		}
		buffer_commit(&m->merged, from.size);
		m->order = m->merged;
		m->merged = from;
	}
	return true;
}

static int deliver_batch(struct merge *m, const struct batch *batch, struct sooth_error *err)
{
	return batch->size ? m->handler(m->user, batch, err) : 0;
}

/* Copies records; adjacent ones together. */
static void append_runs(struct buffer *out, const unsigned char *data,
	const struct merge_entry *entries, size_t count)
{
	size_t from = 0;

	for (size_t i = 1; i <= count; i++) {
		const struct merge_entry *last = &entries[i - 1];

		if (i < count && entries[i].offset == last->offset + last->size)
			continue;
		buffer_append(out, data + entries[from].offset,
			last->offset + last->size - entries[from].offset);
		from = i;
	}
}

/* Releases the records of the first `count` entries, and keeps the rest waiting in order. */
static int release_sorted(struct merge *m, size_t count, size_t total, struct sooth_error *err)
{
	const struct merge_entry *entries = (const void *)m->order.data;
	struct buffer waiting = m->waiting;
	struct batch batch;
	int status;

	buffer_reset(&m->sorted);
	buffer_reset(&m->rest);
	append_runs(&m->sorted, waiting.data, entries, count);
	append_runs(&m->rest, waiting.data, entries + count, total - count);
	if (buffer_failed(&m->sorted) || buffer_failed(&m->rest))
		return error_no_memory(err);
	m->waiting = m->rest;
	m->rest = waiting;
	drop_large(&m->rest);
	batch = (struct batch){ m->sorted.data, m->sorted.size };
	status = deliver_batch(m, &batch, err);
	drop_large(&m->sorted);
	return status;
}

/* Releases records that are in order without copying them. */
static int release_first(struct merge *m, const struct merge_entry *entries, size_t total,
	uint64_t watermark_ns, struct sooth_error *err)
{
	struct batch batch = { m->waiting.data, m->waiting.size };
	size_t low = 0, high = total;
	int status;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (entries[middle].time_ns <= watermark_ns)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < total)
		batch.size = entries[low].offset;
	status = deliver_batch(m, &batch, err);
	buffer_consume(&m->waiting, batch.size);
	if (!m->waiting.size)
		drop_large(&m->waiting);
	return status;
}

static int release_until(struct merge *m, uint64_t watermark_ns, struct sooth_error *err)
{
	bool is_sorted = make_entries(m);
	struct merge_entry *entries = (void *)m->order.data;
	size_t total = m->order.size / sizeof(*entries);
	size_t count;

	if (buffer_failed(&m->order))
		return error_no_memory(err);
	if (watermark_ns != UINT64_MAX && watermark_ns > m->released_ns)
		m->released_ns = watermark_ns;
	if (!total)
		return 0;
	if (is_sorted)
		return release_first(m, entries, total, watermark_ns, err);
	if (!sort_entries(m))
		return error_no_memory(err);
	entries = (void *)m->order.data;
	for (count = 0; count < total && entries[count].time_ns <= watermark_ns; count++)
		;
	return count ? release_sorted(m, count, total, err) : 0;
}

int merge_block(struct merge *m, const struct block *block, struct sooth_error *err)
{
	uint64_t watermark_ns = block->header.watermark_ns;

	/* Definitions carry old times on purpose, because they are repeated. */
	if (block->header.type != BLOCK_SEGMENT && block->header.first_ns < m->released_ns) {
		batch_for_each (r, &block->batch)
			m->late_records += r->time_ns < m->released_ns;
	}
	buffer_append(&m->waiting, block->batch.data, block->batch.size);
	if (buffer_failed(&m->waiting))
		return error_no_memory(err);
	if (m->waiting.size > MERGE_BYTES_MAX) {
		m->forced++;
		m->released_ns = block->header.last_ns;
		watermark_ns = UINT64_MAX;
	}
	if (!watermark_ns)
		return 0;
	return release_until(m, watermark_ns, err);
}

int merge_finish(struct merge *m, struct sooth_error *err)
{
	return release_until(m, UINT64_MAX, err);
}

void merge_fini(struct merge *m)
{
	buffer_fini(&m->waiting);
	buffer_fini(&m->sorted);
	buffer_fini(&m->rest);
	buffer_fini(&m->merged);
	buffer_fini(&m->order);
}

/* --- former names --- */

/* A longer text is no name of a probe. */
#define NAME_SIZE 64

static struct span text_of(const struct sooth_record *r, const struct sooth_text *text)
{
	if ((uint64_t)text->offset + text->size > record_bytes(r))
		return span_of("", 0);
	return span_of((const char *)r + text->offset, text->size);
}

/* Returns the text that names a probe; empty: the record has none. */
static struct span probe_of(const struct sooth_record *r)
{
	const struct stream_source *source = (const void *)r;
	const struct stream_loss *loss = (const void *)r;

	if (r->kind == STREAM_SOURCE && record_holds(r, sizeof(*source)))
		return text_of(r, &source->probe);
	if (r->kind == STREAM_LOSS && record_holds(r, sizeof(*loss)))
		return text_of(r, &loss->source);
	return span_of("", 0);
}

/* Returns the present name; NULL: the name is in use now, or belongs to no probe. */
static const char *new_name(struct span name)
{
	char text[NAME_SIZE];
	const struct probe *probe;

	if (!name.size || name.size >= sizeof(text))
		return NULL;
	memcpy(text, name.data, name.size);
	text[name.size] = '\0';
	probe = registry_probe(text);
	return probe && strcmp(probe->name, text) ? probe->name : NULL;
}

static struct record_tail tail_of(
	struct sooth_text *to, const struct sooth_record *r, const struct sooth_text *from)
{
	struct span text = text_of(r, from);

	return (struct record_tail){ to, text.data, text.size };
}

static void append_renamed(struct buffer *out, const struct sooth_record *r, const char *name)
{
	if (r->kind == STREAM_SOURCE) {
		const struct stream_source *from = (const void *)r;
		struct stream_source to = *from;
		struct record_tail tail[] = { { &to.probe, name, strlen(name) },
			tail_of(&to.backend, r, &from->backend),
			tail_of(&to.fallback_reason, r, &from->fallback_reason) };

		RECORD_APPEND(out, &to, tail, ARRAY_SIZE(tail));
	} else {
		const struct stream_loss *from = (const void *)r;
		struct stream_loss to = *from;
		struct record_tail tail[] = { { &to.source, name, strlen(name) },
			tail_of(&to.reason, r, &from->reason) };

		RECORD_APPEND(out, &to, tail, ARRAY_SIZE(tail));
	}
}

/* Returns whether a version wrote the record that did not record what a source costs other
 * processes: both values are 0. */
static bool has_no_price(const struct sooth_record *r)
{
	const struct stream_source *source = (const void *)r;

	return r->kind == STREAM_SOURCE && record_holds(r, sizeof(*source)) && !source->others_ns &&
	       !source->others_state;
}

static bool is_old(const struct sooth_record *r)
{
	return new_name(probe_of(r)) || has_no_price(r);
}

static bool has_old(const struct batch *batch)
{
	batch_for_each (record, batch) {
		if (is_old(record))
			return true;
	}
	return false;
}

static void append_replaced(struct buffer *out, const struct sooth_record *r)
{
	size_t at = out->size;
	const char *name = new_name(probe_of(r));

	if (name)
		append_renamed(out, r, name);
	else
		buffer_append(out, r, record_bytes(r));
	if (has_no_price(r) && out->size > at)
		((struct stream_source *)(out->data + at))->others_state = SOOTH_STATE_ABSENT;
}

struct batch old_names_replace(struct buffer *renamed, const struct batch *batch)
{
	if (!has_old(batch))
		return *batch;
	buffer_reset(renamed);
	batch_for_each (record, batch)
		append_replaced(renamed, record);
	return (struct batch){ renamed->data, renamed->size };
}
