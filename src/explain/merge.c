/* SPDX-License-Identifier: BSD-2-Clause */
/* Merge by watermark; see merge.h. */
#include "explain/merge.h"

#include <stdlib.h>
#include <string.h>

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

/* An entry for each waiting record; true when they already stand in order. */
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

static int hand_over(struct merge *m, const struct batch *batch, struct sooth_error *err)
{
	return batch->size ? m->handler(m->user, batch, err) : 0;
}

/* Copy the first `count` entries' records out, keep the rest waiting in order. */
static int release_sorted(struct merge *m, size_t count, size_t total, struct sooth_error *err)
{
	const struct merge_entry *entries = (const void *)m->order.data;
	struct buffer rest = { 0 };
	struct batch batch;
	int status;

	buffer_reset(&m->sorted);
	for (size_t i = 0; i < total; i++)
		buffer_append(i < count ? &m->sorted : &rest, m->waiting.data + entries[i].offset,
			entries[i].size);
	if (buffer_failed(&m->sorted) || buffer_failed(&rest)) {
		buffer_fini(&rest);
		return error_no_memory(err);
	}
	buffer_fini(&m->waiting);
	m->waiting = rest;
	batch = (struct batch){ m->sorted.data, m->sorted.size };
	status = hand_over(m, &batch, err);
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
	if (is_sorted && entries[total - 1].time_ns <= watermark_ns) {
		struct batch batch = { m->waiting.data, m->waiting.size };
		int status = hand_over(m, &batch, err);

		buffer_reset(&m->waiting);
		return status;
	}
	if (!is_sorted)
		qsort(entries, total, sizeof(*entries), compare_entries);
	for (count = 0; count < total && entries[count].time_ns <= watermark_ns; count++)
		;
	return count ? release_sorted(m, count, total, err) : 0;
}

int merge_block(struct merge *m, const struct block *block, struct sooth_error *err)
{
	uint64_t watermark_ns = block->header.watermark_ns;

	/* Definitions carry old times on purpose: they are repeated. */
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
	buffer_fini(&m->order);
}
