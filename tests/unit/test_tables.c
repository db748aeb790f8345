/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables and their cells: names that do not clash, values at their bounds, texts of strangers. */
#include "support.h"

#include <math.h>

#include "base/csv.h"
#include "base/units.h"
#include "explain/registry.h"
#include "export/feed.h"
#include "export/tables.h"
#include "model/schema.h"
#include "probes/maps.h"
#include "probes/syscalls.h"

static struct tables tables;
static struct buffer scratch;

static int setup(void **state)
{
	struct sooth_error err;

	(void)state;
	return tables_init(&tables, &err);
}

static int teardown(void **state)
{
	(void)state;
	tables_fini(&tables);
	buffer_fini(&scratch);
	return 0;
}

static struct cell get(const struct table *t, const char *name, const void *record)
{
	for (size_t i = 0; i < t->column_count; i++) {
		if (!strcmp(t->columns[i].name, name))
			return cell_get(t, &t->columns[i], record, &scratch);
	}
	fail_msg("no column %s", name);
	return (struct cell){ 0 };
}

static void assert_text(struct cell cell, const char *text)
{
	assert_true(cell.type == CELL_TEXT || cell.type == CELL_JSON);
	assert_int_equal(cell.size, strlen(text));
	assert_memory_equal(cell.text, text, cell.size);
}

/* Each kind has one, all names are legal in SQL without quotes, and no column is there twice. */
static void test_all(void **state)
{
	(void)state;
	assert_true(tables.count > 50);
	for (size_t i = 0; i < tables.count; i++) {
		const struct table *t = tables.items[i];

		assert_ptr_equal(tables_find(&tables, t->name), t);
		assert_ptr_equal(tables_find(&tables, t->schema->name), t);
		assert_int_equal(
			strspn(t->name, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(t->name));
		assert_true(t->column_count < TABLE_COLUMNS_MAX);
		for (size_t k = 0; k < t->column_count; k++) {
			for (size_t m = 0; m < k; m++)
				assert_string_not_equal(t->columns[k].name, t->columns[m].name);
			assert_non_null(t->columns[k].help);
		}
	}
	assert_null(tables_find(&tables, "none"));
	assert_string_equal(tables_nearest(&tables, "syscalls_cal"), "syscalls_call");
}

static void test_header(void **state)
{
	const struct table *t = tables_find(&tables, "stream.loss");
	struct stream_loss loss = { .record = { .kind = STREAM_LOSS, .cpu = SOOTH_CPU_NONE } };
	struct buffer one = { 0 };

	(void)state;
	RECORD_APPEND(&one, &loss, NULL, 0);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(
			cell_get(t, &t->columns[i], (void *)one.data, &scratch).type, CELL_NONE);
	loss.record.cpu = 0;
	loss.record.start_ticks = 1; /* the idle process has the pid 0 */
	buffer_reset(&one);
	RECORD_APPEND(&one, &loss, NULL, 0);
	assert_int_equal(get(t, "cpu", one.data).type, CELL_UNSIGNED);
	assert_int_equal(get(t, "pid", one.data).type, CELL_UNSIGNED);
	buffer_fini(&one);
}

static void test_calls(void **state)
{
	const struct table *t = tables_find(&tables, "syscalls_call");
	struct syscalls_call call = { .record = { .kind = SYSCALLS_CALL, .pid = 1 },
		.number = 257,
		.path_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION),
		.result_state = SOOTH_STATE_ABSENT };
	struct buffer one = { 0 };

	(void)state;
	RECORD_APPEND(&one, &call, NULL, 0);
	assert_text(get(t, "call", one.data), "openat");
	assert_text(get(t, "category", one.data), "file");
	assert_int_equal(get(t, "result", one.data).type, CELL_NONE);
	assert_int_equal(get(t, "path", one.data).type, CELL_NONE);
	assert_text(get(t, "not_measured", one.data), "{\"path\":\"permission denied\"}");
	call.abi = 2;
	call.number = 5;
	call.path_state = SOOTH_STATE_ABSENT;
	buffer_reset(&one);
	RECORD_APPEND(&one, &call, NULL, 0);
	assert_text(get(t, "call", one.data), "i386:open");
	assert_int_equal(get(t, "not_measured", one.data).type, CELL_NONE);
	buffer_fini(&one);
}

/* A record of an older writer, whose fixed part is shorter. */
static void test_short(void **state)
{
	struct sooth_record r = { .kind = SYSCALLS_CALL, .pid = 1, .words = 4, .fixed_words = 4 };
	const struct table *t = tables_find(&tables, "syscalls_call");

	(void)state;
	for (size_t i = 0; i < t->column_count; i++)
		cell_get(t, &t->columns[i], &r, &scratch);
	assert_text(get(t, "call", &r), "syscall_4294967295");
}

static void check_text(const char *text, size_t size, const char *wanted)
{
	const struct table *t = tables_find(&tables, "stream_limit");
	struct stream_limit limit = { .record = { .kind = STREAM_LIMIT } };
	struct record_tail tail[] = { { &limit.what, text, size } };
	struct buffer one = { 0 };

	RECORD_APPEND(&one, &limit, tail, 1);
	assert_text(get(t, "what", one.data), wanted);
	buffer_fini(&one);
}

static void test_texts(void **state)
{
	(void)state;
	check_text("", 0, "");
	check_text("\xc3\xa4\x1b[1m", 6, "\xc3\xa4\x1b[1m");
	check_text("a\xff"
		   "b",
		3,
		"a\xef\xbf\xbd"
		"b");
	check_text("a\0b", 3,
		"a\xef\xbf\xbd"
		"b");
	check_text("\xe2\x82", 2, "\xef\xbf\xbd\xef\xbf\xbd");
}

/* --- kinds of a newer sooth --- */

#define FUTURE 0x7f00

struct future {
	struct sooth_record record;
	uint64_t amount;
	uint32_t small;
	uint8_t amount_state, unused[3];
};

static void append_schema(struct buffer *out, const char *name, const char *fields)
{
	struct stream_schema s = {
		.record = { .kind = STREAM_SCHEMA }, .kind = FUTURE, .class_ = SOOTH_CLASS_EVENT
	};
	struct record_tail tail[] = { { &s.name, name, strlen(name) },
		{ &s.fields, fields, strlen(fields) } };

	RECORD_APPEND(out, &s, tail, 2);
}

static struct table *learn(const char *name, const char *fields)
{
	struct buffer one = { 0 };

	append_schema(&one, name, fields);
	tables_learn(&tables, (void *)one.data);
	buffer_fini(&one);
	return tables_of_kind(&tables, FUTURE);
}

static void test_wrong_descriptions(void **state)
{
	static const char *const fields[] = { "x 1 0 32 3 0\n", "x 1 0 32\n", "x 1 0 65535 8 0\n",
		"x 99 0 32 8 0\n", "X 1 0 32 8 0\n", "x 1 0 32 8 0\nx 1 0 40 8 0\n",
		"x 13 0 32 8 0\n", "x 1 0 32 8 70000\n", "x 2 0 32 1 0\n", "x 8 0 32 0 0\n",
		"x 1 0 18446744073709551610 8 0\n", "not_measured 1 0 32 8 0\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		assert_null(learn("future.thing", fields[i]));
	assert_null(learn("syscalls.call", "x 1 0 32 8 0\n"));
	assert_null(learn("a b", "x 1 0 32 8 0\n"));
	assert_null(learn("", "x 1 0 32 8 0\n"));
}

static void test_learned(void **state)
{
	struct table *t = learn("future.thing", "amount 1 1 32 8 44\nsmall 1 0 40 4 0\n");
	struct future f = { .record = { .kind = FUTURE, .pid = 7 }, .amount = 5, .small = 6 };
	struct buffer one = { 0 };

	(void)state;
	assert_non_null(t);
	assert_ptr_equal(tables_find(&tables, "future_thing"), t);
	assert_ptr_equal(learn("future.other", "x 1 0 32 8 0\n"), t); /* once */
	RECORD_APPEND(&one, &f, NULL, 0);
	assert_int_equal(get(t, "amount", one.data).u, 5);
	assert_int_equal(get(t, "small", one.data).u, 6);
	assert_int_equal(get(t, "pid", one.data).u, 7);
	f.amount_state = SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED);
	buffer_reset(&one);
	RECORD_APPEND(&one, &f, NULL, 0);
	assert_int_equal(get(t, "amount", one.data).type, CELL_NONE);
	assert_text(get(t, "not_measured", one.data),
		"{\"amount\":\"the process exited before sooth could read this\"}");
	buffer_fini(&one);
}

static int count_future(
	void *user, struct table *table, const struct sooth_record *record, struct sooth_error *err)
{
	(void)record;
	(void)err;
	*(unsigned *)user += !strcmp(table->name, "future_thing");
	return 0;
}

/* Through the whole way: description and records come in one capture. */
static void test_fed(void **state)
{
	struct future f = { .record = { .kind = FUTURE, .pid = 7, .time_ns = 9 } };
	struct block block = { .header = { .type = BLOCK_RECORDS } };
	struct buffer records = { 0 }, capture = { 0 };
	struct block_encoder encoder = { 0 };
	struct tables own = { 0 };
	struct sooth_error err;
	unsigned count = 0;
	struct feed feed;

	(void)state;
	append_schema(&records, "future.thing", "amount 1 1 32 8 44\n");
	RECORD_APPEND(&records, &f, NULL, 0);
	RECORD_APPEND(&records, &f, NULL, 0);
	block.batch = (struct batch){ records.data, records.size };
	block_describe(&block);
	assert_int_equal(block_encode(&encoder, &capture, &block, CODEC_NONE, &err), 0);
	assert_int_equal(tables_init(&own, &err), 0);
	assert_int_equal(feed_open(&feed, &own, FEED_RECORDS, count_future, &count, &err), 0);
	assert_int_equal(feed_bytes(&feed, capture.data, capture.size, &err), 0);
	assert_int_equal(feed_finish(&feed, &err), 0);
	assert_int_equal(count, 2);
	feed_close(&feed);
	tables_fini(&own);
	buffer_fini(&records);
	buffer_fini(&capture);
	block_encoder_fini(&encoder);
}

static void check_csv(const char *text, bool may_be_formula, const char *wanted)
{
	struct buffer out = { 0 };

	csv_put(&out, text, strlen(text), may_be_formula);
	assert_string_equal(buffer_cstr(&out), wanted);
	buffer_fini(&out);
}

static void test_csv(void **state)
{
	(void)state;
	check_csv("", true, "");
	check_csv("a b", true, "a b");
	check_csv("a,b", true, "\"a,b\"");
	check_csv("\"", true, "\"\"\"\"");
	check_csv("=1+1", true, "'=1+1");
	check_csv("=1,2", true, "\"'=1,2\"");
	check_csv("-1", false, "-1");
	check_csv("a\nb", false, "\"a\nb\"");
}

static void check_real(double value, const char *wanted)
{
	char text[UNITS_SIZE];

	assert_string_equal(format_real(text, value), wanted);
}

static void test_reals(void **state)
{
	uint64_t seed = 7;
	char text[UNITS_SIZE];

	(void)state;
	check_real(0, "0.0");
	check_real(-5, "-5.0");
	check_real(0.1, "0.1");
	check_real(0.1 + 0.2, "0.30000000000000004");
	check_real(1e300, "1e+300");
	check_real(INFINITY, "inf");
	for (int i = 0; i < 100000; i++) {
		uint64_t bits = random_next(&seed);
		double value;

		memcpy(&value, &bits, sizeof(value));
		if (isfinite(value))
			assert_true(strtod(format_real(text, value), NULL) == value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_wrong_descriptions),
		cmocka_unit_test(test_learned),
		cmocka_unit_test(test_fed),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_reals),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
