/* SPDX-License-Identifier: BSD-2-Clause */
/* Records in, texts out: what tests of views share. A program of tests has one set of both. */
#ifndef SOOTH_TESTS_SHOWN_H
#define SOOTH_TESTS_SHOWN_H

#include "support.h"

#include "explain/report.h"
#include "json_check.h"

static struct buffer records;
static struct text shown;
static struct text beside; /* of a second report of the same records */

static inline int setup(void **state)
{
	(void)state;
	buffer_reset(&records);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	buffer_fini(&records);
	text_free(&shown);
	text_free(&beside);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A report with one view, told in a text that is open until text_close(). */
static inline struct sooth_report *report_into(struct text *text, const char *name,
	const char *view, const void *options, const char *format)
{
	struct sooth_sink_options sink = { .size = sizeof(sink) };
	struct sooth_report *r;
	struct sooth_error err;

	text_free(text);
	text_open(text);
	sink.stream = text->stream;
	assert_int_equal(sooth_report_new(&r, name, &err), 0);
	assert_int_equal(sooth_report_add_view(r, view, options, &err), 0);
	assert_int_equal(sooth_report_add_sink(r, format, &sink, &err), 0);
	return r;
}

static inline const char *show_report(struct sooth_report *r, const char *format)
{
	struct block block = block_of(&records, BLOCK_RECORDS, 0);
	struct sooth_error err;

	assert_int_equal(report_block(r, &block, &err), 0);
	assert_int_equal(sooth_report_finish(r, &err), 0);
	sooth_report_free(r);
	text_close(&shown);
	if (!strcmp(format, "json"))
		assert_true(json_check(shown.data, shown.size, 1));
	return shown.data;
}

/* The output of a view for the records, in `shown`. */
static inline const char *show_view(
	const char *name, const char *view, const void *options, const char *format)
{
	return show_report(report_into(&shown, name, view, options, format), format);
}

/* As text with -v. */
static inline const char *show_verbose(const char *name, const char *view)
{
	struct sooth_sink_options sink = { .size = sizeof(sink), .is_verbose = true };
	struct sooth_report *r;
	struct sooth_error err;

	text_free(&shown);
	text_open(&shown);
	sink.stream = shown.stream;
	assert_int_equal(sooth_report_new(&r, name, &err), 0);
	assert_int_equal(sooth_report_add_view(r, view, NULL, &err), 0);
	assert_int_equal(sooth_report_add_sink(r, "text", &sink, &err), 0);
	return show_report(r, "text");
}

#endif
