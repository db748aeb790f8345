/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The formats: every shape of section, every state of a value, whatever a
 * target put into its texts, a full disk. JSON is checked by a parser of its own.
 */
#include "support.h"

#include <errno.h>
#include <math.h>

#include "explain/output.h"
#include "explain/registry.h"
#include "json_check.h"
#include "model/schema.h"
#include "sinks/raster.h"

struct row {
	struct sooth_record record;
	uint64_t number;
	int64_t balance;
	double share;
	uint32_t color;
	uint32_t error;
	uint8_t is_true;
	uint8_t number_state, text_state, unused;
	char name[4];
	struct sooth_text text;
	struct sooth_text args;
	struct sooth_text list;
	uint32_t histogram[2];
};

static const char *const color_names[] = { "red", "green" };
static const struct sooth_names colors = { 2, color_names };

static const struct sooth_field fields[] = {
	FIELD_NUMBER(row, number, "", .unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(row, number_state)),
	{ .name = "balance", .type = SOOTH_FIELD_SIGNED, FIELD_AT(row, balance) },
	{ .name = "share",
		.type = SOOTH_FIELD_REAL,
		FIELD_AT(row, share),
		.decimals = 1,
		.label = "SHARE%" },
	{ .name = "color", .type = SOOTH_FIELD_ENUM, FIELD_AT(row, color), .names = &colors },
	{ .name = "error", .type = SOOTH_FIELD_ERRNO, FIELD_AT(row, error) },
	FIELD_TRUTH(row, is_true, ""),
	{ .name = "name", .type = SOOTH_FIELD_CHARS, FIELD_AT(row, name) },
	FIELD_STRING(row, text, "", FIELD_STATE_AT(row, text_state), .may_shrink = true),
	{ .name = "args", .type = SOOTH_FIELD_ARGS, FIELD_AT(row, args) },
	{ .name = "list", .type = SOOTH_FIELD_LIST, FIELD_AT(row, list), .is_hidden = true },
	{ .name = "histogram",
		.type = SOOTH_FIELD_HISTOGRAM,
		FIELD_AT(row, histogram),
		.is_hidden = true },
};

#define SCHEMA(line_)                                                                              \
	{                                                                                          \
		.name = "row", .fixed_size = sizeof(struct row), .line = line_,                    \
		SCHEMA_FIELDS(fields)                                                              \
	}
static const struct sooth_schema schema = SCHEMA(NULL);
static const struct sooth_schema line_schema = SCHEMA("{name}: {number}[ {text}]");

struct sheet {
	struct output *output;
	struct text text;
	struct sooth_error err;
};

static void sheet_open(struct sheet *s, const char *format, FILE *stream, unsigned width)
{
	struct sink_options options = { .width = width };

	*s = (struct sheet){ 0 };
	text_open(&s->text);
	options.stream = stream ? stream : s->text.stream;
	assert_int_equal(output_new(&s->output, &s->err), 0);
	assert_int_equal(output_add_sink(s->output, registry_sink(format), &options, &s->err), 0);
}

static void begin(struct sheet *s)
{
	assert_int_equal(output_begin(s->output, &(struct report_head){ "test", 3 }, &s->err), 0);
}

static void section(struct sheet *s, const struct section *section)
{
	assert_int_equal(output_section(s->output, section, &s->err), 0);
}

static int put(struct sheet *s, struct row row, const char *text, size_t size)
{
	static const uint32_t numbers[] = { 7, 8 };
	struct record_tail tail[] = { { &row.text, text, size }, { &row.args, text, size },
		{ &row.list, numbers, sizeof(numbers) } };

	return OUTPUT_ROW(s->output, &row, tail, 3, &s->err);
}

static const char *sheet_close(struct sheet *s)
{
	assert_int_equal(output_end(s->output, &s->err), 0);
	output_free(s->output);
	return text_close(&s->text);
}

static void sheet_free(struct sheet *s)
{
	text_free(&s->text);
}

static const struct section table = { .name = "rows",
	.title = "Rows",
	.schema = &schema,
	.shape = SECTION_TABLE,
	.if_empty = "there are no rows" };
static const struct section object = { .name = "one", .schema = &schema, .shape = SECTION_OBJECT };
static const struct section inlined = {
	.name = "in", .schema = &line_schema, .shape = SECTION_INLINE, .is_last = true
};
static const struct section stream = {
	.name = "event", .schema = &line_schema, .shape = SECTION_STREAM
};
static const struct section note = {
	.name = "note", .schema = &line_schema, .shape = SECTION_TABLE, .is_last = true
};
static const struct section last_object = {
	.name = "self", .schema = &line_schema, .shape = SECTION_OBJECT, .is_last = true
};

static const struct row plain = { .number = 2048,
	.balance = -5,
	.share = 12.34,
	.color = 1,
	.error = 2,
	.is_true = 1,
	.name = "abcd",
	.histogram = { 3, 4 } };

static const char *all_shapes(struct sheet *s, const char *format, const char *text, size_t size)
{
	const struct section *sections[] = { &table, &object, &stream, &inlined, &note,
		&last_object };

	sheet_open(s, format, NULL, 0);
	begin(s);
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		section(s, sections[i]);
		for (int k = 0; k < (i % 2 ? 1 : 2) + (i == 3 ? 0 : 0); k++)
			assert_int_equal(put(s, plain, text, size), 0);
	}
	return sheet_close(s);
}

static void test_json(void **state)
{
	struct sheet s;
	const char *json = all_shapes(&s, "json", "a\0b", 3);

	(void)state;
	assert_true(json_check(json, s.text.size, 1));
	assert_int_equal(json[s.text.size - 1], '\n');
	assert_true(has(json, "\"name\": \"test\",\n    \"version\": 3"));
	assert_true(has(json, "\"number\": 2048"));
	assert_true(has(json, "\"balance\": -5"));
	assert_true(has(json, "\"share\": 12.3,"));
	assert_true(has(json, "\"color\": \"green\""));
	assert_true(has(json, "\"error\": \"ENOENT\""));
	assert_true(has(json, "\"is_true\": true"));
	assert_true(has(json, "\"name\": \"abcd\""));
	assert_true(has(json, "\"text\": \"a\\u0000b\""));
	assert_true(has(json, "\"args\": \"a b\""));
	assert_true(has(json, "\"rows\": [\n    {"));
	assert_true(has(json, "\"one\": {"));
	assert_false(has(json, "\"in\""));
	assert_false(has(json, "not_measured"));
	sheet_free(&s);
}

static void test_jsonl(void **state)
{
	struct sheet s;
	char *json = (char *)all_shapes(&s, "jsonl", "a\nb", 3);
	unsigned lines = 0;

	(void)state;
	assert_true(has(json, "{\"type\":\"event\","));
	for (char *line = strtok(json, "\n"); line; line = strtok(NULL, "\n")) {
		assert_true(json_check(line, strlen(line), 1));
		if (!lines)
			assert_string_equal(line,
				"{\"type\":\"begin\",\"schema\":{\"name\":\"test\","
				"\"version\":3}}");
		lines++;
	}
	/* begin; two rows, one object, two events; the notes as one. */
	assert_int_equal(lines, 1 + 2 + 1 + 2 + 1);
	sheet_free(&s);
}

static void test_table(void **state)
{
	struct sheet s;
	const char *text = all_shapes(&s, "table", "word", 4);

	(void)state;
	assert_true(has(text, "Rows\nNUMBER BALANCE SHARE% COLOR"));
	assert_true(has(text, "  2.0K      -5   12.3 green"));
	assert_true(has(text, "ENOENT"));
	assert_true(has(text, "abcd: 2.0K word\n"));
	assert_false(has(text, "HISTOGRAM")); /* hidden */
	assert_false(has(text, "?"));
	sheet_free(&s);
}

static void test_empty(void **state)
{
	static const char *const formats[] = { "json", "jsonl", "table" };
	static const char *const expected[] = { "\"rows\": []", "\"self\":null",
		"there are no rows" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct sheet s;
		const char *text;

		sheet_open(&s, formats[i], NULL, 0);
		begin(&s);
		section(&s, &table);
		section(&s, &object);
		section(&s, &last_object);
		section(&s, &note);
		text = sheet_close(&s);
		if (!has(text, expected[i]))
			fail_msg("%s: %s", formats[i], text);
		if (i < 2)
			assert_true(json_check(text, s.text.size, 1 + i));
		assert_false(has(text, "NUMBER"));
		sheet_free(&s);
	}
}

/* A value that could not be measured is null with its reason, in a table "?" with a line below. */
static void test_not_measured(void **state)
{
	struct row row = plain;
	struct sheet s;
	const char *text;

	(void)state;
	for (int i = 0; i < 3; i++) {
		static const char *const formats[] = { "json", "table", "jsonl" };

		row.number_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
		row.text_state = SOOTH_STATE_REDACTED;
		sheet_open(&s, formats[i], NULL, 0);
		begin(&s);
		section(&s, &table);
		assert_int_equal(put(&s, row, "x", 1), 0);
		row.number_state = SOOTH_STATE_ABSENT;
		row.text_state = SOOTH_STATE_TRUNCATED;
		assert_int_equal(put(&s, row, "prefix", 6), 0);
		text = sheet_close(&s);
		if (i == 0) {
			assert_true(json_check(text, s.text.size, 1));
			assert_true(has(text, "\"number\": null"));
			assert_true(has(text,
				"\"not_measured\": {\n        \"number\": \"permission denied\","
				"\n        \"text\": \"redacted\""));
			assert_true(has(text, "\"text\": \"prefix\""));
			assert_true(
				has(text, "\"not_measured\": {\n        \"text\": \"truncated\""));
		} else if (i == 1) {
			assert_true(has(text, "? = unknown: permission denied"));
			assert_true(has(text, "redacted"));
			assert_true(has(text, "prefix..."));
			assert_true(has(text, "     -")); /* absent */
		}
		sheet_free(&s);
	}
}

static void test_odd_numbers(void **state)
{
	static const double reals[] = { NAN, INFINITY, -INFINITY, 1e308, -0.0, 5e-324 };
	struct row row = plain;
	struct sheet s;
	const char *json;

	(void)state;
	sheet_open(&s, "json", NULL, 0);
	begin(&s);
	section(&s, &table);
	for (size_t i = 0; i < ARRAY_SIZE(reals); i++) {
		row.share = reals[i];
		row.number = UINT64_MAX;
		row.balance = INT64_MIN;
		row.color = UINT32_MAX;
		row.error = UINT32_MAX;
		assert_int_equal(put(&s, row, "", 0), 0);
	}
	json = sheet_close(&s);
	assert_true(json_check(json, s.text.size, 1));
	assert_true(has(json, "\"share\": null"));
	assert_true(has(json, "\"color\": 4294967295"));
	assert_true(has(json, "18446744073709551615"));
	sheet_free(&s);
}

/* Names are all that a target can choose: none of them breaks a format or reaches a terminal. */
static void test_hostile_texts(void **state)
{
	static char controls[34], large[10240];
	const struct {
		const char *data;
		size_t size;
	} texts[] = {
		{ "</script><script>alert(1)</script>", 34 },
		{ controls, sizeof(controls) },
		{ "\xff\xfe\xc0\x80\xed\xa0\x80\xf5", 8 },
		{ "\"},{\"type\":\"x\\", 15 },
		{ "\x1b[2J\x1b]0;title\x07", 14 },
		{ "\xe2\x80\xae\xe2\x80\xa8", 6 },
		{ large, sizeof(large) },
		{ "", 0 },
	};
	static const char *const formats[] = { "json", "jsonl", "table" };

	(void)state;
	for (size_t i = 0; i < sizeof(controls); i++)
		controls[i] = (char)(i < 32 ? i : i + 95); /* and DEL */
	memset(large, 'x', sizeof(large));
	for (size_t t = 0; t < ARRAY_SIZE(texts); t++) {
		for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
			struct sheet s;
			const char *text = all_shapes(&s, formats[i], texts[t].data, texts[t].size);

			if (i < 2)
				assert_true(json_check(text, s.text.size, i ? 7 : 1));
			assert_int_equal(strlen(text), s.text.size); /* no NUL in it */
			if (i < 2)
				assert_false(has(text, "<"));
			for (size_t at = 0; at < s.text.size; at++) {
				unsigned char c = (unsigned char)text[at];

				assert_true((c >= ' ' || c == '\n') && c != 0x7f);
			}
			sheet_free(&s);
		}
	}
}

/* A figure is never cut to fit a terminal, a long text is. */
static void test_width(void **state)
{
	char text[300];
	struct sheet s;
	const char *shown;

	(void)state;
	memset(text, 'y', sizeof(text));
	sheet_open(&s, "table", NULL, 100);
	begin(&s);
	section(&s, &table);
	assert_int_equal(put(&s, plain, text, sizeof(text)), 0);
	shown = sheet_close(&s);
	assert_true(has(shown, "2.0K"));
	for (const char *line = shown; *line;) {
		size_t size = strcspn(line, "\n");

		assert_true(size <= 100);
		line += size + (line[size] == '\n');
	}
	sheet_free(&s);
}

/* A locale that cannot read a name: it is written so that it can, and does not end in a loop. */
static void test_width_in_another_locale(void **state)
{
	static const char name[] = "\xc3\xa9t\xc3\xa9";
	char text[600];
	struct sheet s;
	const char *shown;

	(void)state;
	memset(text, 'y', sizeof(text));
	memcpy(text + 300, "\xcc\x9c", 2);
	sheet_open(&s, "table", NULL, 120);
	begin(&s);
	section(&s, &table);
	assert_int_equal(put(&s, plain, name, strlen(name)), 0);
	assert_int_equal(put(&s, plain, text, sizeof(text)), 0);
	shown = sheet_close(&s);
	assert_true(has(shown, "2.0K"));
	assert_true(has(shown, "\\xc3\\xa9t\\xc3\\xa9"));
	sheet_free(&s);
}

static void test_named_columns(void **state)
{
	struct section named = table;
	struct sheet s;
	const char *text;

	(void)state;
	named.columns = "text,number,nothing,list";
	sheet_open(&s, "table", NULL, 0);
	begin(&s);
	section(&s, &named);
	assert_int_equal(put(&s, plain, "w", 1), 0);
	text = sheet_close(&s);
	assert_true(has(text, "TEXT NUMBER LIST"));
	assert_true(has(text, "7,8"));
	assert_false(has(text, "BALANCE"));
	sheet_free(&s);
}

/* One table, names first; texts that a spreadsheet would compute are kept from it. */
static void test_csv(void **state)
{
	struct row odd = {
		.number = 2048, .balance = -7, .share = 1.25, .is_true = 1, .name = "=n"
	};
	struct row unknown = { .number_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED),
		.text_state = SOOTH_STATE_ABSENT };
	struct section named = table;
	struct sheet s;

	(void)state;
	named.columns = "number,balance,share,is_true,name,text,list";
	sheet_open(&s, "csv", NULL, 0);
	begin(&s);
	section(&s, &object);
	assert_int_equal(put(&s, odd, "of another section", 18), 0);
	section(&s, &named);
	assert_int_equal(put(&s, odd, "a \"b\", c", 8), 0);
	assert_int_equal(put(&s, odd, "=1+1", 4), 0);
	assert_int_equal(put(&s, odd, "\n-x\0\x1b", 5), 0);
	assert_int_equal(put(&s, unknown, "@x", 2), 0);
	section(&s, &table);
	assert_int_equal(put(&s, odd, "a second table", 14), 0);
	section(&s, &note);
	assert_int_equal(put(&s, odd, "a note", 6), 0);
	assert_string_equal(sheet_close(&s), "number,balance,share,is_true,name,text,list\r\n"
					     "2048,-7,1.2,true,'=n,\"a \"\"b\"\", c\",\"7,8\"\r\n"
					     "2048,-7,1.2,true,'=n,'=1+1,\"7,8\"\r\n"
					     "2048,-7,1.2,true,'=n,\\n-x\\x00\\x1b,\"7,8\"\r\n"
					     ",0,0.0,false,,,\"7,8\"\r\n");
	sheet_free(&s);
}

/* Rows that come among those of a stream have a type, and columns of their own behind the others.
 */
static void test_csv_asides(void **state)
{
	static const struct sooth_field fields[] = {
		{ .name = "name", .type = SOOTH_FIELD_CHARS, FIELD_AT(row, name) },
		{ .name = "end", .type = SOOTH_FIELD_TEXT, FIELD_AT(row, text) },
		{ .name = "tid",
			.type = SOOTH_FIELD_UNSIGNED,
			FIELD_AT(row, number),
			.is_hidden = true },
	};
	static const struct sooth_schema schema = {
		.name = "ends", .fixed_size = sizeof(struct row), SCHEMA_FIELDS(fields)
	};
	static const struct section end = {
		.name = "end", .schema = &schema, .shape = SECTION_STREAM
	};
	static const struct section *const asides[] = { &end, NULL };
	struct row odd = { .number = 5, .name = "=n" };
	struct section calls = table;
	struct sheet s;

	(void)state;
	calls.columns = "number,name";
	calls.shape = SECTION_STREAM;
	for (int is_announced = 0; is_announced < 2; is_announced++) {
		calls.asides = is_announced ? asides : NULL;
		sheet_open(&s, "csv", NULL, 0);
		begin(&s);
		section(&s, &calls);
		assert_int_equal(put(&s, odd, "a", 1), 0);
		assert_int_equal(
			OUTPUT_INTERLEAVED(s.output, &end, &odd,
				((struct record_tail[]){ { &odd.text, "+b", 2 } }), 1, &s.err),
			0);
		assert_int_equal(put(&s, odd, "c", 1), 0);
		assert_string_equal(sheet_close(&s), is_announced
							     ? "number,name,type,end\r\n"
							       "5,'=n,rows,\r\n"
							       ",'=n,end,'+b\r\n"
							       "5,'=n,rows,\r\n"
							     : "number,name\r\n5,'=n\r\n5,'=n\r\n");
		sheet_free(&s);
	}
}

/* Rows that stand below others: lines in the column that says so, whatever a depth claims. */
static void test_tree(void **state)
{
	static const unsigned depths[] = { 0, 1, 2, 1, 7, 0, 4000000000u };
	struct section tree = table;
	struct sheet s;

	(void)state;
	tree.columns = "name,color,text";
	tree.tree = "text";
	tree.depth = "color";
	sheet_open(&s, "text", NULL, 0);
	begin(&s);
	section(&s, &tree);
	for (size_t i = 0; i < ARRAY_SIZE(depths); i++) {
		char text[] = "row1";

		text[3] += (char)i;
		assert_int_equal(
			put(&s, (struct row){ .color = depths[i], .name = "n" }, text, 4), 0);
	}
	assert_string_equal(sheet_close(&s), "Rows\n"
					     "NAME COLOR      TEXT\n"
					     "n    red        row1\n"
					     "n    green      |-row2\n"
					     "n    2          | `-row3\n"
					     "n    green      `-row4\n"
					     "n    7            `-row5\n"
					     "n    red        row6\n"
					     "n    4000000000 `-row7\n");
	sheet_free(&s);
}

/* A full disk is an error of the report, in every format. */
static void test_full_disk(void **state)
{
	static const char *const formats[] = { "json", "jsonl", "table" };
	static char large[9000];

	(void)state;
	memset(large, 'x', sizeof(large));
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		FILE *full = fopen("/dev/full", "w");
		struct sheet s;
		int status = 0;

		if (!full)
			skip();
		sheet_open(&s, formats[i], full, 0);
		begin(&s);
		section(&s, &stream);
		for (int k = 0; k < 100 && !status; k++) {
			status = put(&s, plain, large, sizeof(large));
			if (!status)
				status = output_flush(s.output, &s.err);
		}
		assert_int_equal(status, -ENOSPC);
		assert_int_equal(s.err.fault, SOOTH_FAULT_IO);
		output_free(s.output);
		fclose(full);
		sheet_free(&s);
	}
}

/* Also when all of it fits the buffer of the stream: then the end tells. */
static void test_full_disk_at_the_end(void **state)
{
	static const char *const formats[] = { "json", "jsonl", "table" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		FILE *full = fopen("/dev/full", "w");
		struct sheet s;

		if (!full)
			skip();
		sheet_open(&s, formats[i], full, 0);
		begin(&s);
		section(&s, &table);
		assert_int_equal(put(&s, plain, "x", 1), 0);
		assert_int_equal(output_end(s.output, &s.err), -ENOSPC);
		output_free(s.output);
		fclose(full);
		sheet_free(&s);
	}
}

/* Rows known by their first field: a table, an object of objects, lines. */
static void test_keyed(void **state)
{
	static const struct sooth_field keyed_fields[] = {
		{ .name = "color",
			.type = SOOTH_FIELD_ENUM,
			FIELD_AT(row, color),
			.names = &colors },
		FIELD_NUMBER(row, number, "", FIELD_STATE_AT(row, number_state)),
	};
	static const struct sooth_schema keyed_schema = {
		.name = "keyed", .fixed_size = sizeof(struct row), SCHEMA_FIELDS(keyed_fields)
	};
	static const struct section keyed = {
		.name = "by_color", .schema = &keyed_schema, .shape = SECTION_KEYED
	};
	static const char *const formats[] = { "json", "jsonl", "table", "json-rows" };
	static const char *const expected[] = {
		"\"by_color\": {\n    \"red\": {\n      \"number\": 7\n    },\n    \"green\": {\n"
		"      \"number\": null,\n      \"not_measured\": {\n        \"number\": \"not "
		"requested\"",
		"{\"type\":\"by_color\",\"color\":\"red\",\"number\":7}\n",
		"COLOR NUMBER\nred        7\ngreen      ?\n",
		"{\"color\":\"red\",\"number\":7}\n{\"color\":\"green\"}\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct row first = { .number = 7 }, second = { .color = 1 };
		struct sheet s;
		const char *text;

		second.number_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
		sheet_open(&s, formats[i], NULL, 0);
		begin(&s);
		section(&s, &keyed);
		assert_int_equal(put(&s, first, "", 0), 0);
		assert_int_equal(put(&s, second, "", 0), 0);
		text = sheet_close(&s);
		if (!has(text, expected[i]))
			fail_msg("%s: %s", formats[i], text);
		if (!i)
			assert_true(json_check(text, s.text.size, 1));
		sheet_free(&s);
	}
}

/* People need not see one row, nor a thousand; a program sees all. */
static void test_bounds_for_people(void **state)
{
	static const struct section bounded = { .name = "rows",
		.schema = &schema,
		.shape = SECTION_TABLE,
		.rows_least = 2,
		.rows_most = 3 };

	(void)state;
	for (unsigned count = 1; count <= 5; count++) {
		struct sheet s;
		const char *text;

		for (int i = 0; i < 2; i++) {
			sheet_open(&s, i ? "json" : "table", NULL, 0);
			begin(&s);
			section(&s, &bounded);
			for (unsigned k = 0; k < count; k++)
				assert_int_equal(put(&s, plain, "x", 1), 0);
			text = sheet_close(&s);
			if (i)
				assert_true(has(text, "\"number\": 2048"));
			else if (count < 2)
				assert_string_equal(text, "");
			else
				assert_int_equal(
					has(text, "and 2 more (-j lists all)\n"), count == 5);
			sheet_free(&s);
		}
	}
}

/* Rows and nothing else; what has no value is left out. */
/* A long table is printed in parts, under one heading, and not kept until its end. */
static void test_long_table(void **state)
{
	enum { ROWS = 25000 };
	struct row row = plain;
	size_t lines = 0, headings = 0;
	struct sheet s;
	const char *text;

	(void)state;
	sheet_open(&s, "table", NULL, 0);
	begin(&s);
	section(&s, &table);
	for (unsigned i = 1; i <= ROWS; i++) {
		row.balance = i;
		assert_int_equal(put(&s, row, "x", 1), 0);
	}
	fflush(s.text.stream);
	assert_true(has(s.text.data, " 9999 "));
	assert_false(has(s.text.data, " 25000 "));
	text = sheet_close(&s);
	assert_true(has(text, " 25000 "));
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	for (const char *at = text; (at = strstr(at, "SHARE%")); at++)
		headings++;
	assert_int_equal(headings, 1);
	assert_int_equal(lines, ROWS + 2); /* the title, the heading */
	sheet_free(&s);
}

static void test_rows_alone(void **state)
{
	struct row row = { .color = 9, .name = "x", .is_true = 1 };
	struct sheet s;
	const char *text;

	(void)state;
	row.number_state = SOOTH_STATE_ABSENT;
	row.text_state = SOOTH_STATE_REDACTED;
	sheet_open(&s, "json-rows", NULL, 0);
	begin(&s);
	section(&s, &table);
	assert_int_equal(put(&s, row, "a\"b", 3), 0);
	section(&s, &note);
	assert_int_equal(put(&s, plain, "never", 5), 0);
	text = sheet_close(&s);
	assert_string_equal(text, "{\"balance\":0,\"share\":0.0,\"color\":9,\"error\":0,\"is_"
				  "true\":true,\"name\":\"x\","
				  "\"args\":\"a\\\"b\",\"list\":[7,8],\"histogram\":[0,0]}\n");
	assert_true(json_check(text, s.text.size, 1));
	sheet_free(&s);
}

/* --- rows within rows --- */

struct count_row {
	struct sooth_record record;
	uint64_t count;
	struct sooth_text what;
};

static const struct sooth_field pair_fields[] = {
	FIELD_STRING(count_row, what, ""),
	FIELD_NUMBER(count_row, count, ""),
};
static const struct sooth_schema pair_schema = {
	.name = "pair", .fixed_size = sizeof(struct count_row), SCHEMA_FIELDS(pair_fields)
};
static const struct sooth_field triple_fields[] = {
	FIELD_STRING(count_row, what, ""),
	FIELD_NUMBER(count_row, count, ""),
	FIELD_PID(count_row),
};
static const struct sooth_schema triple_schema = {
	.name = "triple", .fixed_size = sizeof(struct count_row), SCHEMA_FIELDS(triple_fields)
};

struct outer_row {
	struct sooth_record record;
	struct sooth_text pairs, triples, user, path, command;
};

static const struct sooth_field outer_fields[] = {
	{ .name = "pairs",
		.type = SOOTH_FIELD_ROWS,
		FIELD_AT(outer_row, pairs),
		.rows = &pair_schema,
		.is_keyed = true },
	{ .name = "triples",
		.type = SOOTH_FIELD_ROWS,
		FIELD_AT(outer_row, triples),
		.rows = &triple_schema,
		.is_keyed = true },
	FIELD_STRING(outer_row, user, "", .placeholder = "user"),
	FIELD_STRING(outer_row, path, ""),
	{ .name = "command", .type = SOOTH_FIELD_ARGS, FIELD_AT(outer_row, command) },
};
static const struct sooth_schema outer_schema = {
	.name = "outer", .fixed_size = sizeof(struct outer_row), SCHEMA_FIELDS(outer_fields)
};

static void add_count(struct buffer *out, const char *what, uint64_t count)
{
	struct count_row row = { .record = { .pid = 7 }, .count = count };
	struct record_tail tail[] = { { &row.what, what, strlen(what) } };

	RECORD_APPEND(out, &row, tail, 1);
}

/* The record that a sentence of a row is made of: a name is a whole only there. */
static void show_recorded(struct output *o)
{
	static const char command[] = "bash\0/x/our, merger (2).sh";
	struct buffer recorded = { 0 };
	struct outer_row row = { .record = { 0 } };
	struct record_tail tail[] = { { &row.path, "/t,a/b c", 8 },
		{ &row.command, command, sizeof(command) } };

	RECORD_APPEND(&recorded, &row, tail, ARRAY_SIZE(tail));
	output_show_record(o, &outer_schema, (const void *)recorded.data);
	output_show_record(o, NULL, (const void *)recorded.data);
	buffer_fini(&recorded);
}

static void emit_outer(struct sheet *s)
{
	static const struct section section = {
		.name = "outer", .schema = &outer_schema, .shape = SECTION_OBJECT
	};
	struct outer_row row = { .record = { 0 } };
	struct buffer counts = { 0 };

	add_count(&counts, "of zoe", 3);
	add_count(&counts, "\"b\"", 4);
	add_count(&counts, "MainThread our, merger (2).sh (7) waits for /t,a/b c, in read", 5);
	struct record_tail tail[] = {
		{ &row.pairs, counts.data, counts.size },
		{ &row.triples, counts.data, counts.size },
		{ &row.user, "zoe", 3 },
		{ &row.path, "/home/zoe/x", 11 },
		{ &row.command, "x\0-u\0zoe", 9 },
	};
	assert_int_equal(output_begin(s->output, &(struct report_head){ "test", 1 }, &s->err), 0);
	show_recorded(s->output);
	assert_int_equal(output_section(s->output, &section, &s->err), 0);
	assert_int_equal(OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), &s->err), 0);
	buffer_fini(&counts);
}

static void check_outer(const char *format, const char *wanted)
{
	struct sheet s;
	const char *text;

	sheet_open(&s, format, NULL, 0);
	emit_outer(&s);
	text = sheet_close(&s);
	assert_true(json_check(text, strlen(text), 1));
	assert_non_null(strstr(text, wanted));
	sheet_free(&s);
}

static void test_keyed_rows(void **state)
{
	(void)state;
	check_outer("json",
		"\"pairs\": {\n      \"of zoe\": 3,\n      \"\\\"b\\\"\": 4,\n      "
		"\"MainThread our, merger (2).sh (7) waits for /t,a/b c, in read\": 5\n    }");
	check_outer("json", "\"of zoe\": {\n        \"count\": 3,\n        \"pid\": 7\n      }");
	check_outer("json", "\"path\": \"/home/zoe/x\"");
}

/* The redaction of one field holds in all of the report, also in what came before it. */
static void test_redacted(void **state)
{
	(void)state;
	check_outer("redacted", "\"of user-1\": 3");
	check_outer("redacted", "\"user\": \"user-1\"");
	check_outer("redacted", "\"MainThread script-1 (7) waits for /path-1/path-2, in read\": 5");
	check_outer("redacted", "\"path\": \"~user-1/path-3\"");
	check_outer("redacted", "\"command\": \"x *** ***\"");
}

/* Big-endian, behind the signature and the head of IHDR. */
static unsigned png_side(const struct text *png, size_t at)
{
	const unsigned char *bytes = (const unsigned char *)png->data + at;

	return (unsigned)bytes[0] << 24 | (unsigned)bytes[1] << 16 | (unsigned)bytes[2] << 8 |
	       bytes[3];
}

static void check_raster(struct raster *r, unsigned height, unsigned wide, unsigned high)
{
	struct sooth_error err = { 0 };
	struct text png = { 0 };
	char svg[160];
	int size = snprintf(svg, sizeof(svg),
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1200 %u\"><path "
		"d=\"M0 0H9V9Z\"/></svg>",
		height);

	text_open(&png);
	assert_int_equal(raster_png(r, svg, (size_t)size, png.stream, &err), 0);
	text_close(&png);
	assert_true(png.size > 24);
	assert_int_equal(png_side(&png, 16), wide);
	assert_int_equal(png_side(&png, 20), high);
	text_free(&png);
}

/* Twice the size while that is quick, its own of many lanes, and less where it would be too much.
 */
static void test_raster_sizes(void **state)
{
	struct sooth_error err = { 0 };
	struct raster *r;

	(void)state;
	if (raster_new(&r, &err))
		skip(); /* librsvg is not installed */
	check_raster(r, 500, 2400, 1000);
	check_raster(r, 3300, 2400, 6600);
	check_raster(r, 3400, 1200, 3400);
	check_raster(r, 30000, 1080, 27000);
	raster_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_jsonl),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_keyed),
		cmocka_unit_test(test_bounds_for_people),
		cmocka_unit_test(test_long_table),
		cmocka_unit_test(test_rows_alone),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_not_measured),
		cmocka_unit_test(test_odd_numbers),
		cmocka_unit_test(test_hostile_texts),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_width_in_another_locale),
		cmocka_unit_test(test_named_columns),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_csv_asides),
		cmocka_unit_test(test_keyed_rows),
		cmocka_unit_test(test_redacted),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_raster_sizes),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_full_disk_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
