/* SPDX-License-Identifier: BSD-2-Clause */
/* Values and lines as people read them. */
#include "support.h"

#include "base/units.h"
#include "model/errno_names.h"
#include "model/field.h"

struct row {
	struct sooth_record record;
	uint64_t number;
	double real;
	uint32_t error;
	uint8_t state;
	uint8_t truth;
	uint8_t unused[2];
	struct sooth_text text;
	struct sooth_text args;
	char name[8];
};

static const struct sooth_field fields[] = {
	FIELD_NUMBER(row, number, "", FIELD_STATE_AT(row, state)),
	{ .name = "error", .type = SOOTH_FIELD_ERRNO, FIELD_AT(row, error) },
	FIELD_TRUTH(row, truth, ""),
	FIELD_STRING(row, text, ""),
	{ .name = "args", .type = SOOTH_FIELD_ARGS, FIELD_AT(row, args) },
	{ .name = "name", .type = SOOTH_FIELD_CHARS, FIELD_AT(row, name) },
};

static struct buffer out;

static const char *formatted(const struct sooth_field *field, struct sooth_value value)
{
	value.type = field->type;
	buffer_reset(&out);
	value_format(&out, field, &value);
	return buffer_cstr(&out);
}

static const char *number(enum sooth_unit unit, uint64_t u)
{
	return formatted(&(struct sooth_field){ .type = SOOTH_FIELD_UNSIGNED, .unit = unit },
		(struct sooth_value){ .u = u });
}

static const char *text(enum sooth_field_type type, const char *data, size_t size)
{
	return formatted(&(struct sooth_field){ .type = type },
		(struct sooth_value){ .text = { data, size } });
}

static void test_units(void **state)
{
	(void)state;
	assert_string_equal(number(SOOTH_UNIT_NONE, UINT64_MAX), "18446744073709551615");
	assert_string_equal(number(SOOTH_UNIT_BYTES, 2048), "2.0K");
	assert_string_equal(number(SOOTH_UNIT_NS, 1500), "1.50us");
	assert_string_equal(number(SOOTH_UNIT_S, 200), "3m20s");
	assert_string_equal(number(SOOTH_UNIT_HEX, 0xbeef), "0xbeef");
	assert_string_equal(number(SOOTH_UNIT_TIME_NS, 12 * NS_PER_S + 3456789), "12.003456");
	assert_string_equal(
		number(SOOTH_UNIT_UTC_NS, 1700000000 * NS_PER_S), "2023-11-14T22:13:20Z");
}

/* Each number by the name that the C library has for it. */
static void test_errno_names(void **state)
{
	unsigned known = 0;

	(void)state;
	for (int i = 1; i < 134; i++) {
		const char *theirs = strerrorname_np(i), *ours = errno_name((uint64_t)i);

		if (!theirs)
			continue;
		known++;
		assert_non_null(ours);
		assert_string_equal(ours, theirs);
	}
	assert_true(known > 120);
	assert_null(errno_name(0));
	assert_null(errno_name(UINT64_MAX));
}

static void test_types(void **state)
{
	static const char *const names[] = { "zero", NULL, "two" };
	static const struct sooth_names values = { 3, names };
	const struct sooth_field choice = { .type = SOOTH_FIELD_ENUM, .names = &values };
	const struct sooth_field real = { .type = SOOTH_FIELD_REAL, .decimals = 2 };
	const struct sooth_field error = { .type = SOOTH_FIELD_ERRNO };

	(void)state;
	assert_string_equal(formatted(&choice, (struct sooth_value){ .u = 0 }), "zero");
	assert_string_equal(formatted(&choice, (struct sooth_value){ .u = 1 }), "1");
	assert_string_equal(formatted(&choice, (struct sooth_value){ .u = 2 }), "two");
	assert_string_equal(formatted(&choice, (struct sooth_value){ .u = 3 }), "3");
	assert_string_equal(formatted(&real, (struct sooth_value){ .f = 2.0 / 3 }), "0.67");
	assert_string_equal(formatted(&error, (struct sooth_value){ .u = 2 }), "ENOENT");
	assert_string_equal(formatted(&error, (struct sooth_value){ .u = 4000 }), "errno 4000");
	assert_string_equal(formatted(&(struct sooth_field){ .type = SOOTH_FIELD_BOOL },
				    (struct sooth_value){ .u = 1 }),
		"yes");
	assert_string_equal(formatted(&(struct sooth_field){ .type = SOOTH_FIELD_SIGNED },
				    (struct sooth_value){ .i = INT64_MIN }),
		"-9223372036854775808");
}

static void test_texts(void **state)
{
	(void)state;
	assert_string_equal(text(SOOTH_FIELD_TEXT, "a\tb\x1b[1m\n", 8), "a\\tb\\x1b[1m\\n");
	assert_string_equal(text(SOOTH_FIELD_TEXT, "\xff", 1), "\\xff");
	assert_string_equal(text(SOOTH_FIELD_TEXT, NULL, 0), "");
	assert_string_equal(text(SOOTH_FIELD_ARGS, "a\0b c\0\0d", 8), "a \"b c\" \"\" d");
	assert_string_equal(text(SOOTH_FIELD_ARGS, "a\0b\0", 4), "a b");
	assert_string_equal(text(SOOTH_FIELD_ARGS, "", 0), "");
	/* Over its arguments a title was written, and blanks or NULs over the rest. */
	assert_string_equal(text(SOOTH_FIELD_ARGS, "claude\0\0\0\0", 10), "claude");
	assert_string_equal(text(SOOTH_FIELD_ARGS, "claude      \0", 13), "claude");
	assert_string_equal(text(SOOTH_FIELD_ARGS, "a\0\0", 3), "a \"\"");
	assert_string_equal(text(SOOTH_FIELD_ARGS, "a\0 \0b\0", 6), "a \" \" b");
	assert_string_equal(text(SOOTH_FIELD_ARGS, "\0\0\0\0", 4), "\"\" \"\" \"\" \"\"");
}

static void test_states(void **state)
{
	const struct sooth_field f = { .type = SOOTH_FIELD_UNSIGNED };
	static const char *const expected[] = { "7", "-", "7...", "redacted", "?" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_string_equal(
			formatted(&f, (struct sooth_value){ .u = 7, .state = (enum sooth_state)i }),
			expected[i]);
}

/* A row with these contents by a template. */
static const char *line(const char *template, uint8_t number_state, uint32_t error,
	const char *words, size_t args_size)
{
	const struct sooth_schema schema = {
		.fields = fields, .field_count = ARRAY_SIZE(fields), .line = template
	};
	struct row row = { .number = 42, .error = error, .state = number_state, .name = "comm" };
	struct record_tail tail[] = { { &row.text, words, strlen(words) },
		{ &row.args, "x\0y", args_size } };
	struct buffer record = { 0 };
	struct line_plan plan;

	RECORD_APPEND(&record, &row, tail, 2);
	buffer_reset(&out);
	line_plan(&plan, &schema);
	line_format(&out, &plan, (const void *)record.data);
	buffer_fini(&record);
	return buffer_cstr(&out);
}

static void test_lines(void **state)
{
	uint8_t absent = SOOTH_STATE_ABSENT, unknown = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	uint8_t not_requested = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);

	(void)state;
	assert_string_equal(line("", 0, 0, "", 0), "");
	assert_string_equal(line("n={number}, {text}.", 0, 0, "word", 0), "n=42, word.");
	assert_string_equal(line("{number}[ {error}]", 0, 0, "", 0), "42");
	assert_string_equal(line("{number}[ {error}]", 0, 2, "", 0), "42 ENOENT");
	assert_string_equal(line("[({text})]{number}", 0, 0, "", 0), "42");
	assert_string_equal(line("[({text})]{number}", 0, 0, "w", 0), "(w)42");
	assert_string_equal(line("a[ {args}]b", 0, 0, "", 0), "ab");
	assert_string_equal(line("a[ {args}]b", 0, 0, "", 3), "a x yb");
	assert_string_equal(line("a[ {number}]", absent, 0, "", 0), "a");
	/* A value that could not be measured is shown as "?", not left out. */
	assert_string_equal(line("a[ {number}]", unknown, 0, "", 0), "a ?");
	assert_string_equal(line("a[ {number}]", not_requested, 0, "", 0), "a");
	assert_string_equal(line("{number}", absent, 0, "", 0), "-");
	assert_string_equal(line("{number thread}", 0, 0, "", 0), "42 threads");
	assert_string_equal(line("{number thread}", unknown, 0, "", 0), "? threads");
	assert_string_equal(line("{error file}.", 0, 1, "", 0), "EPERM file.");
	assert_string_equal(line("[{number thread}]b", absent, 0, "", 0), "b");
	assert_string_equal(line("{nothing thread}b{", 0, 0, "", 0), "b");
	assert_string_equal(line("{name}[!{truth}]", 0, 0, "", 0), "comm");
}

/* As snprintf() does: what fits is written, what there is is told. */
static void test_into_memory(void **state)
{
	struct row row = { .number = 12345,
		.name = "a\x1b"
			"b" };
	char some[4] = "???", all[16], none[1] = "?";

	(void)state;
	row.record.words = row.record.fixed_words = sizeof(row) / SOOTH_RECORD_WORD;
	assert_int_equal(sooth_field_text(&fields[0], &row.record, all, sizeof(all)), 5);
	assert_string_equal(all, "12345");
	assert_int_equal(sooth_field_text(&fields[0], &row.record, some, sizeof(some)), 5);
	assert_string_equal(some, "123");
	assert_int_equal(sooth_field_text(&fields[0], &row.record, none, sizeof(none)), 5);
	assert_string_equal(none, "");
	assert_int_equal(sooth_field_text(&fields[0], &row.record, NULL, 0), 5);
	assert_int_equal(sooth_field_text(&fields[5], &row.record, all, sizeof(all)),
		strlen(formatted(&fields[5], sooth_field_get(&fields[5], &row.record))));
	assert_null(strchr(all, 0x1b));
	row.state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	sooth_field_text(&fields[0], &row.record, all, sizeof(all));
	assert_string_equal(all, "?");
}

/* Rows within a row, also of somebody who lies about them. */
static void test_rows_one_by_one(void **state)
{
	_Alignas(8) struct row rows[3] = { 0 };
	struct sooth_value value = { .type = SOOTH_FIELD_ROWS,
		.text = { (const char *)rows, sizeof(rows) } };
	const struct sooth_record *one = NULL;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		rows[i].record.words = rows[i].record.fixed_words =
			sizeof(rows[i]) / SOOTH_RECORD_WORD;
	for (size_t i = 0; i < 3; i++) {
		one = sooth_rows_next(&value, one);
		assert_ptr_equal(one, &rows[i].record);
	}
	assert_null(sooth_rows_next(&value, one));
	value.text.size -= 8;
	assert_null(sooth_rows_next(&value, NULL));
	value.text.size = 0;
	assert_null(sooth_rows_next(&value, NULL));
	value = (struct sooth_value){ .type = SOOTH_FIELD_ROWS, .state = SOOTH_STATE_ABSENT };
	assert_null(sooth_rows_next(&value, NULL));
	value = (struct sooth_value){ .type = SOOTH_FIELD_TEXT,
		.text = { (const char *)rows, sizeof(rows) } };
	assert_null(sooth_rows_next(&value, NULL));
}

/* Where nothing can stand below the lines. */
static void test_reasons_in_lines(void **state)
{
	const struct sooth_schema schema = {
		.fields = fields, .field_count = ARRAY_SIZE(fields), .line = "a <{number}>"
	};
	struct row row = { .record = { .fixed_words = sizeof(row) / SOOTH_RECORD_WORD },
		.number = 42 };
	struct line_plan plan;

	(void)state;
	line_plan(&plan, &schema);
	plan.says_reasons = true;
	buffer_reset(&out);
	line_format(&out, &plan, &row.record);
	row.state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSEEN);
	line_format(&out, &plan, &row.record);
	row.state = SOOTH_STATE_ABSENT;
	line_format(&out, &plan, &row.record);
	assert_string_equal(
		buffer_cstr(&out), "a <42>a <not measured: entered before attach>a <->");
}

static void test_nested_groups(void **state)
{
	(void)state;
	assert_string_equal(line("a[b[c{error}]d]e", 0, 2, "", 0), "abcENOENTde");
	assert_string_equal(line("a[b[c{error}]d]e", 0, 0, "", 0), "abde");
	assert_string_equal(line("a[b{error}[c{text}]d]e", 0, 0, "t", 0), "ae");
	assert_string_equal(line("[[[[[[x]]]]]]", 0, 0, "", 0), "[[x]]"); /* deeper than it goes */
}

static void test_odd_templates(void **state)
{
	(void)state;
	assert_string_equal(line("a{nothing}b", 0, 0, "", 0), "ab");
	assert_string_equal(line("a{number", 0, 0, "", 0), "a");
	assert_string_equal(line("a]b", 0, 0, "", 0), "a]b");
	assert_string_equal(line("a[b", 0, 0, "", 0), "ab");
	assert_string_equal(
		line("{aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}", 0,
			0, "", 0),
		"");
}

/* A target's text cannot speak to the terminal, nor pretend to be part of the line. */
static void test_hostile(void **state)
{
	(void)state;
	assert_string_equal(
		line("<{text}>", 0, 0, "\x1b]0;x\x07{number}[", 0), "<\\x1b]0;x\\x07{number}[>");
}

static int teardown(void **state)
{
	(void)state;
	buffer_fini(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_errno_names),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_into_memory),
		cmocka_unit_test(test_rows_one_by_one),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_reasons_in_lines),
		cmocka_unit_test(test_nested_groups),
		cmocka_unit_test(test_odd_templates),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
