/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes blocks. Checksums by zlib, compression by zstd: both are everywhere. */
#include "capture/block.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include <sooth/field.h>

#define ZSTD_LEVEL 1 /* level 3 cost twice the time for a tenth of the size */

void block_describe(struct block *block)
{
	assert(block);

	struct block_header *h = &block->header;

	h->first_ns = UINT64_MAX;
	h->last_ns = 0;
	h->records = 0;
	batch_for_each (r, &block->batch) {
		if (r->time_ns < h->first_ns)
			h->first_ns = r->time_ns;
		if (r->time_ns > h->last_ns)
			h->last_ns = r->time_ns;
		h->records++;
	}
	if (!h->records)
		h->first_ns = 0;
	h->raw_bytes = (uint32_t)block->batch.size;
}

/* Compresses into e->stored; false when that failed or saved nothing. */
static bool batch_compress(struct block_encoder *e, const struct batch *batch)
{
	size_t room = ZSTD_compressBound(batch->size);
	size_t size;
	void *to;

	if (!e->zstd)
		e->zstd = ZSTD_createCCtx();
	buffer_reset(&e->stored);
	to = buffer_reserve(&e->stored, room);
	if (!e->zstd || !to)
		return false;
	size = ZSTD_compressCCtx(e->zstd, to, room, batch->data, batch->size, ZSTD_LEVEL);
	if (ZSTD_isError(size) || size >= batch->size)
		return false;
	buffer_commit(&e->stored, size);
	return true;
}

int block_encode(struct block_encoder *e, struct buffer *out, const struct block *block,
	enum block_codec codec, struct sooth_error *err)
{
	assert(block);

	static const char zeros[SOOTH_RECORD_WORD];
	struct block_header h = block->header;
	const unsigned char *stored = block->batch.data;

	assert(e);
	memcpy(h.magic, BLOCK_MAGIC, BLOCK_MAGIC_SIZE);
	h.header_bytes = sizeof(h);
	h.reserved = 0;
	h.codec = CODEC_NONE;
	h.stored_bytes = h.raw_bytes;
	if (codec == CODEC_ZSTD && h.raw_bytes && batch_compress(e, &block->batch)) {
		h.codec = CODEC_ZSTD;
		h.stored_bytes = (uint32_t)e->stored.size;
		stored = e->stored.data;
	}
	h.payload_crc = (uint32_t)crc32(0, stored, h.stored_bytes);
	h.header_crc =
		(uint32_t)crc32(0, (const void *)&h, offsetof(struct block_header, header_crc));

	buffer_append(out, &h, sizeof(h));
	if (h.stored_bytes)
		buffer_append(out, stored, h.stored_bytes);
	buffer_append(out, zeros, -h.stored_bytes & (SOOTH_RECORD_WORD - 1));
	return buffer_failed(out) ? error_no_memory(err) : 0;
}

void block_encoder_fini(struct block_encoder *e)
{
	assert(e);
	ZSTD_freeCCtx(e->zstd);
	e->zstd = NULL;
	buffer_fini(&e->stored);
}
