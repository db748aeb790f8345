/* SPDX-License-Identifier: BSD-2-Clause */
/* Noise in a comparison, and how a row is found again. */
#include "support.h"

#include "analyze/comparison/comparison.h"
#include "analyze/records.h"
#include "base/units.h"
#include "explain/registry.h"
#include "model/schema.h"
#include "model/stream_records.h"

struct row {
	struct sooth_record record;
	uint64_t count, size, longest;
	double percent;
	uint32_t descriptors;
	uint8_t size_state;
	uint8_t unused[3];
	struct sooth_text name, agent, version;
};

static const struct sooth_field fields[] = {
	FIELD_PID(row),
	FIELD_STRING(row, name, ""),
	FIELD_STRING(row, agent, ""),
	FIELD_NUMBER(row, count, "", .merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(row, size, "", .unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(row, size_state)),
	FIELD_NUMBER(row, longest, "", .unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_MAX),
	FIELD_NUMBER(row, descriptors, ""),
	FIELD_STRING(row, version, ""),
};

static const struct sooth_schema schema = { .name = "rows",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct row),
	SCHEMA_FIELDS(fields) };

static const struct section section = { .name = "rows", .schema = &schema, .shape = SECTION_TABLE };

static void add(struct comparison_side *side, struct row row, uint32_t pid, const char *name,
	const char *version)
{
	struct comparison_table *t = &side->tables[0];

	if (!side->table_count) {
		side->table_count = 1;
		t->schema = &schema;
		strcpy(t->name, section.name);
		side->file = "x";
		side->begin_ns = NS_PER_S;
		if (!side->end_ns)
			side->end_ns = 2 * NS_PER_S;
	}
	row.record.pid = pid;
	row.record.start_ticks = pid;
	struct record_tail tail[] = { tail_string(&row.name, name), tail_string(&row.agent, ""),
		tail_string(&row.version, version) };
	RECORD_APPEND(&t->rows, &row, tail, 3);
}

/* Compares, and lets go of both. */
static struct comparison_reported compare(
	struct comparison_side *a, struct comparison_side *b, char **json)
{
	struct comparison_reported told = { 0 };
	struct sooth_error err;
	struct output *o;
	struct text out;

	text_open(&out);
	assert_int_equal(output_new(&o, &err), 0);
	assert_int_equal(output_add_sink(o, registry_sink("json"),
				 &(struct sink_options){ .stream = out.stream }, &err),
		0);
	assert_int_equal(output_begin(o, &(struct report_head){ "diff", 1 }, &err), 0);
	assert_int_equal(comparison_emit(o, a, b, 0.1, &told, &err), 0);
	assert_int_equal(output_end(o, &err), 0);
	output_free(o);
	text_close(&out);
	if (json)
		*json = strdup(out.data);
	text_free(&out);
	comparison_side_fini(a);
	comparison_side_fini(b);
	memset(a, 0, sizeof(*a));
	memset(b, 0, sizeof(*b));
	return told;
}

static struct comparison_side one, two; /* too large for a stack */

static struct comparison_reported compare_rows(struct row a, struct row b)
{
	add(&one, a, 1, "x", "1");
	add(&two, b, 2, "x", "1");
	return compare(&one, &two, NULL);
}

#define CHANGES(member, a, b)                                                                      \
	compare_rows((struct row){ .member = a }, (struct row){ .member = b }).changed

static void test_noise(void **state)
{
	(void)state;
	/* Three times the root of the sum: 3 * sqrt(100 + 140) = 46.5. */
	assert_int_equal(CHANGES(count, 100, 140), 0);
	assert_int_equal(CHANGES(count, 100, 160), 1);
	assert_int_equal(CHANGES(count, 1000, 1130), 0);
	assert_int_equal(CHANGES(count, 1000, 1150), 1);
	/* And a tenth, where there are many. */
	assert_int_equal(CHANGES(count, 1000000, 1090000), 0);
	assert_int_equal(CHANGES(count, 1000000, 1200000), 1);
	assert_int_equal(CHANGES(size, 10 << 20, 11 << 20), 0);
	assert_int_equal(CHANGES(size, 10 << 20, 12 << 20), 1);
	assert_int_equal(CHANGES(size, 0, 4096), 0);
	assert_int_equal(CHANGES(size, 0, 1 << 20), 1);
	assert_int_equal(CHANGES(longest, 1000000, 1900000), 0);
	assert_int_equal(CHANGES(longest, 1000000, 2100000), 1);
	assert_int_equal(CHANGES(descriptors, 5, 6), 1);
	assert_int_equal(CHANGES(descriptors, 100, 105), 0);
}

static void test_per_second(void **state)
{
	struct row a = { .count = 10000 }, b = { .count = 20000 };

	(void)state;
	two.end_ns = 3 * NS_PER_S; /* twice as long */
	assert_int_equal(compare_rows(a, b).changed, 0);
	two.end_ns = 3 * NS_PER_S;
	assert_int_equal(compare_rows(a, a).changed, 1);
}

static void test_not_measured(void **state)
{
	struct row a = { .size = 1 << 20 },
		   b = { .size_state = SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED) };
	char *json;

	(void)state;
	add(&one, a, 1, "x", "1");
	add(&two, b, 2, "x", "1");
	assert_int_equal(compare(&one, &two, &json).changed, 0);
	assert_non_null(strstr(json, "\"unmeasured\": 1"));
	free(json);
}

static void test_rows(void **state)
{
	struct row small = { .size = 1 << 20 }, large = { .size = 9 << 20 };
	struct comparison_reported told;
	char *json;

	(void)state;
	/* The order distinguishes two rows of one name. */
	add(&one, small, 1, "x", "1");
	add(&one, large, 2, "x", "1");
	add(&one, small, 3, "gone", "1");
	add(&two, small, 11, "x", "1");
	add(&two, large, 12, "x", "2");
	add(&two, small, 13, "x", "1");
	told = compare(&one, &two, &json);
	assert_int_equal(told.changed, 1);
	assert_int_equal(told.appeared, 1);
	assert_int_equal(told.vanished, 1);
	assert_non_null(strstr(json, "\"row\": \"x #2\""));
	assert_non_null(strstr(json, "\"before_text\": \"1\""));
	assert_non_null(strstr(json, "\"after_text\": \"2\""));
	assert_non_null(strstr(json, "\"row\": \"x #3\""));
	assert_non_null(strstr(json, "\"row\": \"gone\""));
	free(json);
}

/* A process that both have seen is itself, whatever stands before it. */
static void test_same_process(void **state)
{
	struct row small = { .size = 1 << 20 }, large = { .size = 9 << 20 };
	struct comparison_reported told;

	(void)state;
	add(&one, small, 1, "x", "1");
	add(&one, large, 2, "x", "1");
	add(&two, large, 2, "x", "1");
	strcpy(one.boot_id, "b");
	strcpy(two.boot_id, "b");
	told = compare(&one, &two, NULL);
	assert_int_equal(told.changed, 0);
	assert_int_equal(told.vanished, 1);
	/* In another boot the numbers say nothing. */
	add(&one, small, 1, "x", "1");
	add(&two, large, 1, "x", "1");
	strcpy(one.boot_id, "b");
	strcpy(two.boot_id, "c");
	assert_int_equal(compare(&one, &two, NULL).changed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_per_second),
		cmocka_unit_test(test_not_measured),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_same_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
