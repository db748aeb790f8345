/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is a capture, as anybody may hand one over, or the records of one:
 * it is read in two ways of cutting it into pieces, and explained by all default
 * views, and judged, in every format. The two must say the same, and JSON must be JSON.
 * What judges in other words does so once, as JSON.
 */
#include <string.h>

#include "../unit/json_check.h"
#include "explain/registry.h"
#include "explain/report.h"
#include "fuzz.h"

struct explained {
	char *text;
	size_t size;
};

static void feed(struct sooth_report *r, const uint8_t *data, size_t size, size_t piece)
{
	struct sooth_error err;

	for (size_t at = 0; at < size; at += piece)
		CHECK(!sooth_report_feed(
			r, data + at, piece < size - at ? piece : size - at, &err));
}

/* NULL: by the default views and the stream of calls. */
static void add_views(struct sooth_report *r, const char *view)
{
	struct sooth_error err;

	CHECK(!sooth_report_add_view(r, view ? view : "syscall-stream", NULL, &err));
	if (!view)
		sooth_report_add_default_views(r);
}

/* A picture may be refused: there may be nothing to draw. */
static struct explained explain(
	const char *format, const char *view, const uint8_t *data, size_t size, size_t piece)
{
	struct sooth_sink_options options = { .size = sizeof(options) };
	struct explained e = { NULL, 0 };
	struct sooth_error err = { 0 };
	struct sooth_report *r;

	options.stream = open_memstream(&e.text, &e.size);
	CHECK(options.stream);
	CHECK(!sooth_report_new(&r, "report", &err));
	CHECK(!sooth_report_add_sink(r, format, &options, &err));
	add_views(r, view);
	feed(r, data, size, piece);
	CHECK(!sooth_report_finish(r, &err) || err.fault == SOOTH_FAULT_USAGE);
	sooth_report_free(r);
	fclose(options.stream);
	return e;
}

static void explain_as(const char *format, const char *view, const uint8_t *data, size_t size)
{
	struct explained whole = explain(format, view, data, size, size ? size : 1);
	struct explained pieces = explain(format, view, data, size, 61);

	CHECK(whole.size == pieces.size && !memcmp(whole.text, pieces.text, whole.size));
	if (!strcmp(format, "json"))
		CHECK(json_check(whole.text, whole.size, 1));
	free(whole.text);
	free(pieces.text);
}

static void explain_all(const uint8_t *data, size_t size)
{
	static const char *const others[] = { "overview", "bundle", "finding-changes" };

	for (size_t i = 0; registry_sinks[i]; i++) {
		explain_as(registry_sinks[i]->name, NULL, data, size);
		explain_as(registry_sinks[i]->name, "findings", data, size);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		explain_as("json", others[i], data, size);
}

/* Checksums stop nearly every made input: so records, when that is what it is, get good ones. */
static void explain_records(const uint8_t *data, size_t size)
{
	struct buffer records = { 0 }, capture = { 0 };
	struct block_encoder encoder = { 0 };
	struct block block = { .header = { .type = BLOCK_RECORDS } };

	buffer_append(&records, data, size);
	block.batch = (struct batch){ records.data, records.size };
	if (size && batch_check(&block.batch) > 0) {
		block_describe(&block);
		CHECK(!block_encode(&encoder, &capture, &block, CODEC_NONE, NULL));
		explain_all(capture.data, capture.size);
	}
	buffer_fini(&records);
	buffer_fini(&capture);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	explain_all(data, size);
	explain_records(data, size);
	return 0;
}
