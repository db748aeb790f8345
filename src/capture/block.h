/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks: the only thing that crosses from collecting to explaining, whether
 * through a buffer, a pipe or a file. docs/capture-format.md describes the bytes.
 */
#ifndef SOOTH_CAPTURE_BLOCK_H
#define SOOTH_CAPTURE_BLOCK_H

#include "base/buffer.h"
#include "base/error.h"
#include "model/batch.h"

#define CAPTURE_FORMAT	    1
#define BLOCK_MAGIC	    "SOOTHBLK"
#define BLOCK_MAGIC_SIZE    8
#define BLOCK_RAW_BYTES_MAX (16u << 20) /* a reader refuses more: the length is foreign data */
#define BLOCK_RAW_BYTES_AIM (256u << 10)

enum block_type {
	BLOCK_SEGMENT = 1, /* definitions; a segment begins with one */
	BLOCK_RECORDS = 2,
	BLOCK_INDEX = 3, /* where the blocks before it stand; see index.h */
};

enum block_codec {
	CODEC_NONE = 0,
	CODEC_ZSTD = 1,
};

struct block_header {
	char magic[BLOCK_MAGIC_SIZE];
	uint16_t header_bytes;
	uint8_t type;
	uint8_t codec;
	uint32_t source;   /* who wrote the records (struct stream_source), 0: the collector */
	uint64_t sequence; /* counts the blocks of a stream */
	uint64_t first_ns; /* earliest and latest record */
	uint64_t last_ns;
	uint64_t watermark_ns; /* no later block of this stream holds an earlier record */
	uint32_t records;
	uint32_t raw_bytes;    /* of the records */
	uint32_t stored_bytes; /* as they stand behind the header, then zeros up to a word */
	uint32_t payload_crc;  /* CRC-32 of the stored bytes */
	uint32_t reserved;
	uint32_t header_crc; /* CRC-32 of the header up to here */
};

_Static_assert(sizeof(struct block_header) == 72, "the block header is 72 bytes");

struct block {
	struct block_header header;
	struct batch batch; /* raw, borrowed */
};

/* Compression state; zero-initialised is ready, block_encoder_fini() frees. */
struct block_encoder {
	void *zstd;
	struct buffer stored;
};

/* Fill in what follows from the batch: size, times and count of the records. */
void block_describe(struct block *block);
/* Append a described block to out: checksums and stored form are made here. */
int block_encode(struct block_encoder *e, struct buffer *out, const struct block *block,
	enum block_codec codec, struct sooth_error *err);
void block_encoder_fini(struct block_encoder *e);

/* A header, if that is a good one; nothing in it is believed before. */
bool block_header_read(struct block_header *h, const void *data, size_t size);
/* All of a block: header, stored bytes, zeros. */
size_t block_bytes(const struct block_header *h);
/* Whether the stored bytes are those that the header was made for. */
bool block_payload_holds(const struct block_header *h, const void *stored);

typedef int (*block_handler)(void *user, const struct block *block, struct sooth_error *err);

/* A parser that takes bytes as they come. */
struct block_reader {
	struct buffer pending; /* the beginning of a block whose end has not come */
	struct buffer raw;     /* decompressed records */
	void *zstd;
	uint64_t blocks;
	uint64_t bytes;
	uint64_t damaged_bytes;	  /* skipped to find the next block */
	uint64_t damaged_blocks;  /* whole header, wrong contents */
	uint64_t damaged_records; /* as the headers of those counted them */
	uint64_t damaged_others;  /* the same, of blocks without records */
	/* Set by finish: the beginning of a block that never ended, unless it is an index. */
	uint64_t cut_bytes;
};

/* Hands each whole block to the handler; a handler's error ends it and is returned. */
int block_reader_feed(struct block_reader *r, const void *data, size_t size, block_handler handler,
	void *user, struct sooth_error *err);
/* No more will come; hands over whole blocks that stood behind a cut one. */
int block_reader_finish(
	struct block_reader *r, block_handler handler, void *user, struct sooth_error *err);
void block_reader_fini(struct block_reader *r);

#endif
