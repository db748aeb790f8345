/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks there and back. Whatever happens to the bytes of a capture, its reader
 * gives whole blocks only, in order, and counts what it could not use.
 */
#include "support.h"

#include <errno.h>

#define BLOCKS 6

struct got {
	uint32_t records;
	uint32_t blocks;
	uint64_t next_ns; /* of the record that must come */
	bool is_ordered;  /* nothing was skipped */
	unsigned fail_at;
};

static int take(void *user, const struct block *block, struct sooth_error *err)
{
	struct got *g = user;

	(void)err;
	assert_int_equal(batch_check(&block->batch), block->header.records);
	batch_for_each (r, &block->batch) {
		if (r->time_ns != g->next_ns)
			g->is_ordered = false;
		g->next_ns = r->time_ns + 1;
		g->records++;
	}
	return ++g->blocks == g->fail_at ? -ECANCELED : 0;
}

/* BLOCKS blocks of 1, 2, ... records, whose times count up. ends: where each ends. */
static void make_capture(struct buffer *out, enum block_codec codec, size_t ends[BLOCKS])
{
	struct block_encoder encoder = { 0 };
	uint64_t time_ns = 0;

	for (size_t i = 0; i < BLOCKS; i++) {
		struct buffer records = { 0 };
		struct block block;

		for (size_t k = 0; k <= i; k++)
			add_limit_note(&records, time_ns++,
				"something that compresses compresses compresses");
		block = block_of(&records, i ? BLOCK_RECORDS : BLOCK_SEGMENT, time_ns);
		assert_int_equal(block_encode(&encoder, out, &block, codec, NULL), 0);
		ends[i] = out->size;
		buffer_fini(&records);
	}
	block_encoder_fini(&encoder);
}

static struct got read_all(const void *data, size_t size, size_t piece, struct block_reader *reader)
{
	struct got g = { .is_ordered = true };

	*reader = (struct block_reader){ 0 };
	for (size_t at = 0; at < size; at += piece)
		assert_int_equal(block_reader_feed(reader, (const char *)data + at,
					 piece < size - at ? piece : size - at, take, &g, NULL),
			0);
	assert_int_equal(block_reader_finish(reader, take, &g, NULL), 0);
	block_reader_fini(reader);
	return g;
}

static const enum block_codec codecs[] = { CODEC_NONE, CODEC_ZSTD };
#define RECORDS_IN(blocks) ((blocks) * ((blocks) + 1) / 2)

static void test_round_trip(void **state)
{
	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(codecs); c++) {
		struct block_reader reader;
		struct buffer out = { 0 };
		size_t ends[BLOCKS];

		make_capture(&out, codecs[c], ends);
		for (size_t piece = 1; piece <= out.size; piece = piece * 3 + 1) {
			struct got g = read_all(out.data, out.size, piece, &reader);

			assert_int_equal(g.records, RECORDS_IN(BLOCKS));
			assert_true(g.is_ordered);
			assert_int_equal(reader.blocks, BLOCKS);
			assert_int_equal(reader.bytes, out.size);
			assert_int_equal(reader.damaged_bytes + reader.damaged_blocks +
						 reader.damaged_records + reader.cut_bytes,
				0);
		}
		buffer_fini(&out);
	}
}

static void test_zstd_is_smaller(void **state)
{
	struct buffer plain = { 0 }, packed = { 0 };
	size_t ends[BLOCKS];

	(void)state;
	make_capture(&plain, CODEC_NONE, ends);
	make_capture(&packed, CODEC_ZSTD, ends);
	assert_true(packed.size < plain.size / 2);
	assert_int_equal(packed.size % 8, 0);
	buffer_fini(&plain);
	buffer_fini(&packed);
}

static int check_header(void *user, const struct block *block, struct sooth_error *err)
{
	const struct block *sent = user;

	(void)err;
	assert_int_equal(block->header.source, 7);
	assert_int_equal(block->header.sequence, 99);
	assert_int_equal(block->header.watermark_ns, 25);
	assert_int_equal(block->header.first_ns, 10);
	assert_int_equal(block->header.last_ns, 30);
	assert_int_equal(block->header.records, 3);
	assert_int_equal(block->header.type, BLOCK_RECORDS);
	assert_int_equal((uintptr_t)block->batch.data % 8, 0);
	assert_memory_equal(block->batch.data, sent->batch.data, sent->batch.size);
	return 0;
}

static void test_header(void **state)
{
	struct buffer records = { 0 }, out = { 0 };
	struct block_reader reader = { 0 };
	struct block_encoder encoder = { 0 };
	struct block block;

	(void)state;
	add_tick(&records, 20);
	add_tick(&records, 10);
	add_tick(&records, 30);
	block = block_of(&records, BLOCK_RECORDS, 25);
	block.header.source = 7;
	block.header.sequence = 99;
	buffer_string(&out, "x"); /* nothing is aligned */
	assert_int_equal(block_encode(&encoder, &out, &block, CODEC_NONE, NULL), 0);
	assert_int_equal(
		block_reader_feed(&reader, out.data + 1, out.size - 1, check_header, &block, NULL),
		0);
	assert_int_equal(reader.blocks, 1);
	block_reader_fini(&reader);
	block_encoder_fini(&encoder);
	buffer_fini(&records);
	buffer_fini(&out);
}

static void test_empty_block(void **state)
{
	struct block_encoder encoder = { 0 };
	struct buffer out = { 0 };
	struct block block = { .header = { .type = BLOCK_RECORDS } };
	struct block_reader reader;
	struct got g;

	(void)state;
	block_describe(&block);
	assert_int_equal(block_encode(&encoder, &out, &block, CODEC_ZSTD, NULL), 0);
	assert_int_equal(out.size, sizeof(struct block_header));
	g = read_all(out.data, out.size, out.size, &reader);
	assert_int_equal(g.blocks, 1);
	assert_int_equal(g.records, 0);
	block_encoder_fini(&encoder);
	buffer_fini(&out);
}

/* Any cut of a capture reads as a prefix: whole blocks before the cut, nothing else. */
static void test_every_cut(void **state)
{
	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(codecs); c++) {
		struct buffer out = { 0 };
		size_t ends[BLOCKS], whole = 0;

		make_capture(&out, codecs[c], ends);
		for (size_t cut = 0; cut <= out.size; cut++) {
			struct block_reader reader;
			struct got g = read_all(out.data, cut, 33, &reader);

			while (whole < BLOCKS && ends[whole] <= cut)
				whole++;
			assert_int_equal(g.blocks, whole);
			assert_int_equal(g.records, RECORDS_IN(whole));
			assert_true(g.is_ordered);
			assert_int_equal(reader.cut_bytes, cut - (whole ? ends[whole - 1] : 0));
			assert_int_equal(reader.damaged_blocks + reader.damaged_bytes, 0);
		}
		buffer_fini(&out);
	}
}

/* A flipped bit costs its own block, never another, and is counted. */
static void test_every_flip(void **state)
{
	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(codecs); c++) {
		struct buffer out = { 0 };
		size_t ends[BLOCKS], hit = 0;

		make_capture(&out, codecs[c], ends);
		for (size_t at = 0; at < out.size; at++) {
			struct block_reader reader;
			struct got g;
			bool is_padding;

			while (ends[hit] <= at)
				hit++;
			out.data[at] ^= (unsigned char)(1u << at % 8);
			g = read_all(out.data, out.size, 4096, &reader);
			out.data[at] ^= (unsigned char)(1u << at % 8);
			/* The zeros up to the next word are nobody's. */
			is_padding = g.blocks == BLOCKS;
			if (is_padding) {
				assert_true(ends[hit] - at < 8);
				continue;
			}
			assert_int_equal(g.blocks, BLOCKS - 1);
			assert_int_equal(g.records, RECORDS_IN(BLOCKS) - (hit + 1));
			assert_true(reader.damaged_blocks || reader.damaged_bytes);
			if (reader.damaged_blocks)
				assert_int_equal(reader.damaged_records, hit + 1);
		}
		buffer_fini(&out);
	}
}

static void test_concatenated(void **state)
{
	struct buffer out = { 0 };
	size_t ends[BLOCKS];
	struct block_reader reader;
	struct got g;

	(void)state;
	make_capture(&out, CODEC_ZSTD, ends);
	make_capture(&out, CODEC_NONE, ends);
	g = read_all(out.data, out.size, 100, &reader);
	assert_int_equal(g.blocks, 2 * BLOCKS);
	assert_int_equal(g.records, 2 * RECORDS_IN(BLOCKS));
	buffer_fini(&out);
}

/* A capture that was cut anywhere, and another appended to it: the second is read whole. */
static void test_appended_to_a_cut_one(void **state)
{
	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(codecs); c++) {
		struct buffer first = { 0 }, second = { 0 };
		size_t ends[BLOCKS], unused[BLOCKS];

		make_capture(&first, codecs[c], ends);
		make_capture(&second, codecs[c], unused);
		for (size_t cut = 0; cut < first.size; cut += 5) {
			struct block_reader reader;
			struct buffer both = { 0 };
			size_t whole = 0;
			struct got g;

			while (whole < BLOCKS && ends[whole] <= cut)
				whole++;
			buffer_append(&both, first.data, cut);
			buffer_append(&both, second.data, second.size);
			g = read_all(both.data, both.size, 1000, &reader);
			/* A cut within the zeros up to the next word loses nothing. */
			if (g.blocks == whole + 1 + BLOCKS && ends[whole] - cut < 8)
				whole++;
			assert_int_equal(g.blocks, whole + BLOCKS);
			assert_int_equal(g.records, RECORDS_IN(whole) + RECORDS_IN(BLOCKS));
			buffer_fini(&both);
		}
		buffer_fini(&first);
		buffer_fini(&second);
	}
}

/* The last block is cut, and what was appended is shorter than what it lacks. */
static void test_short_append(void **state)
{
	struct buffer long_one = { 0 }, records = { 0 }, out = { 0 };
	struct block_encoder encoder = { 0 };
	struct block_reader reader;
	struct block block;
	struct got g;

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		add_tick(&records, i);
	block = block_of(&records, BLOCK_RECORDS, 0);
	block_encode(&encoder, &long_one, &block, CODEC_NONE, NULL);
	buffer_append(&out, long_one.data, 500);
	block.batch.size = 40;
	block_describe(&block);
	block_encode(&encoder, &out, &block, CODEC_NONE, NULL);
	g = read_all(out.data, out.size, out.size, &reader);
	assert_int_equal(g.records, 1);
	assert_int_equal(reader.cut_bytes, 500);
	block_encoder_fini(&encoder);
	buffer_fini(&records);
	buffer_fini(&long_one);
	buffer_fini(&out);
}

static void test_rubbish_between(void **state)
{
	struct buffer out = { 0 };
	size_t ends[BLOCKS], before;
	struct block_reader reader;

	(void)state;
	buffer_string(&out, "rubbish SOOTHBL and SOOTHBLK that is none ");
	before = out.size;
	make_capture(&out, CODEC_NONE, ends);
	for (size_t piece = 1; piece < 200; piece += 7) {
		struct got g = read_all(out.data, out.size, piece, &reader);

		assert_int_equal(g.records, RECORDS_IN(BLOCKS));
		assert_int_equal(reader.damaged_bytes, before);
		assert_int_equal(reader.cut_bytes, 0);
	}
	buffer_fini(&out);
}

/* Blocks and kinds of a later version are stepped over. */
static void test_unknown(void **state)
{
	struct buffer records = { 0 }, out = { 0 };
	struct block_encoder encoder = { 0 };
	struct block_reader reader;
	struct stream_tick strange = { .record = { .time_ns = 0, .kind = 0x7abc } };
	struct block block;
	struct got g;

	(void)state;
	RECORD_APPEND(&records, &strange, NULL, 0);
	add_tick(&records, 1);
	block = block_of(&records, BLOCK_RECORDS, 0);
	block_encode(&encoder, &out, &block, CODEC_NONE, NULL);
	for (uint8_t type = BLOCK_INDEX; type < 9; type++) {
		block.header.type = type;
		block_encode(&encoder, &out, &block, CODEC_NONE, NULL);
	}
	g = read_all(out.data, out.size, 64, &reader);
	assert_int_equal(g.blocks, 1);
	assert_int_equal(g.records, 2);
	assert_int_equal(reader.damaged_blocks + reader.damaged_bytes + reader.cut_bytes, 0);
	block_encoder_fini(&encoder);
	buffer_fini(&records);
	buffer_fini(&out);
}

/* The checksums hold, the records do not. */
static void test_records_that_lie(void **state)
{
	struct buffer records = { 0 }, out = { 0 };
	struct block_encoder encoder = { 0 };
	struct block_reader reader;
	struct block block;
	struct got g;

	(void)state;
	add_tick(&records, 1);
	add_tick(&records, 2);
	block = block_of(&records, BLOCK_RECORDS, 0);
	block.header.records = 3; /* one too many */
	block_encode(&encoder, &out, &block, CODEC_ZSTD, NULL);
	block.header.records = 2;
	((struct sooth_record *)(void *)records.data)->words = 0;
	block_encode(&encoder, &out, &block, CODEC_ZSTD, NULL);
	((struct sooth_record *)(void *)records.data)->words = 0xffff;
	block_encode(&encoder, &out, &block, CODEC_NONE, NULL);
	g = read_all(out.data, out.size, out.size, &reader);
	assert_int_equal(g.blocks, 0);
	assert_int_equal(reader.damaged_blocks, 3);
	assert_int_equal(reader.damaged_records, 7);
	block_encoder_fini(&encoder);
	buffer_fini(&records);
	buffer_fini(&out);
}

static void test_handler_fails(void **state)
{
	struct buffer out = { 0 };
	struct block_reader reader = { 0 };
	struct got g = { .is_ordered = true, .fail_at = 3 };
	size_t ends[BLOCKS];

	(void)state;
	make_capture(&out, CODEC_ZSTD, ends);
	assert_int_equal(
		block_reader_feed(&reader, out.data, out.size, take, &g, NULL), -ECANCELED);
	assert_int_equal(g.blocks, 3);
	block_reader_fini(&reader);
	buffer_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_zstd_is_smaller),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_empty_block),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_every_flip),
		cmocka_unit_test(test_concatenated),
		cmocka_unit_test(test_appended_to_a_cut_one),
		cmocka_unit_test(test_short_append),
		cmocka_unit_test(test_rubbish_between),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_records_that_lie),
		cmocka_unit_test(test_handler_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
