/* SPDX-License-Identifier: BSD-2-Clause */
/* Records into blocks: sizes, sources, and where the watermark stands. */
#include "support.h"

#include <errno.h>

#include "core/stream.h"

struct seen {
	struct block_header headers[64];
	size_t count;
	uint64_t next_ns[STREAM_SOURCES_MAX];
	int fail;
};

static int take(void *user, const struct block *block, struct sooth_error *err)
{
	struct seen *s = user;

	(void)err;
	assert_true(s->count < ARRAY_SIZE(s->headers));
	assert_int_equal(batch_check(&block->batch), block->header.records);
	assert_true(block->header.records > 0);
	batch_for_each (r, &block->batch)
		assert_int_equal(r->time_ns, s->next_ns[block->header.source]++);
	s->headers[s->count++] = block->header;
	return s->fail;
}

static void fill(struct stream *s, unsigned source, uint64_t count)
{
	static uint64_t times[STREAM_SOURCES_MAX];

	for (uint64_t i = 0; i < count; i++)
		add_tick(stream_source(s, source), times[source]++);
}

static void test_flush(void **state)
{
	struct stream s = { 0 };
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(stream_connect(&s, take, &seen, NULL), 0);
	assert_int_equal(stream_flush(&s, 5, false, NULL), 0);
	assert_int_equal(seen.count, 0); /* nothing waits, nothing is sent */
	fill(&s, STREAM_COLLECTOR, 3);
	assert_int_equal(stream_flush(&s, 0, true, NULL), 0);
	assert_int_equal(seen.headers[0].type, BLOCK_SEGMENT);
	fill(&s, 2, 4);
	fill(&s, 1, 5);
	fill(&s, STREAM_COLLECTOR, 1);
	assert_int_equal(stream_flush(&s, 77, false, NULL), 0);
	assert_int_equal(seen.count, 4);
	for (size_t i = 0; i < seen.count; i++)
		assert_int_equal(seen.headers[i].sequence, i);
	/* The collector's block closes the cycle, and only it promises something. */
	assert_int_equal(seen.headers[1].source, 1);
	assert_int_equal(seen.headers[1].watermark_ns, 0);
	assert_int_equal(seen.headers[2].source, 2);
	assert_int_equal(seen.headers[2].watermark_ns, 0);
	assert_int_equal(seen.headers[3].source, STREAM_COLLECTOR);
	assert_int_equal(seen.headers[3].watermark_ns, 77);
	assert_int_equal(seen.headers[3].type, BLOCK_RECORDS);
	assert_int_equal(s.records, 13);
	assert_true(s.bytes > 13 * sizeof(struct stream_tick));
	stream_fini(&s);
}

/* Much at once becomes several blocks of whole records, the promise in the last. */
static void test_large(void **state)
{
	struct stream s = { 0 };
	struct seen seen = { 0 };
	struct stream_limit large = { .record = { .kind = STREAM_LIMIT } };
	char *text = calloc(1, SOOTH_RECORD_BYTES_MAX);
	struct record_tail tail[] = { { &large.what, text, SOOTH_RECORD_BYTES_MAX } };
	struct buffer *out = stream_source(&s, STREAM_COLLECTOR);

	(void)state;
	assert_int_equal(stream_connect(&s, take, &seen, NULL), 0);
	for (uint64_t i = 0; i < 30000; i++) {
		add_tick(out, i);
		if (i % 10000 == 0) { /* a record larger than a block is aimed to be */
			large.record.time_ns = ++i;
			RECORD_APPEND(out, &large, tail, 1);
		}
	}
	assert_int_equal(stream_flush(&s, 99, false, NULL), 0);
	assert_true(seen.count > 8);
	assert_int_equal(seen.next_ns[0], 30000);
	for (size_t i = 0; i < seen.count; i++) {
		assert_int_equal(seen.headers[i].watermark_ns, i + 1 == seen.count ? 99 : 0);
		assert_true(seen.headers[i].raw_bytes <= BLOCK_RAW_BYTES_AIM ||
			    seen.headers[i].records == 1);
	}
	stream_fini(&s);
	free(text);
}

static void test_several_takers(void **state)
{
	struct stream s = { 0 };
	struct seen seen[STREAM_HANDLERS_MAX] = { 0 };
	struct sooth_error err;

	(void)state;
	for (size_t i = 0; i < STREAM_HANDLERS_MAX; i++)
		assert_int_equal(stream_connect(&s, take, &seen[i], &err), 0);
	assert_int_equal(stream_connect(&s, take, &seen[0], &err), -E2BIG);
	add_tick(stream_source(&s, 3), 0);
	assert_int_equal(stream_flush(&s, 0, false, &err), 0);
	for (size_t i = 0; i < STREAM_HANDLERS_MAX; i++)
		assert_int_equal(seen[i].count, 1);
	seen[1].fail = -EIO;
	add_tick(stream_source(&s, 3), 1);
	assert_int_equal(stream_flush(&s, 0, false, &err), -EIO);
	assert_int_equal(seen[0].count, 2);
	assert_int_equal(seen[2].count, 1);
	stream_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_several_takers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
