/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of probes in earlier versions: a user and an old capture may still have them. */
#include "shown.h"

#include "explain/merge.h"
#include "model/probe.h"
#include "model/stream_records.h"

static const struct {
	const char *old, *now;
} names[] = { { "ends", "exit_reasons" }, { "exits", "short_lived" } };

static void add_source(const char *probe)
{
	struct stream_source source = { .record = { .time_ns = 1, .kind = STREAM_SOURCE },
		.source = 3,
		.others_state = SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { { &source.probe, probe, strlen(probe) },
		{ &source.backend, "bpf", 3 }, { &source.fallback_reason, "refused", 7 } };

	RECORD_APPEND(&records, &source, tail, 3);
}

static void add_loss(const char *source)
{
	struct stream_loss loss = { .record = { .time_ns = 2, .kind = STREAM_LOSS }, .records = 7 };
	struct record_tail tail[] = { { &loss.source, source, strlen(source) },
		{ &loss.reason, "no room", 7 } };

	RECORD_APPEND(&records, &loss, tail, 2);
}

static void assert_text(
	const struct sooth_record *r, const struct sooth_text *text, const char *expected)
{
	assert_int_equal(text->size, strlen(expected));
	assert_memory_equal((const char *)r + text->offset, expected, text->size);
}

static void assert_source(const struct stream_source *source, const char *probe)
{
	assert_int_equal(source->source, 3);
	assert_text(&source->record, &source->probe, probe);
	assert_text(&source->record, &source->backend, "bpf");
	assert_text(&source->record, &source->fallback_reason, "refused");
}

static void assert_loss(const struct stream_loss *loss, const char *source)
{
	assert_int_equal(loss->records, 7);
	assert_text(&loss->record, &loss->source, source);
	assert_text(&loss->record, &loss->reason, "no room");
}

static void test_user(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct probe *probe = registry_probe(names[i].now);

		assert_non_null(probe);
		assert_string_equal(probe->name, names[i].now);
		assert_ptr_equal(registry_probe(names[i].old), probe);
	}
}

static void test_records(void **state)
{
	struct buffer renamed = { 0 };
	struct batch batch;
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		add_source(names[i].old);
		add_loss(names[i].old);
	}
	batch = old_names_replace(&renamed, &(struct batch){ records.data, records.size });
	batch_for_each (record, &batch) {
		assert_true(at < 2 * ARRAY_SIZE(names));
		if (record->kind == STREAM_SOURCE)
			assert_source((const void *)record, names[at / 2].now);
		else
			assert_loss((const void *)record, names[at / 2].now);
		at++;
	}
	assert_int_equal(at, 2 * ARRAY_SIZE(names));
	buffer_fini(&renamed);
}

static void test_current_names(void **state)
{
	struct buffer renamed = { 0 };
	struct batch batch;

	(void)state;
	add_source("proc");
	add_source("exit_reasons");
	add_loss("a capture file");
	batch = old_names_replace(&renamed, &(struct batch){ records.data, records.size });
	assert_ptr_equal(batch.data, records.data);
	assert_int_equal(batch.size, records.size);
	buffer_fini(&renamed);
}

/* Earlier versions did not record what a source costs others. */
static void test_unpriced(void **state)
{
	struct buffer renamed = { 0 };
	struct stream_source *source;
	struct batch batch;

	(void)state;
	add_source("proc");
	source = (struct stream_source *)(void *)records.data;
	source->others_state = 0;
	add_loss("a capture file");
	batch = old_names_replace(&renamed, &(struct batch){ records.data, records.size });
	assert_int_equal(batch.size, records.size);
	assert_source((const void *)batch.data, "proc");
	assert_int_equal(((const struct stream_source *)(const void *)batch.data)->others_state,
		SOOTH_STATE_ABSENT);
	buffer_fini(&renamed);
}

/* In a damaged capture a text may be outside of its record. */
static void test_damaged(void **state)
{
	struct buffer renamed = { 0 };
	struct batch batch;

	(void)state;
	add_source("ends");
	((struct stream_source *)(void *)records.data)->probe.offset = UINT32_MAX - 2;
	batch = old_names_replace(&renamed, &(struct batch){ records.data, records.size });
	assert_ptr_equal(batch.data, records.data);
	buffer_fini(&renamed);
}

/* The views of the probe are those of its new name, and its source is shown with that. */
static void test_report(void **state)
{
	struct sooth_sink_options sink = { .size = sizeof(sink) };
	struct sooth_report *r;
	struct sooth_error err;
	struct block block;

	(void)state;
	add_source("ends");
	add_loss("exits");
	block = block_of(&records, BLOCK_RECORDS, 0);
	text_open(&shown);
	sink.stream = shown.stream;
	assert_int_equal(sooth_report_new(&r, "report", &err), 0);
	sooth_report_add_default_views(r);
	assert_int_equal(sooth_report_add_sink(r, "json", &sink, &err), 0);
	assert_int_equal(report_block(r, &block, &err), 0);
	assert_int_equal(sooth_report_finish(r, &err), 0);
	assert_true(report_has_probe(r, "exit_reasons"));
	sooth_report_free(r);
	text_close(&shown);
	assert_non_null(strstr(shown.data, "\"ends\": ["));
	assert_non_null(strstr(shown.data, "\"exit_reasons\""));
	assert_non_null(strstr(shown.data, "\"short_lived\""));
	assert_null(strstr(shown.data, "\"exits\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_user), TEST(test_records),
		TEST(test_current_names), TEST(test_unpriced), TEST(test_damaged),
		TEST(test_report) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
