/* SPDX-License-Identifier: BSD-2-Clause */
/* Expressions over fields: what holds, what is refused and where, what was not measured. */
#include "support.h"

#include <errno.h>

#include "model/batch.h"
#include "model/filter.h"
#include "model/schema.h"

struct row {
	struct sooth_record record;
	uint64_t bytes, duration_ns;
	int64_t result;
	double percent;
	uint32_t error;
	uint8_t kind, is_gone, bytes_state;
	uint8_t unused;
	char state;
	uint8_t unused2[7];
	struct sooth_text path, arguments;
};

static const char *const kinds[] = { "file", "pipe" };
static const struct sooth_names kind_names = { 2, kinds };

static const struct sooth_field fields[] = {
	FIELD_PID(row),
	FIELD_NUMBER(
		row, bytes, "bytes", .unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(row, bytes_state)),
	FIELD_NUMBER(row, duration_ns, "time", .unit = SOOTH_UNIT_NS),
	{ .name = "result", .type = SOOTH_FIELD_SIGNED, FIELD_AT(row, result), .help = "x" },
	{ .name = "percent", .type = SOOTH_FIELD_REAL, FIELD_AT(row, percent), .help = "x" },
	{ .name = "error", .type = SOOTH_FIELD_ERRNO, FIELD_AT(row, error), .help = "x" },
	{ .name = "kind",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(row, kind),
		.names = &kind_names,
		.help = "x" },
	FIELD_TRUTH(row, is_gone, "gone"),
	{ .name = "state", .type = SOOTH_FIELD_CHARS, FIELD_AT(row, state), .help = "x" },
	FIELD_STRING(row, path, "path"),
	{ .name = "arguments", .type = SOOTH_FIELD_ARGS, FIELD_AT(row, arguments), .help = "x" },
};

static const struct sooth_schema schema = {
	.name = "row",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct row),
	SCHEMA_FIELDS(fields),
};

static int holds(const char *text)
{
	struct row row = { .record = { .pid = 42 },
		.bytes = 5 << 20,
		.duration_ns = 2500000,
		.result = -1,
		.percent = 12.5,
		.error = 2,
		.kind = 1,
		.state = 'S' };
	struct record_tail tail[] = { { &row.path, "/etc/passwd", 11 },
		{ &row.arguments, "cat\0/etc/passwd", 15 } };
	struct buffer record = { 0 };
	struct sooth_error err;
	struct filter *f;
	int result = filter_new(&f, text, &err);

	if (result)
		return result;
	RECORD_APPEND(&record, &row, tail, 2);
	assert_true(filter_fits_schema(f, &schema));
	result = filter_matches_record(f, &schema, (const void *)record.data, &err);
	filter_free(f);
	buffer_fini(&record);
	return result;
}

static void test_holds(void **state)
{
	static const char *const all[] = { "pid = 42", "pid == 42", "pid != 41", "pid>=42",
		"pid<43", "bytes = 5M", "bytes > 4096", "bytes < 1G", "duration_ns > 2ms",
		"duration_ns = 2500000", "result < 0", "result = -1", "percent > 12",
		"error = ENOENT", "errno = 2", "errno != 0 and path ~ \"/etc\"", "error",
		"kind = pipe", "kind = 1", "not is_gone", "state = S", "path = /etc/passwd",
		"path ~ ^/etc", "path ~ \"pass(wd|word)$\"", "path !~ shadow",
		"arguments ~ 'cat /etc'", "pid = 1 or pid = 42", "pid = 42 and (pid = 1 or error)",
		"not (pid = 1)", "not not pid = 42", "pid = 1 or not pid = 1 and pid = 42",
		"path" };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (holds(all[i]) != 1)
			fail_msg("%s does not hold", all[i]);
	}
}

static void test_does_not(void **state)
{
	static const char *const all[] = { "pid != 42", "pid > 42", "is_gone", "error = EPERM",
		"kind = file", "path ~ shadow", "path !~ etc", "pid = 42 and pid = 1", "state = R",
		"not error", "path = /etc", "duration_ns < 2ms" };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (holds(all[i]) != 0)
			fail_msg("%s holds", all[i]);
	}
}

static void test_refused(void **state)
{
	static const char *const all[] = { "", "=", "pid =", "pid = 42 and", "(pid = 42",
		"pid = 42)", "pid 42", "pid = x", "kind = socket", "error = ENOTHING",
		"path ~ \"(\"", "path = \"open", "and", "not", "PID = 42", "pid = 1 or or pid = 2",
		"bytes = much", "pid = 1e999" };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (holds(all[i]) != -EINVAL)
			fail_msg("\"%s\" was taken", all[i]);
	}
}

/* A value that was not measured equals nothing, and differs from nothing. */
static void test_not_measured(void **state)
{
	static const char *const all[] = { "bytes = 0", "bytes != 0", "bytes > 1", "bytes < 1",
		"bytes ~ .", "bytes !~ .", "bytes" };
	struct row row = { .bytes_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION) };
	struct buffer record = { 0 };
	struct sooth_error err;

	(void)state;
	RECORD_APPEND(&record, &row, NULL, 0);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct filter *f;

		assert_int_equal(filter_new(&f, all[i], &err), 0);
		assert_int_equal(
			filter_matches_record(f, &schema, (const void *)record.data, &err), 0);
		filter_free(f);
	}
	buffer_fini(&record);
}

static void test_fits(void **state)
{
	struct sooth_error err;
	struct filter *f;

	(void)state;
	assert_int_equal(filter_new(&f, "pid = 1 and nothing = 2", &err), 0);
	assert_false(filter_fits_schema(f, &schema));
	filter_free(f);
}

/* As deep and as long as anybody may ask. */
static void test_bounds(void **state)
{
	struct buffer text = { 0 };
	struct sooth_error err;
	struct filter *f;

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		buffer_string(&text, "(");
	assert_int_equal(filter_new(&f, buffer_cstr(&text), &err), -EINVAL);
	buffer_reset(&text);
	buffer_string(&text, "pid = 1");
	for (size_t i = 0; i < 1000; i++)
		buffer_string(&text, " or pid = 1");
	assert_int_equal(filter_new(&f, buffer_cstr(&text), &err), -EINVAL);
	buffer_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds),
		cmocka_unit_test(test_does_not),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_not_measured),
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
