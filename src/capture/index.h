/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index: a block with the positions and times of the blocks before it, back to the previous
 * index. With an index, a reader of a time range or a summary need not read the whole capture. It
 * is optional: without an index, or with one that does not fit the file, everything is read, with
 * the same result. docs/capture-format.md describes the bytes.
 */
#pragma once

#include "base/map.h"
#include "capture/block.h"

#define INDEX_VERSION	   1
#define INDEX_ENTRIES_MAX  65536 /* most entries that a writer puts into one index */
#define INDEX_MAGIC	   "SOOTHIDX"
#define INDEX_MAGIC_SIZE   8
#define INDEX_TRAILER_SIZE 16

struct index_head {
	uint32_t version;
	uint32_t entries;
	uint32_t kinds;
	uint32_t reserved;
	uint64_t bytes;	    /* size of the blocks, which end where the index begins */
	uint64_t raw_bytes; /* size of their records, uncompressed */
	uint64_t begin_ns;  /* time of the first STREAM_BEGIN; 0: there is none */
	uint64_t end_ns;    /* time of the last STREAM_END; 0: there is none */
};

enum index_flag {
	INDEX_LASTS = 1,    /* has records that later blocks need: definitions and similar */
	INDEX_NOTES = 2,    /* has records about the stream itself, besides ticks and processes */
	INDEX_PROMISES = 4, /* has a watermark */
};

struct index_entry {
	uint64_t first_ns;
	uint64_t last_ns;
	uint64_t since_ns; /* earliest time that a record in the block is about */
	uint32_t bytes;	   /* size of header, stored bytes and zeros */
	uint32_t records;
	uint32_t source;
	uint8_t type;
	uint8_t flags;
	uint16_t reserved;
};

struct index_kind {
	uint32_t kind;
	uint32_t reserved;
	uint64_t records; /* without records of repeated heads */
};

_Static_assert(sizeof(struct index_head) == 48 && sizeof(struct index_entry) == 40 &&
		       sizeof(struct index_kind) == 16,
	"the index as docs/capture-format.md has it");

/* Returns whether later blocks need a record. May change since_ns, the record's time, to the
 * earliest time that the record is about. */
typedef bool (*index_check)(const struct sooth_record *r, uint64_t *since_ns);

/* Contents of a capture, from its index or counted while reading. A struct of zeros is ready for use. */
struct survey {
	struct map kinds; /* uint16_t -> uint64_t: records */
	uint64_t file_bytes;
	uint64_t blocks, heads, records, raw_bytes;
	uint64_t begin_ns; /* start of the first observation; 0: none began */
	uint64_t end_ns;   /* end of the last observation; 0: the capture is cut */
	uint64_t last_ns;  /* time of the latest record */
	bool is_first_head;
	bool is_indexed;
	bool has_gaps; /* a range without an index was read */
	bool failed;   /* out of memory */
};

void survey_block(struct survey *s, const struct block *block);
void survey_fini(struct survey *s);

/* An index that is being built. A struct of zeros is ready for use. */
struct index_builder {
	struct buffer entries;
	struct survey survey;
	uint64_t bytes;
	bool failed; /* write no more indexes: they would lack blocks */
};

/* Adds a block that has `bytes` bytes in the file; `judge` may be NULL. */
void index_add_block(
	struct index_builder *b, const struct block *block, size_t bytes, index_check judge);
/* Appends the index block of the blocks so far, and starts over. Appends nothing if there are
 * none. */
int index_encode(
	struct index_builder *b, struct buffer *out, uint64_t sequence, struct sooth_error *err);
void index_builder_fini(struct index_builder *b);

/* A parsed index; borrowed from its bytes. */
struct index_view {
	struct index_head head;
	const unsigned char *entries, *kinds; /* not aligned */
};

/* Parses the payload of an index block. False: it has another version, or is inconsistent; then no
 * value in it may be used. */
bool index_parse(struct index_view *v, const unsigned char *payload, size_t size);
struct index_entry index_entry_at(const struct index_view *v, uint32_t i);
/* Adds the contents of an index to the survey. */
void index_survey(const struct index_view *v, struct survey *s);
/* Returns the size of the index block that ends with these bytes; 0: none. */
uint64_t index_size_in_trailer(const unsigned char trailer[INDEX_TRAILER_SIZE]);
