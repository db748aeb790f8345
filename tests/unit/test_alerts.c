/* SPDX-License-Identifier: BSD-2-Clause */
/* Thresholds: told once when passed and once when it is over, whatever happens in between. */
#include "support.h"

#include "analyze/processes/process_rows.h"
#include "base/units.h"
#include "cli/watch/alerts.h"
#include "core/output.h"

static struct alerts alerts;
static struct buffer told;

/* The screen of this test. */
void screen_emit(struct screen *s, const char *text)
{
	(void)s;
	buffer_format(&told, "%s\n", text);
}

struct row {
	uint32_t pid;
	uint64_t start;
	double cpu; /* negative: not measured */
	uint64_t rss;
};

static void frame(const struct row *rows, size_t count)
{
	static const struct section section = {
		.name = "processes", .schema = &process_row_schema, .shape = SECTION_TABLE
	};
	struct report_head head = { "ps", 1 };
	struct sooth_error err;
	struct output *o;

	assert_int_equal(output_new(&o, &err), 0);
	assert_int_equal(
		output_add_sink(o, &alert_sink, &(struct sink_options){ .user = &alerts }, &err),
		0);
	assert_int_equal(output_begin(o, &head, &err), 0);
	assert_int_equal(output_section(o, &section, &err), 0);
	for (size_t i = 0; i < count; i++) {
		struct process_row row = { .record = { .start_ticks = rows[i].start,
						   .pid = rows[i].pid },
			.cpu_percent = rows[i].cpu,
			.cpu_state = rows[i].cpu < 0 ? SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL)
						     : SOOTH_STATE_VALUE,
			.rss_bytes = rows[i].rss };
		struct record_tail tail[] = { { &row.name, "a\033b", 3 } };

		assert_int_equal(OUTPUT_ROW(o, &row, tail, 1, &err), 0);
	}
	assert_int_equal(output_end(o, &err), 0);
	output_free(o);
}

/* What one frame makes it say. */
#define SAYS(...)                                                                                  \
	({                                                                                         \
		const struct row rows_[] = { __VA_ARGS__ };                                        \
		buffer_reset(&told);                                                               \
		frame(rows_, sizeof(rows_) / sizeof(rows_[0]));                                    \
		buffer_cstr(&told);                                                                \
	})

static void begin(double cpu, uint64_t rss)
{
	alerts_init(&alerts, &(struct alert_options){ .cpu_percent = cpu, .rss_bytes = rss });
	alerts.screen = (void *)&alerts;
}

static int end(void **state)
{
	(void)state;
	alerts_fini(&alerts);
	buffer_fini(&told);
	return 0;
}

static void once_and_once(void **state)
{
	(void)state;
	begin(50, 0);
	assert_string_equal(SAYS({ 7, 1, 49.9, 0 }), "");
	assert_true(has(SAYS({ 7, 1, 51, 0 }), "process 7"));
	assert_string_equal(SAYS({ 7, 1, 99, 0 }), "");
	assert_string_equal(SAYS({ 7, 1, 50, 0 }), "");
	/* About the threshold is not below it. */
	assert_string_equal(SAYS({ 7, 1, 49, 0 }), "");
	assert_string_equal(SAYS({ 7, 1, 51, 0 }), "");
	assert_true(has(SAYS({ 7, 1, 44, 0 }), "back below the threshold"));
	assert_string_equal(SAYS({ 7, 1, 1, 0 }), "");
	assert_true(has(SAYS({ 7, 1, 51, 0 }), "uses 51.0 % CPU, threshold 50.0 %"));
}

static void not_measured_is_neither(void **state)
{
	(void)state;
	begin(50, 0);
	assert_string_equal(SAYS({ 7, 1, -1, 0 }), "");
	assert_true(*SAYS({ 7, 1, 80, 0 }));
	assert_string_equal(SAYS({ 7, 1, -1, 0 }), "");
	assert_true(has(SAYS({ 7, 1, 1, 0 }), "back below the threshold"));
}

static void both_kinds(void **state)
{
	const char *text;

	(void)state;
	begin(50, 100);
	text = SAYS({ 7, 1, 80, 200 });
	assert_true(has(text, "CPU"));
	assert_true(has(text, "resident"));
	text = SAYS({ 7, 1, 80, 10 });
	assert_false(has(text, "CPU"));
	assert_true(has(text, "back below the threshold"));
}

static void ended(void **state)
{
	(void)state;
	begin(50, 0);
	assert_true(*SAYS({ 7, 1, 80, 0 }));
	assert_true(has(SAYS({ 8, 1, 1, 0 }), "process 7 (a\\x1bb) exited"));
	assert_string_equal(SAYS({ 8, 1, 1, 0 }), "");
	/* Its number is another's: that one is told of by itself. */
	assert_true(*SAYS({ 8, 1, 90, 0 }));
	assert_true(has(SAYS({ 8, 2, 90, 0 }), "exited above"));
	assert_true(has(buffer_cstr(&told), "uses 90.0 %"));
}

static void no_threshold(void **state)
{
	(void)state;
	begin(0, 0);
	assert_string_equal(SAYS({ 7, 1, 1000, UINT64_MAX }), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(once_and_once, end),
		cmocka_unit_test_teardown(not_measured_is_neither, end),
		cmocka_unit_test_teardown(both_kinds, end),
		cmocka_unit_test_teardown(ended, end),
		cmocka_unit_test_teardown(no_threshold, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
