/* SPDX-License-Identifier: BSD-2-Clause */
/* Building records, and telling whole ones from broken ones. */
#include "support.h"

#include "model/schema.h"

struct two_texts {
	struct sooth_record record;
	uint32_t number;
	uint32_t unused;
	struct sooth_text first;
	struct sooth_text second;
};

static struct two_texts sample(void)
{
	return (struct two_texts){ .record = { .time_ns = 1, .kind = 0x7f00 }, .number = 0xabcd };
}

static void assert_text(const struct sooth_record *r, struct sooth_text t, const char *expected)
{
	assert_int_equal(t.size, strlen(expected));
	assert_true(t.offset + t.size <= record_bytes(r));
	assert_memory_equal((const char *)r + t.offset, expected, t.size);
}

static void test_append(void **state)
{
	struct two_texts t = sample();
	struct record_tail tail[] = { { &t.first, "hello", 5 }, { &t.second, "you", 3 } };
	struct buffer out = { 0 };
	const struct two_texts *r;

	(void)state;
	RECORD_APPEND(&out, &t, tail, 2);
	r = (const void *)out.data;
	assert_int_equal(r->record.fixed_words, sizeof(t) / 8);
	assert_int_equal(r->record.words, sizeof(t) / 8 + 1);
	assert_int_equal(out.size, record_bytes(&r->record));
	assert_int_equal(r->number, 0xabcd);
	assert_text(&r->record, r->first, "hello");
	assert_text(&r->record, r->second, "you");
	assert_true(sooth_record_check(&r->record, out.size));
	buffer_fini(&out);
}

/* A fixed part that is no whole number of words is padded with zeros. */
static void test_odd_sizes(void **state)
{
	(void)state;
	for (size_t size = 0; size < 40; size++) {
		struct two_texts t = sample();
		char bytes[40];
		struct record_tail tail[] = { { &t.first, bytes, size }, { &t.second, "x", 1 } };
		struct buffer out = { 0 };
		const struct two_texts *r;
		struct batch batch;

		memset(bytes, 'a' + (int)size % 26, sizeof(bytes));
		record_append(&out, &t.record, sizeof(t) - 3, tail, 2);
		r = (const void *)out.data;
		batch = (struct batch){ out.data, out.size };
		assert_int_equal(out.size % 8, 0);
		assert_int_equal(batch_check(&batch), 1);
		assert_memory_equal((const char *)r + r->first.offset, bytes, size);
		assert_int_equal(((const char *)r)[t.second.offset], 'x');
		/* Nothing of what stood in memory before leaks into the padding. */
		for (size_t i = t.second.offset + 1; i < out.size; i++)
			assert_int_equal(out.data[i], 0);
		buffer_fini(&out);
	}
}

static void test_largest(void **state)
{
	size_t huge = 2 * SOOTH_RECORD_BYTES_MAX;
	char *bytes = malloc(huge);
	struct two_texts t = sample();
	struct record_tail tail[] = { { &t.first, bytes, huge }, { &t.second, bytes, 1 } };
	struct buffer out = { 0 };
	struct batch batch;

	(void)state;
	memset(bytes, 'x', huge);
	RECORD_APPEND(&out, &t, tail, 2);
	assert_int_equal(out.size, SOOTH_RECORD_BYTES_MAX);
	assert_int_equal(t.first.size, SOOTH_RECORD_BYTES_MAX - sizeof(t));
	assert_int_equal(t.second.size, 0);
	batch = (struct batch){ out.data, out.size };
	assert_int_equal(batch_check(&batch), 1);
	buffer_fini(&out);
	free(bytes);
}

static void test_no_room(void **state)
{
	struct two_texts t = sample();
	struct record_tail tail[] = { { &t.first, "hello", 5 } };
	struct buffer out = { .limit = 40 };

	(void)state;
	RECORD_APPEND(&out, &t, tail, 1);
	assert_true(buffer_failed(&out));
	assert_int_equal(out.size, 0);
	buffer_fini(&out);
}

static void test_walk(void **state)
{
	struct buffer out = { 0 };
	struct batch batch = { NULL, 0 };
	uint64_t expected = 0;

	(void)state;
	assert_null(batch_first(&batch));
	assert_int_equal(batch_check(&batch), 0);
	for (uint64_t i = 0; i < 100; i++) {
		if (i % 3)
			add_tick(&out, i);
		else
			add_limit_note(&out, i, &"something of some length"[i % 24]);
	}
	batch = (struct batch){ out.data, out.size };
	batch_for_each (r, &batch)
		assert_int_equal(r->time_ns, expected++);
	assert_int_equal(expected, 100);
	assert_int_equal(batch_check(&batch), 100);
	for (size_t size = 1; size < 200; size++) {
		struct batch cut = { out.data, size };
		long whole = batch_check(&cut);

		assert_true(whole == -1 || (size % 8 == 0 && whole > 0));
	}
	buffer_fini(&out);
}

static void test_broken_headers(void **state)
{
	struct sooth_record r = { .words = 4, .fixed_words = 4 };
	struct {
		uint16_t words, fixed_words;
		size_t size;
		bool is_good;
	} cases[] = {
		{ 4, 4, 32, true },
		{ 4, 4, 40, true },
		{ 4, 4, 31, false },
		{ 4, 4, 0, false },
		{ 0, 0, 32, false },
		{ 0, 4, 32, false },
		{ 3, 3, 32, false },
		{ 4, 3, 32, false },
		{ 4, 0, 32, false },
		{ 4, 5, 32, false },
		{ 5, 4, 32, false },
		{ 5, 4, 40, true },
		{ 0xffff, 4, 32, false },
		{ 4, 0xffff, 32, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		r.words = cases[i].words;
		r.fixed_words = cases[i].fixed_words;
		assert_int_equal(sooth_record_check(&r, cases[i].size), cases[i].is_good);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_odd_sizes),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_broken_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
