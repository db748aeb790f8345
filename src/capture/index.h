/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index: a block that says of those before it, back to the index before, where they stand and
 * of what time they are; so a reader that wants a part of a capture, or only what it holds, need
 * not read it all. docs/capture-format.md describes the bytes. It is optional: a reader without
 * one, or with one that does not fit the file, reads everything and finds the same.
 */
#ifndef SOOTH_CAPTURE_INDEX_H
#define SOOTH_CAPTURE_INDEX_H

#include "base/map.h"
#include "capture/block.h"

#define INDEX_VERSION	   1
#define INDEX_ENTRIES_MAX  65536 /* a writer ends an index with so many */
#define INDEX_MAGIC	   "SOOTHIDX"
#define INDEX_MAGIC_SIZE   8
#define INDEX_TRAILER_SIZE 16

struct index_head {
	uint32_t version;
	uint32_t entries;
	uint32_t kinds;
	uint32_t reserved;
	uint64_t bytes;	    /* of the blocks, which end where the index begins */
	uint64_t raw_bytes; /* of their records */
	uint64_t begin_ns;  /* time of the first STREAM_BEGIN; 0: there is none */
	uint64_t end_ns;    /* time of the last STREAM_END; 0: there is none */
};

enum index_flag {
	INDEX_LASTS = 1,    /* has records that matter later as well: definitions, and their like */
	INDEX_NOTES = 2,    /* has what the stream says of itself, beside ticks and processes */
	INDEX_PROMISES = 4, /* has a watermark */
};

struct index_entry {
	uint64_t first_ns;
	uint64_t last_ns;
	uint64_t since_ns; /* the earliest that a record in it speaks of */
	uint32_t bytes;	   /* header, stored bytes, zeros */
	uint32_t records;
	uint32_t source;
	uint8_t type;
	uint8_t flags;
	uint16_t reserved;
};

struct index_kind {
	uint32_t kind;
	uint32_t reserved;
	uint64_t records; /* without those of repeated heads */
};

_Static_assert(sizeof(struct index_head) == 48 && sizeof(struct index_entry) == 40 &&
		       sizeof(struct index_kind) == 16,
	"the index as docs/capture-format.md has it");

/* Whether a record matters later too; since_ns is its time, and may be made the earliest it
 * speaks of. */
typedef bool (*index_check)(const struct sooth_record *r, uint64_t *since_ns);

/* Contents of a capture, from its index or counted on the way. Zero-initialised is ready. */
struct survey {
	struct map kinds; /* uint16_t -> uint64_t: records */
	uint64_t file_bytes;
	uint64_t blocks, heads, records, raw_bytes;
	uint64_t begin_ns; /* of the first observation in it; 0: it has not begun */
	uint64_t end_ns;   /* of the last; 0: it was cut */
	uint64_t last_ns;  /* of the latest record */
	bool is_first_head;
	bool is_indexed;
	bool has_gaps; /* and a range without an index was read */
	bool failed;   /* out of memory */
};

void survey_block(struct survey *s, const struct block *block);
void survey_fini(struct survey *s);

/* An index in the making. Zero-initialised is ready. */
struct index_builder {
	struct buffer entries;
	struct survey survey;
	uint64_t bytes;
	bool failed; /* no more indexes: one that lacks blocks would be no use */
};

/* A block that takes so many bytes in the file; judge may be NULL. */
void index_add_block(
	struct index_builder *b, const struct block *block, size_t bytes, index_check judge);
/* The index block of the blocks so far, then start over. Nothing is appended when there are
 * none. */
int index_encode(
	struct index_builder *b, struct buffer *out, uint64_t sequence, struct sooth_error *err);
void index_builder_fini(struct index_builder *b);

/* An index taken apart; all is borrowed from the bytes. */
struct index_view {
	struct index_head head;
	const unsigned char *entries, *kinds; /* not aligned */
};

/* The records of an index block. False when it is of another version or does not hold together:
 * no figure in it is used before this. */
bool index_parse(struct index_view *v, const unsigned char *payload, size_t size);
struct index_entry index_entry_at(const struct index_view *v, uint32_t i);
/* Adds what it says. */
void index_survey(const struct index_view *v, struct survey *s);
/* How long the index block is that ends with these bytes; 0: none does. */
uint64_t index_trailer(const unsigned char trailer[INDEX_TRAILER_SIZE]);

#endif
