/* SPDX-License-Identifier: BSD-2-Clause */
/* The notes at the end of every report: what is merged, what is bounded, what is added. */
#include "support.h"

#include "explain/registry.h"
#include "explain/summary.h"
#include "json_check.h"

struct scene {
	struct summary summary;
	struct buffer record;
	struct text text;
};

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	if (s)
		s->summary.is_observation = true;
	*state = s;
	return !s;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	summary_fini(&s->summary);
	buffer_fini(&s->record);
	text_free(&s->text);
	free(s);
	return 0;
}

static void take(struct scene *s)
{
	summary_add_record(&s->summary, (const void *)s->record.data);
	buffer_reset(&s->record);
}

static void lose(struct scene *s, uint64_t records, const char *source, const char *reason)
{
	struct stream_loss loss = {
		.record = { .kind = STREAM_LOSS }, .records = records, .bytes = records * 2
	};
	struct record_tail tail[] = { { &loss.source, source, strlen(source) },
		{ &loss.reason, reason, strlen(reason) } };

	RECORD_APPEND(&s->record, &loss, tail, 2);
	take(s);
}

static void limit(struct scene *s, const char *what)
{
	add_limit_note(&s->record, 5, what);
	take(s);
}

static void source(struct scene *s, uint32_t number, const char *probe)
{
	struct stream_source r = { .record = { .kind = STREAM_SOURCE }, .source = number };
	struct record_tail tail[] = { { &r.probe, probe, strlen(probe) }, { &r.backend, "b", 1 } };

	RECORD_APPEND(&s->record, &r, tail, 2);
	take(s);
}

static void plain(struct scene *s, uint16_t kind, uint64_t time_ns)
{
	struct sooth_record r = { .kind = kind, .time_ns = time_ns };

	record_append(&s->record, &r, sizeof(r), NULL, 0);
	take(s);
}

static const char *told(struct scene *s)
{
	struct sink_options options = { 0 };
	struct output *output;

	text_open(&s->text);
	options.stream = s->text.stream;
	assert_int_equal(output_new(&output, NULL), 0);
	assert_int_equal(output_add_sink(output, registry_sink("json"), &options, NULL), 0);
	assert_int_equal(output_begin(output, &(struct report_head){ "t", 1 }, NULL), 0);
	assert_int_equal(summary_emit(&s->summary, output, NULL), 0);
	assert_int_equal(output_end(output, NULL), 0);
	output_free(output);
	text_close(&s->text);
	assert_true(json_check(s->text.data, s->text.size, 1));
	return s->text.data;
}

static unsigned occurrences(const char *text, const char *part)
{
	unsigned count = 0;

	while ((text = strstr(text, part))) {
		text++;
		count++;
	}
	return count;
}

static void test_losses_add_up(void **state)
{
	struct scene *s = *state;
	const char *json;

	lose(s, 3, "syscalls", "full");
	lose(s, 4, "syscalls", "full");
	lose(s, 5, "syscalls", "other");
	lose(s, 6, "proc", "full");
	json = told(s);
	assert_int_equal(occurrences(json, "\"reason\""), 3);
	assert_true(has(json, "\"records\": 7,\n      \"bytes\": 14"));
}

static void test_notes_once(void **state)
{
	struct scene *s = *state;
	const char *json;

	for (int i = 0; i < 3; i++) {
		limit(s, "heap");
		limit(s, "pages");
		source(s, 1, "proc");
		source(s, 2, "syscalls");
	}
	json = told(s);
	assert_int_equal(occurrences(json, "\"what\""), 2);
	assert_int_equal(occurrences(json, "\"method\""), 2);
}

static void test_bound(void **state)
{
	struct scene *s = *state;
	char what[32];
	const char *json;

	for (int i = 0; i < SUMMARY_NOTES_MAX + 50; i++) {
		snprintf(what, sizeof(what), "thing %d", i);
		limit(s, what);
	}
	limit(s, "thing 3"); /* known, so not refused */
	assert_int_equal(s->summary.notes_refused, 50);
	for (uint32_t i = 0; i < SUMMARY_NOTES_MAX + 10; i++)
		source(s, i, "proc");
	assert_int_equal(s->summary.notes_refused, 60);
	summary_losses(&s->summary, NULL, 0);
	json = told(s);
	assert_true(occurrences(json, "\"what\"") <= SUMMARY_NOTES_MAX + 1);
	assert_true(has(json, "thing 255"));
}

static void test_interval(void **state)
{
	struct scene *s = *state;
	struct stream_end end = { .record = { .kind = STREAM_END, .time_ns = 900 },
		.reason = STREAM_END_TARGET,
		.child_status = 256 };
	const char *json;

	plain(s, STREAM_SEGMENT, 50);
	plain(s, STREAM_BEGIN, 100);
	plain(s, STREAM_TICK, 950);
	RECORD_APPEND(&s->record, &end, NULL, 0);
	take(s);
	summary_losses(&s->summary, NULL, 0);
	json = told(s);
	assert_true(has(json, "\"interval_ns\": 800,\n  \"end_reason\": \"target ended\""));
	assert_true(has(json, "\"limits\": []"));
	assert_true(has(json, "\"loss\": []"));
	assert_true(has(json, "\"self\": null"));
	assert_true(has(json, "\"target\": null"));
	assert_int_equal(s->summary.child_status, 256);
}

static void test_cut(void **state)
{
	struct scene *s = *state;
	struct block_reader reader = { .damaged_records = 5, .damaged_bytes = 60, .cut_bytes = 7 };
	const char *json;

	plain(s, STREAM_SEGMENT, 50);
	plain(s, STREAM_BEGIN, 100);
	plain(s, STREAM_TICK, 950);
	s->summary.unknown_records = 3;
	summary_losses(&s->summary, &reader, 9);
	json = told(s);
	assert_true(has(json, "\"interval_ns\": 850,\n  \"end_reason\": \"cut\""));
	assert_true(has(json, "\"records\": 5"));
	assert_true(has(json, "\"bytes\": 60"));
	assert_true(has(json, "\"bytes\": 7"));
	assert_true(has(json, "the capture is cut off before the end"));
	assert_true(has(json, "arrived late"));
	assert_true(has(json, "unknown to this version"));
}

/* Shorter than this version's: nothing is read beyond its end. */
static void test_short_records(void **state)
{
	static const uint16_t kinds[] = { STREAM_SEGMENT, STREAM_SOURCE, STREAM_TARGET,
		STREAM_BEGIN, STREAM_END, STREAM_LOSS, STREAM_LIMIT, STREAM_SELF };
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		/* Alone in its memory, so that a sanitizer sees a step beyond it. */
		struct sooth_record *r = malloc(sizeof(*r));

		*r = (struct sooth_record){ .kind = kinds[i], .words = 4, .fixed_words = 4 };
		summary_add_record(&s->summary, r);
		free(r);
	}
	summary_losses(&s->summary, NULL, 0);
	told(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_losses_add_up),
		TEST(test_notes_once),
		TEST(test_bound),
		TEST(test_interval),
		TEST(test_cut),
		TEST(test_short_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
