/* SPDX-License-Identifier: BSD-2-Clause */
/* One report to several sinks: every sink hears the same, in order, and each section ends. */
#include "support.h"

#include <errno.h>

#include "explain/output.h"

struct diary {
	struct buffer text;
	const char *fail_at; /* the call that fails */
	int opened, closed;
	const char *if_empty; /* of the section that ended last */
};

struct diary_state {
	struct diary *diary;
};

static int note(struct diary *d, const char *what, const char *name)
{
	buffer_format(&d->text, "%s(%s) ", what, name);
	return d->fail_at && !strcmp(d->fail_at, what) ? -EIO : 0;
}

static int diary_open(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct diary_state *s = state;

	(void)err;
	s->diary = (struct diary *)(void *)options->stream; /* whatever the caller lends */
	s->diary->opened++;
	return s->diary->fail_at && !strcmp(s->diary->fail_at, "open") ? -EIO : 0;
}

static int diary_begin(void *state, const struct report_head *head, struct sooth_error *err)
{
	struct diary_state *s = state;

	(void)err;
	return note(s->diary, "begin", head->name);
}

static int diary_section(void *state, const struct section *section, struct sooth_error *err)
{
	struct diary_state *s = state;

	(void)err;
	return note(s->diary, "section", section->name);
}

static int diary_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct diary_state *s = state;
	char count[32];

	(void)section;
	(void)err;
	snprintf(count, sizeof(count), "%ld", batch_check(batch));
	return note(s->diary, "rows", count);
}

static int diary_section_end(void *state, const struct section *section, struct sooth_error *err)
{
	struct diary_state *s = state;

	(void)err;
	s->diary->if_empty = section->if_empty;
	return note(s->diary, "end", section->name);
}

static int diary_end(void *state, struct sooth_error *err)
{
	struct diary_state *s = state;

	(void)err;
	return note(s->diary, "finish", "");
}

static void diary_close(void *state)
{
	struct diary_state *s = state;

	s->diary->closed++;
}

static const struct sink_type diary_sink = {
	.name = "diary",
	.help = "",
	.state_size = sizeof(struct diary_state),
	.open = diary_open,
	.begin = diary_begin,
	.section = diary_section,
	.rows = diary_rows,
	.section_end = diary_section_end,
	.end = diary_end,
	.close = diary_close,
};

static const struct sooth_schema schema = {
	.name = "row", .kind = 0x7f00, .fixed_size = sizeof(struct stream_tick)
};
static const struct section first = { .name = "first", .schema = &schema, .shape = SECTION_TABLE };
static const struct section second = {
	.name = "second", .schema = &schema, .shape = SECTION_TABLE
};

static int add_diary(struct output *o, struct diary *d)
{
	struct sink_options options = { .stream = (FILE *)(void *)d };

	return output_add_sink(o, &diary_sink, &options, NULL);
}

static int add_row(struct output *o)
{
	struct stream_tick row = { 0 };
	int status = OUTPUT_ROW(o, &row, NULL, 0, NULL);

	assert_int_equal(row.record.kind, schema.kind);
	return status;
}

static int play(struct output *o)
{
	int status = output_begin(o, &(struct report_head){ "test", 1 }, NULL);

	if (!status)
		status = output_section(o, &first, NULL);
	for (int i = 0; i < 3 && !status; i++)
		status = add_row(o);
	if (!status)
		status = output_flush(o, NULL);
	if (!status)
		status = output_flush(o, NULL); /* nothing waits: nothing is said */
	if (!status)
		status = output_section(o, &second, NULL);
	if (!status)
		status = add_row(o);
	if (!status)
		status = output_close_section(o, NULL);
	if (!status)
		status = output_close_section(o, NULL);
	return status ? status : output_end(o, NULL);
}

#define STORY                                                                                      \
	"begin(test) section(first) rows(3) end(first) section(second) rows(1) end(second) "       \
	"finish() "

static void test_all_hear_the_same(void **state)
{
	struct diary diaries[OUTPUT_SINKS_MAX] = { 0 };
	struct output *o;

	(void)state;
	assert_int_equal(output_new(&o, NULL), 0);
	for (size_t i = 0; i < OUTPUT_SINKS_MAX; i++)
		assert_int_equal(add_diary(o, &diaries[i]), 0);
	assert_int_equal(add_diary(o, &diaries[0]), -E2BIG);
	assert_int_equal(play(o), 0);
	output_free(o);
	for (size_t i = 0; i < OUTPUT_SINKS_MAX; i++) {
		assert_string_equal(buffer_cstr(&diaries[i].text), STORY);
		assert_int_equal(diaries[i].opened, 1);
		assert_int_equal(diaries[i].closed, 1);
		buffer_fini(&diaries[i].text);
	}
}

/* Whatever sink fails wherever, the error comes through and all are closed. */
static void test_failures(void **state)
{
	static const char *const calls[] = { "begin", "section", "rows", "end", "finish" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct diary diaries[2] = { { .fail_at = NULL }, { .fail_at = calls[i] } };
		struct output *o;

		assert_int_equal(output_new(&o, NULL), 0);
		for (int k = 0; k < 2; k++)
			assert_int_equal(add_diary(o, &diaries[k]), 0);
		assert_int_equal(play(o), -EIO);
		output_free(o);
		for (int k = 0; k < 2; k++) {
			assert_int_equal(diaries[k].closed, 1);
			buffer_fini(&diaries[k].text);
		}
	}
}

static void test_sink_that_does_not_open(void **state)
{
	struct diary d = { .fail_at = "open" };
	struct output *o;

	(void)state;
	assert_int_equal(output_new(&o, NULL), 0);
	assert_int_equal(add_diary(o, &d), -EIO);
	d.fail_at = NULL;
	assert_int_equal(add_diary(o, &d), 0);
	output_free(o);
	assert_int_equal(d.closed, 1); /* only the one that was open */
	output_free(NULL);
}

/* Many rows go on by themselves, so memory is bounded. */
static void test_batches(void **state)
{
	struct diary d = { 0 };
	struct output *o;

	(void)state;
	assert_int_equal(output_new(&o, NULL), 0);
	assert_int_equal(add_diary(o, &d), 0);
	assert_int_equal(output_section(o, &first, NULL), 0);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(add_row(o), 0);
	assert_true(has(buffer_cstr(&d.text), "rows("));
	output_free(o);
	buffer_fini(&d.text);
}

/* Rows that wait come first; who writes tables does not hear of it; a filter is about the others.
 */
static void test_asides(void **state)
{
	struct sink_type lines_sink = diary_sink;
	struct diary table = { 0 }, lines = { 0 };
	struct sink_options options = { .stream = (FILE *)(void *)&lines };
	struct sooth_error err;
	struct stream_tick row = { 0 };
	struct output *o;

	(void)state;
	lines_sink.takes_asides = true;
	for (int has_filter = 0; has_filter < 2; has_filter++) {
		assert_int_equal(output_new(&o, NULL), 0);
		assert_int_equal(add_diary(o, &table), 0);
		assert_int_equal(output_add_sink(o, &lines_sink, &options, NULL), 0);
		if (has_filter)
			assert_int_equal(output_filter(o, "none = 1", &err), 0);
		assert_int_equal(output_section(o, &first, NULL), 0);
		assert_int_equal(add_row(o), 0);
		assert_int_equal(add_row(o), 0);
		assert_int_equal(OUTPUT_INTERLEAVED(o, &second, &row, NULL, 0, &err), 0);
		assert_int_equal(add_row(o), 0);
		assert_int_equal(output_close_section(o, NULL), 0);
		output_free(o);
		assert_string_equal(buffer_cstr(&table.text),
			has_filter ? "section(first) rows(3) end(first) "
				   : "section(first) rows(2) rows(1) end(first) ");
		assert_string_equal(buffer_cstr(&lines.text),
			has_filter ? "section(first) rows(3) end(first) "
				   : "section(first) rows(2) rows(1) rows(1) end(first) ");
		buffer_reset(&table.text);
		buffer_reset(&lines.text);
	}
	buffer_fini(&table.text);
	buffer_fini(&lines.text);
}

/* The text of a section without rows is not true of one whose rows were filtered away. */
static void test_filtered_away(void **state)
{
	static const struct sooth_field fields[] = {
		{ .name = "id",
			.type = SOOTH_FIELD_UNSIGNED,
			.offset = offsetof(struct stream_tick, record.pid),
			.size = sizeof(uint32_t) },
	};
	static const struct sooth_schema with_id = { .name = "row",
		.kind = 0x7f00,
		.fixed_size = sizeof(struct stream_tick),
		.fields = fields,
		.field_count = 1 };
	static const struct section empty = { .name = "empty",
		.schema = &with_id,
		.shape = SECTION_TABLE,
		.if_empty = "none is there" };
	static const char *const said[] = { "none is there", "no row matches the filter",
		"none is there" };
	struct diary d = { 0 };
	struct output *o;

	(void)state;
	assert_int_equal(output_new(&o, NULL), 0);
	assert_int_equal(add_diary(o, &d), 0);
	assert_int_equal(output_filter(o, "id = 1", NULL), 0);
	/* None; one that is not wanted; both. */
	for (unsigned rows = 0; rows < 3; rows++) {
		assert_int_equal(output_section(o, &empty, NULL), 0);
		for (unsigned i = 0; i < rows; i++) {
			struct stream_tick row = { .record.pid = i };

			assert_int_equal(OUTPUT_ROW(o, &row, NULL, 0, NULL), 0);
		}
		assert_int_equal(output_close_section(o, NULL), 0);
		assert_string_equal(d.if_empty, said[rows]);
	}
	output_free(o);
	buffer_fini(&d.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asides),
		cmocka_unit_test(test_filtered_away),
		cmocka_unit_test(test_all_hear_the_same),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_sink_that_does_not_open),
		cmocka_unit_test(test_batches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
