/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes an index, and takes one apart; see index.h. */
#include "capture/index.h"

#include <assert.h>
#include <string.h>

#include "model/stream_records.h"

/* --- the survey --- */

/* Returns whether a head only repeats earlier definitions, and so adds nothing to the survey. */
static bool is_repeated(struct survey *s, const struct block *block)
{
	if (block->header.type != BLOCK_SEGMENT)
		s->is_first_head = false;
	else if (!block->header.sequence)
		s->is_first_head = true;
	return block->header.type == BLOCK_SEGMENT && !s->is_first_head;
}

static void count_kind(struct survey *s, uint16_t kind, uint64_t records)
{
	uint64_t *count = map_put(&s->kinds, &kind, NULL);

	if (count)
		*count += records;
	else
		s->failed = true;
}

/* Notes times: a capture begins with its first recording and ends with its last. */
static void extend_times(struct survey *s, uint64_t begin_ns, uint64_t end_ns)
{
	if (begin_ns && !s->begin_ns)
		s->begin_ns = begin_ns;
	if (end_ns)
		s->end_ns = end_ns;
}

static void survey_init(struct survey *s)
{
	if (!s->kinds.key_size)
		map_init(&s->kinds, sizeof(uint16_t), sizeof(uint64_t), UINT16_MAX + 1);
}

void survey_block(struct survey *s, const struct block *block)
{
	assert(s);
	assert(block);

	bool repeats = is_repeated(s, block);
	uint16_t kind = 0;
	uint64_t run = 0;

	survey_init(s);
	s->blocks++;
	s->heads += block->header.type == BLOCK_SEGMENT;
	s->raw_bytes += block->header.raw_bytes;
	if (block->header.type == BLOCK_RECORDS && block->header.last_ns > s->last_ns)
		s->last_ns = block->header.last_ns;
	batch_for_each (r, &block->batch) {
		extend_times(s, r->kind == STREAM_BEGIN ? r->time_ns : 0,
			r->kind == STREAM_END ? r->time_ns : 0);
		if (repeats)
			continue;
		s->records++;
		if (run && r->kind != kind) {
			count_kind(s, kind, run);
			run = 0;
		}
		kind = r->kind;
		run++;
	}
	if (run)
		count_kind(s, kind, run);
}

void survey_fini(struct survey *s)
{
	assert(s);
	map_fini(&s->kinds);
	*s = (struct survey){ 0 };
}

/* --- making --- */

static bool is_note(const struct sooth_record *r)
{
	return r->kind <= KIND_STREAM_LAST && r->kind != STREAM_TICK && r->kind != PROCESS_JOIN &&
	       r->kind != PROCESS_EXEC && r->kind != PROCESS_LEAVE;
}

static void diagnose_records(struct index_entry *e, const struct batch *batch, index_check judge)
{
	batch_for_each (r, batch) {
		uint64_t since_ns = r->time_ns;

		if (r->kind & KIND_DEFINITION || (judge && judge(r, &since_ns)))
			e->flags |= INDEX_LASTS;
		if (is_note(r))
			e->flags |= INDEX_NOTES;
		if (since_ns < e->since_ns)
			e->since_ns = since_ns;
	}
}

void index_add_block(
	struct index_builder *b, const struct block *block, size_t bytes, index_check judge)
{
	const struct block_header *h = &block->header;
	struct index_entry e = { .first_ns = h->first_ns,
		.last_ns = h->last_ns,
		.since_ns = h->first_ns,
		.bytes = (uint32_t)bytes,
		.records = h->records,
		.source = h->source,
		.type = h->type,
		.flags = h->watermark_ns ? INDEX_PROMISES : 0 };

	diagnose_records(&e, &block->batch, judge);
	survey_block(&b->survey, block);
	b->bytes += bytes;
	buffer_append(&b->entries, &e, sizeof(e));
	b->failed |= buffer_failed(&b->entries) || b->survey.failed;
}

static void append_kinds(const struct survey *s, struct buffer *out)
{
	map_for_each (&s->kinds, const uint16_t *, kind, uint64_t *, count) {
		struct index_kind k = { .kind = *kind, .records = *count };

		buffer_append(out, &k, sizeof(k));
	}
}

static void append_payload(const struct index_builder *b, struct buffer *out)
{
	const struct survey *s = &b->survey;
	struct index_head head = { .version = INDEX_VERSION,
		.entries = (uint32_t)(b->entries.size / sizeof(struct index_entry)),
		.kinds = (uint32_t)s->kinds.count,
		.bytes = b->bytes,
		.raw_bytes = s->raw_bytes,
		.begin_ns = s->begin_ns,
		.end_ns = s->end_ns };
	uint64_t size;

	buffer_append(out, &head, sizeof(head));
	buffer_append(out, b->entries.data, b->entries.size);
	append_kinds(s, out);
	size = sizeof(struct block_header) + out->size + INDEX_TRAILER_SIZE;
	buffer_append(out, &size, sizeof(size));
	buffer_append(out, INDEX_MAGIC, INDEX_MAGIC_SIZE);
}

static void start_anew(struct index_builder *b)
{
	bool is_first_head = b->survey.is_first_head;

	buffer_reset(&b->entries);
	survey_fini(&b->survey);
	b->survey.is_first_head = is_first_head;
	b->bytes = 0;
}

int index_encode(
	struct index_builder *b, struct buffer *out, uint64_t sequence, struct sooth_error *err)
{
	struct block block = { .header = { .type = BLOCK_INDEX, .sequence = sequence } };
	struct block_encoder encoder = { 0 };
	struct buffer payload = { 0 };
	int status = 0;

	if (b->failed || !b->entries.size)
		return 0;
	append_payload(b, &payload);
	if (buffer_failed(&payload)) {
		b->failed = true; /* the capture is complete without an index */
	} else {
		block.header.raw_bytes = (uint32_t)payload.size;
		block.batch = (struct batch){ payload.data, payload.size };
		status = block_encode(&encoder, out, &block, CODEC_NONE, err);
	}
	buffer_fini(&payload);
	start_anew(b);
	return status;
}

void index_builder_fini(struct index_builder *b)
{
	buffer_fini(&b->entries);
	survey_fini(&b->survey);
}

/* --- taking apart --- */

struct index_entry index_entry_at(const struct index_view *v, uint32_t i)
{
	struct index_entry e;

	memcpy(&e, v->entries + i * sizeof(e), sizeof(e));
	return e;
}

/* Checks sizes: blocks follow each other without a gap, so their sizes give their positions. */
static bool entries_fit(const struct index_view *v)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < v->head.entries; i++) {
		struct index_entry e = index_entry_at(v, i);

		if (e.bytes < sizeof(struct block_header) || e.bytes % SOOTH_RECORD_WORD ||
			e.first_ns > e.last_ns || e.since_ns > e.first_ns)
			return false;
		bytes += e.bytes;
	}
	return bytes == v->head.bytes;
}

bool index_parse(struct index_view *v, const unsigned char *payload, size_t size)
{
	struct index_head *h = &v->head;
	uint64_t wanted;

	if (size < sizeof(*h) + INDEX_TRAILER_SIZE)
		return false;
	memcpy(h, payload, sizeof(*h));
	wanted = sizeof(*h) + (uint64_t)h->entries * sizeof(struct index_entry) +
		 (uint64_t)h->kinds * sizeof(struct index_kind) + INDEX_TRAILER_SIZE;
	if (h->version != INDEX_VERSION || wanted != size || h->kinds > UINT16_MAX + 1u ||
		index_size_in_trailer(payload + size - INDEX_TRAILER_SIZE) !=
			sizeof(struct block_header) + size)
		return false;
	v->entries = payload + sizeof(*h);
	v->kinds = v->entries + h->entries * sizeof(struct index_entry);
	return h->entries && entries_fit(v);
}

void index_survey(const struct index_view *v, struct survey *s)
{
	survey_init(s);
	s->is_first_head = false;
	extend_times(s, v->head.begin_ns, v->head.end_ns);
	s->blocks += v->head.entries;
	s->raw_bytes += v->head.raw_bytes;
	for (uint32_t i = 0; i < v->head.entries; i++) {
		struct index_entry e = index_entry_at(v, i);

		s->heads += e.type == BLOCK_SEGMENT;
		if (e.type == BLOCK_RECORDS && e.last_ns > s->last_ns)
			s->last_ns = e.last_ns;
	}
	for (uint32_t i = 0; i < v->head.kinds; i++) {
		struct index_kind k;

		memcpy(&k, v->kinds + i * sizeof(k), sizeof(k));
		if (k.kind > UINT16_MAX)
			continue;
		s->records += k.records;
		count_kind(s, (uint16_t)k.kind, k.records);
	}
}

uint64_t index_size_in_trailer(const unsigned char trailer[INDEX_TRAILER_SIZE])
{
	uint64_t size;

	memcpy(&size, trailer, sizeof(size));
	return memcmp(trailer + sizeof(size), INDEX_MAGIC, INDEX_MAGIC_SIZE) ? 0 : size;
}
