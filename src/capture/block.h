/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks: the only interface from collecting to explaining, through a buffer,
 * a pipe or a file. docs/capture-format.md describes the bytes.
 */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "model/batch.h"

#define CAPTURE_FORMAT	    1
#define BLOCK_MAGIC	    "SOOTHBLK"
#define BLOCK_MAGIC_SIZE    8
#define BLOCK_RAW_BYTES_MAX (16u << 20) /* a reader refuses more: the length may be hostile */
#define BLOCK_RAW_BYTES_AIM (256u << 10)

enum block_type {
	BLOCK_SEGMENT = 1, /* definitions; a segment begins with one */
	BLOCK_RECORDS = 2,
	BLOCK_INDEX = 3, /* positions of the blocks before it; see index.h */
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
	uint32_t source;   /* writer of the records (struct stream_source); 0: the collector */
	uint64_t sequence; /* counts the blocks of a stream */
	uint64_t first_ns; /* earliest and latest record */
	uint64_t last_ns;
	uint64_t watermark_ns; /* no later block of the stream has an earlier record */
	uint32_t records;
	uint32_t raw_bytes;    /* size of the records, uncompressed */
	uint32_t stored_bytes; /* size after the header, without the padding */
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

/* Sets the header's size, times and number of records from the batch. */
void block_describe(struct block *block);
/* Appends a described block to `out`, with checksums, compressed by `codec`. */
int block_encode(struct block_encoder *e, struct buffer *out, const struct block *block,
	enum block_codec codec, struct sooth_error *err);
void block_encoder_fini(struct block_encoder *e);

/* Reads a header; false: it is invalid, and no value in it may be used. */
bool block_header_read(struct block_header *h, const void *data, size_t size);
/* Returns the size of a block: header, stored bytes, zeros. */
size_t block_bytes(const struct block_header *h);
/* Returns whether the stored bytes match the checksum in the header. */
bool block_payload_holds(const struct block_header *h, const void *stored);

typedef int (*block_handler)(void *user, const struct block *block, struct sooth_error *err);

/* A parser that takes bytes as they arrive. */
struct block_reader {
	struct buffer pending; /* begin of an incomplete block */
	struct buffer raw;     /* decompressed records */
	void *zstd;
	uint64_t blocks;
	uint64_t bytes;
	uint64_t damaged_bytes;	  /* skipped to find the next block */
	uint64_t damaged_blocks;  /* blocks with a valid header and invalid contents */
	uint64_t damaged_records; /* records in these, by their headers */
	uint64_t damaged_others;  /* damaged blocks without records */
	/* Set by block_reader_finish(): size of an incomplete last block, unless it is an index. */
	uint64_t cut_bytes;
};

/* Passes each whole block to the handler. An error of the handler ends the function and is
 * returned. */
int block_reader_feed(struct block_reader *r, const void *data, size_t size, block_handler handler,
	void *user, struct sooth_error *err);
/* Ends the input; passes on whole blocks that follow an incomplete one. */
int block_reader_finish(
	struct block_reader *r, block_handler handler, void *user, struct sooth_error *err);
void block_reader_fini(struct block_reader *r);
