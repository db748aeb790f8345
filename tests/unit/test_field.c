/* SPDX-License-Identifier: BSD-2-Clause */
/* Getting values out of records: every type and state, writers of other versions, hostile bytes. */
#include "support.h"

#include "model/field.h"

struct all_types {
	struct sooth_record record;
	uint64_t u64;
	int64_t i64;
	double real;
	uint32_t u32;
	int32_t i32;
	uint32_t list_unused;
	uint16_t u16;
	uint8_t u8;
	uint8_t state;
	struct sooth_text text;
	struct sooth_text list;
	char chars[8];
	uint32_t histogram[4];
	uint64_t late; /* a later version's */
};

#define ROW(member_, type_)                                                                        \
	{                                                                                          \
		.name = #member_, .type = type_, FIELD_AT(all_types, member_)                      \
	}

static const struct sooth_field fields[] = {
	ROW(u64, SOOTH_FIELD_UNSIGNED),
	ROW(u32, SOOTH_FIELD_UNSIGNED),
	ROW(u16, SOOTH_FIELD_UNSIGNED),
	ROW(u8, SOOTH_FIELD_UNSIGNED),
	ROW(i64, SOOTH_FIELD_SIGNED),
	ROW(i32, SOOTH_FIELD_SIGNED),
	ROW(real, SOOTH_FIELD_REAL),
	ROW(text, SOOTH_FIELD_TEXT),
	ROW(list, SOOTH_FIELD_LIST),
	ROW(chars, SOOTH_FIELD_CHARS),
	ROW(histogram, SOOTH_FIELD_HISTOGRAM),
	ROW(late, SOOTH_FIELD_UNSIGNED),
	{ .name = "stated",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(all_types, u32),
		FIELD_STATE_AT(all_types, state) },
	{ .name = "args", .type = SOOTH_FIELD_ARGS, FIELD_AT(all_types, text) },
	{ .name = "bool", .type = SOOTH_FIELD_BOOL, FIELD_AT(all_types, u8) },
	{ .name = "enum", .type = SOOTH_FIELD_ENUM, FIELD_AT(all_types, u16) },
	{ .name = "errno", .type = SOOTH_FIELD_ERRNO, FIELD_AT(all_types, u32) },
};

static const struct sooth_schema schema = { .name = "test",
	.fields = fields,
	.field_count = ARRAY_SIZE(fields),
	.fixed_size = sizeof(struct all_types) };

static struct sooth_value get(const void *record, const char *name)
{
	const struct sooth_field *f = sooth_schema_field(&schema, name);

	assert_non_null(f);
	return sooth_field_get(f, record);
}

static struct all_types *make(struct buffer *out)
{
	static const uint32_t numbers[] = { 1, 0xffffffff, 3 };
	struct all_types t = { .u64 = UINT64_MAX,
		.u32 = 0xfffffffe,
		.u16 = 0xfffd,
		.u8 = 0xfc,
		.i64 = INT64_MIN,
		.i32 = -5,
		.real = 1.5,
		.chars = "eight888",
		.histogram = { 1, 2, 3, 4 },
		.late = 77 };
	struct record_tail tail[] = { { &t.text, "text\0two", 8 }, { &t.list, numbers, 12 } };

	buffer_reset(out);
	RECORD_APPEND(out, &t, tail, 2);
	return (void *)out->data;
}

static void test_types(void **state)
{
	struct buffer out = { 0 };
	const struct all_types *t = make(&out);

	(void)state;
	assert_true(get(t, "u64").u == UINT64_MAX);
	assert_int_equal(get(t, "u32").u, 0xfffffffe);
	assert_int_equal(get(t, "u16").u, 0xfffd);
	assert_int_equal(get(t, "u8").u, 0xfc);
	assert_true(get(t, "i64").i == INT64_MIN);
	assert_true(get(t, "i32").i == -5);
	assert_true(get(t, "real").f == 1.5);
	assert_int_equal(get(t, "bool").u, 0xfc);
	assert_int_equal(get(t, "enum").u, 0xfffd);
	assert_int_equal(get(t, "errno").u, 0xfffffffe);
	assert_int_equal(get(t, "text").text.size, 8);
	assert_memory_equal(get(t, "args").text.data, "text\0two", 8);
	assert_int_equal(get(t, "list").list.count, 3);
	assert_int_equal(get(t, "list").list.data[4], 0xff);
	assert_int_equal(get(t, "chars").text.size, 8); /* no NUL at its end */
	assert_int_equal(get(t, "histogram").list.count, 4);
	assert_int_equal(get(t, "histogram").list.data[12], 4);
	assert_null(sooth_schema_field(&schema, "nothing"));
	buffer_fini(&out);
}

static void test_states(void **state)
{
	struct buffer out = { 0 };
	struct all_types *t = make(&out);

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		struct sooth_value v;

		t->state = (uint8_t)byte;
		v = get(t, "stated");
		if ((byte & 15) > SOOTH_STATE_NOT_MEASURED || byte >> 4 > SOOTH_REASON_EXPENSIVE) {
			assert_int_equal(v.state, SOOTH_STATE_NOT_MEASURED);
			assert_int_equal(v.reason, SOOTH_REASON_FAILED);
			continue;
		}
		assert_int_equal(v.state, byte & 15);
		assert_int_equal(v.reason, byte >> 4);
		if (v.state == SOOTH_STATE_VALUE || v.state == SOOTH_STATE_TRUNCATED)
			assert_int_equal(v.u, 0xfffffffe);
		else
			assert_int_equal(v.u, 0); /* what is not there is not shown by mistake */
	}
	assert_int_equal(SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED), 0x24);
	buffer_fini(&out);
}

/* An older writer's fixed part is shorter: what it did not know is absent, not zero. */
static void test_older_writer(void **state)
{
	struct buffer out = { 0 };
	struct all_types *t = make(&out);

	(void)state;
	t->record.fixed_words = offsetof(struct all_types, late) / 8;
	assert_int_equal(get(t, "late").state, SOOTH_STATE_ABSENT);
	assert_int_equal(get(t, "histogram").state, SOOTH_STATE_VALUE);
	t->record.fixed_words--; /* through the histogram */
	assert_int_equal(get(t, "histogram").state, SOOTH_STATE_ABSENT);
	t->record.fixed_words = 4;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		assert_int_equal(sooth_field_get(&fields[i], &t->record).state, SOOTH_STATE_ABSENT);
	/* The member is there, its state byte is not. */
	t->record.fixed_words = (offsetof(struct all_types, u32) + 8) / 8;
	assert_int_equal(get(t, "u32").state, SOOTH_STATE_VALUE);
	assert_int_equal(get(t, "stated").state, SOOTH_STATE_ABSENT);
	buffer_fini(&out);
}

static void test_newer_writer(void **state)
{
	struct {
		struct all_types known;
		uint64_t unknown[3];
	} newer = {
		.known = { .u32 = 9,
			.record = { .words = sizeof(newer) / 8, .fixed_words = sizeof(newer) / 8 } }
	};

	(void)state;
	assert_int_equal(get(&newer, "u32").u, 9);
	assert_int_equal(get(&newer, "late").state, SOOTH_STATE_VALUE);
}

static void test_texts_outside(void **state)
{
	struct buffer out = { 0 };
	struct all_types *t = make(&out);
	uint32_t size = (uint32_t)record_bytes(&t->record);
	struct {
		uint32_t offset, size;
		bool is_good;
	} cases[] = {
		{ size, 0, true },
		{ 0, size, true },
		{ size - 1, 1, true },
		{ 0, 0, true },
		{ size, 1, false },
		{ size + 1, 0, false },
		{ 0, size + 1, false },
		{ 1, size, false },
		{ UINT32_MAX, 1, false },
		{ 1, UINT32_MAX, false },
		{ UINT32_MAX, UINT32_MAX, false },
		{ size - 1, 2, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static const char *const names[] = { "text", "args", "list" };

		t->text = t->list = (struct sooth_text){ cases[i].offset, cases[i].size };
		for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
			struct sooth_value v = get(t, names[k]);

			assert_int_equal(v.state,
				cases[i].is_good ? SOOTH_STATE_VALUE : SOOTH_STATE_NOT_MEASURED);
			assert_int_equal(v.reason,
				cases[i].is_good ? SOOTH_REASON_NONE : SOOTH_REASON_FAILED);
			if (!cases[i].is_good)
				assert_int_equal(v.text.size, 0);
		}
	}
	/* A list of half a number more has whole numbers only. */
	t->list = (struct sooth_text){ 32, 10 };
	assert_int_equal(get(t, "list").list.count, 2);
	buffer_fini(&out);
}

static void test_reasons(void **state)
{
	(void)state;
	for (int i = 0; i <= SOOTH_REASON_EXPENSIVE; i++) {
		assert_non_null(sooth_reason_text((enum sooth_reason)i));
		for (int k = 0; k < i; k++)
			assert_string_not_equal(sooth_reason_text((enum sooth_reason)i),
				sooth_reason_text((enum sooth_reason)k));
	}
	assert_string_equal(sooth_reason_text((enum sooth_reason)99), sooth_reason_text(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_older_writer),
		cmocka_unit_test(test_newer_writer),
		cmocka_unit_test(test_texts_outside),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
