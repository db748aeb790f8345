/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes blocks apart, from bytes that may be cut, damaged or malicious. A block counts only as a
 * whole: header checksum, payload checksum, and every record in it are correct. Bytes that are not
 * a block are skipped up to the next magic and counted.
 */
#include "capture/block.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* Damaged blocks that are examined: each costs a checksum of all bytes that it claims to hold. */
#define DAMAGED_LOOKS_MAX 256

enum header_verdict { HEADER_GOOD, HEADER_BAD, HEADER_SHORT };

static enum header_verdict header_read(
	struct block_header *h, const unsigned char *data, size_t size)
{
	if (memcmp(data, BLOCK_MAGIC, size < BLOCK_MAGIC_SIZE ? size : BLOCK_MAGIC_SIZE))
		return HEADER_BAD;
	if (size < sizeof(*h))
		return HEADER_SHORT;
	memcpy(h, data, sizeof(*h));
	if (h->header_crc != crc32(0, data, offsetof(struct block_header, header_crc)))
		return HEADER_BAD;
	if (h->header_bytes != sizeof(*h) || h->raw_bytes > BLOCK_RAW_BYTES_MAX ||
		h->stored_bytes > h->raw_bytes)
		return HEADER_BAD;
	return HEADER_GOOD;
}

bool block_header_read(struct block_header *h, const void *data, size_t size)
{
	return header_read(h, data, size) == HEADER_GOOD;
}

bool block_payload_holds(const struct block_header *h, const void *stored)
{
	return h->payload_crc == crc32(0, stored, h->stored_bytes);
}

size_t block_bytes(const struct block_header *h)
{
	size_t words = ((size_t)h->stored_bytes + SOOTH_RECORD_WORD - 1) / SOOTH_RECORD_WORD;

	return sizeof(*h) + words * SOOTH_RECORD_WORD;
}

/* Reads the records into r->raw, which is aligned even if `stored` is not. */
static bool payload_read(
	struct block_reader *r, const struct block_header *h, const unsigned char *stored)
{
	void *to;

	if (!block_payload_holds(h, stored))
		return false;
	buffer_reset(&r->raw);
	to = buffer_reserve(&r->raw, h->raw_bytes);
	if (!to)
		return h->raw_bytes == 0;
	if (h->codec == CODEC_ZSTD) {
		if (!r->zstd)
			r->zstd = ZSTD_createDCtx();
		if (!r->zstd || ZSTD_decompressDCtx(r->zstd, to, h->raw_bytes, stored,
					h->stored_bytes) != h->raw_bytes)
			return false;
	} else if (h->codec == CODEC_NONE && h->stored_bytes == h->raw_bytes) {
		memcpy(to, stored, h->raw_bytes);
	} else {
		return false;
	}
	buffer_commit(&r->raw, h->raw_bytes);
	return true;
}

/* Returns 1 when the block is damaged, else the result of the handler. */
static int block_take(struct block_reader *r, const struct block_header *h,
	const unsigned char *stored, block_handler handler, void *user, struct sooth_error *err)
{
	struct block block = { .header = *h };

	/* An index, or a block of a later version: no record is lost, but it may have been cut, and
	 * contain bytes that were appended later. */
	if (h->type != BLOCK_SEGMENT && h->type != BLOCK_RECORDS) {
		bool holds = block_payload_holds(h, stored);

		r->damaged_others += !holds;
		return !holds;
	}
	block.batch = (struct batch){ NULL, 0 };
	if (payload_read(r, h, stored))
		block.batch = (struct batch){ r->raw.data, r->raw.size };
	if (block.batch.size != h->raw_bytes || batch_check(&block.batch) != (long)h->records) {
		r->damaged_blocks++;
		r->damaged_records += h->records;
		return 1;
	}
	r->blocks++;
	return handler(user, &block, err);
}

/* Returns the size of a whole block. If the zeros after a block were cut off, the next block begins
 * right after its bytes. */
static size_t skip_whole(const struct block_header *h, const unsigned char *data)
{
	size_t bytes = sizeof(*h) + h->stored_bytes;

	while (bytes < block_bytes(h) && !data[bytes])
		bytes++;
	return bytes;
}

/* Returns how far to go on after a damaged block. If the block was cut short and more was appended,
 * the next one begins within the bytes that its header claims. */
static size_t skip_damaged(
	const struct block_reader *r, const struct block_header *h, const unsigned char *data)
{
	size_t bytes = block_bytes(h);
	const unsigned char *at;

	if (r->damaged_blocks + r->damaged_others > DAMAGED_LOOKS_MAX)
		return bytes;
	at = memmem(data + 1, bytes - 1, BLOCK_MAGIC, BLOCK_MAGIC_SIZE);
	if (at)
		return (size_t)(at - data);
	/* The last bytes may begin a magic; only these bytes are compared, as the rest may not have
	 * arrived yet. */
	for (size_t left = BLOCK_MAGIC_SIZE - 1; left > 0; left--) {
		if (!memcmp(data + bytes - left, BLOCK_MAGIC, left))
			return bytes - left;
	}
	return bytes;
}

/* Returns how many bytes at data certainly do not begin a block: at least one. */
static size_t skip_to_magic(const unsigned char *data, size_t size)
{
	const unsigned char *at = memmem(data + 1, size - 1, BLOCK_MAGIC, BLOCK_MAGIC_SIZE);
	size_t keep = BLOCK_MAGIC_SIZE - 1;

	if (at)
		return (size_t)(at - data);
	return size > keep ? size - keep : 1;
}

/* Decodes the whole blocks at the front of data; returns how far it got, or a negative errno. */
static ssize_t decode_whole_blocks(struct block_reader *r, const unsigned char *data, size_t size,
	block_handler handler, void *user, struct sooth_error *err)
{
	size_t at = 0;

	while (at < size) {
		struct block_header h;
		enum header_verdict verdict = header_read(&h, data + at, size - at);
		int status;

		if (verdict == HEADER_SHORT)
			break;
		if (verdict == HEADER_BAD) {
			size_t skip = skip_to_magic(data + at, size - at);

			r->damaged_bytes += skip;
			at += skip;
			continue;
		}
		if (block_bytes(&h) > size - at)
			break;
		status = block_take(r, &h, data + at + sizeof(h), handler, user, err);
		if (status < 0)
			return status;
		at += status ? skip_damaged(r, &h, data + at) : skip_whole(&h, data + at);
	}
	return (ssize_t)at;
}

int block_reader_feed(struct block_reader *r, const void *data, size_t size, block_handler handler,
	void *user, struct sooth_error *err)
{
	ssize_t used;

	assert(r);
	r->bytes += size;
	if (r->pending.size == 0) {
		used = decode_whole_blocks(r, data, size, handler, user, err);
		if (used < 0)
			return (int)used;
		buffer_append(&r->pending, (const char *)data + used, size - (size_t)used);
		return buffer_failed(&r->pending) ? error_no_memory(err) : 0;
	}
	buffer_append(&r->pending, data, size);
	if (buffer_failed(&r->pending))
		return error_no_memory(err);
	used = decode_whole_blocks(r, r->pending.data, r->pending.size, handler, user, err);
	if (used < 0)
		return (int)used;
	buffer_consume(&r->pending, (size_t)used);
	return 0;
}

/* Returns whether a block is an index that is cut: then no record is lost. If its header is cut
 * too, the type is enough to recognize it. */
static bool is_cut_index(const unsigned char *data, size_t size)
{
	struct block_header h;

	if (size <= offsetof(struct block_header, type))
		return false;
	if (header_read(&h, data, size) == HEADER_BAD)
		return false;
	return data[offsetof(struct block_header, type)] == BLOCK_INDEX;
}

int block_reader_finish(
	struct block_reader *r, block_handler handler, void *user, struct sooth_error *err)
{
	assert(r);

	const unsigned char *data = r->pending.data;
	size_t size = r->pending.size, at = 0;

	/* Blocks after one that was cut short may be whole. */
	while (at < size) {
		size_t skip = skip_to_magic(data + at, size - at);
		ssize_t used;

		if (skip + BLOCK_MAGIC_SIZE > size - at)
			skip = size - at; /* no room for another block */
		if (!is_cut_index(data + at, skip))
			r->cut_bytes += skip;
		at += skip;
		used = decode_whole_blocks(r, data + at, size - at, handler, user, err);
		if (used < 0)
			return (int)used;
		at += (size_t)used;
	}
	buffer_reset(&r->pending);
	return 0;
}

void block_reader_fini(struct block_reader *r)
{
	assert(r);
	ZSTD_freeDCtx(r->zstd);
	r->zstd = NULL;
	buffer_fini(&r->pending);
	buffer_fini(&r->raw);
}
