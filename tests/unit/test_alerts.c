/* SPDX-License-Identifier: BSD-2-Clause */
/* Alerts: reported once when raised and once when cleared, whatever happens in between. */
#include "support.h"

#include <errno.h>

#include "analyze/activity/activity_rows.h"
#include "analyze/processes/process_list.h"
#include "base/units.h"
#include "cli/watch/alerts.h"
#include "explain/output.h"

static struct alerts alerts;
static struct buffer told;
static const struct alert_help help = { .events = "end", .remedy = "sooth ps" };

/* The screen of this test. */
static void say(void *said_to, const char *text)
{
	(void)said_to;
	buffer_format(&told, "%s\n", text);
}

struct row {
	uint32_t pid;
	uint64_t start;
	double cpu; /* negative: not measured */
	uint64_t rss;
	int doing; /* enum activity_state of a main process; 0: it is none; negative: unknown */
};

static void add_activity(struct buffer *out, const struct row *r)
{
	struct activity a = { .state = r->doing > 0 ? (enum activity_state)r->doing : 0,
		.unknown_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED) };

	buffer_reset(out);
	if (r->doing)
		activity_append_row(
			out, &(struct process_id){ .start_ticks = r->start, .pid = r->pid }, &a);
}

static void frame(const struct row *rows, size_t count)
{
	static const struct section section = {
		.name = "processes", .schema = &process_row_schema, .shape = SECTION_TABLE
	};
	struct report_head head = { "ps", 1 };
	struct buffer doing = { 0 };
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
		add_activity(&doing, &rows[i]);
		row.doing_state = state_if(rows[i].doing);
		struct record_tail tail[] = { { &row.doing, doing.data, doing.size },
			{ &row.name, "a\033b", 3 } };

		assert_int_equal(OUTPUT_ROW(o, &row, tail, 2, &err), 0);
	}
	buffer_fini(&doing);
	assert_int_equal(output_end(o, &err), 0);
	output_free(o);
}

/* The alerts of one frame. */
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
	alerts.say = say;
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
	assert_string_equal(SAYS({ 7, 1, 49.9, 0, 0 }), "");
	assert_true(has(SAYS({ 7, 1, 51, 0, 0 }), "process 7"));
	assert_string_equal(SAYS({ 7, 1, 99, 0, 0 }), "");
	assert_string_equal(SAYS({ 7, 1, 50, 0, 0 }), "");
	/* About the threshold is not below it. */
	assert_string_equal(SAYS({ 7, 1, 49, 0, 0 }), "");
	assert_string_equal(SAYS({ 7, 1, 51, 0, 0 }), "");
	assert_true(has(SAYS({ 7, 1, 44, 0, 0 }), "back below the threshold"));
	assert_string_equal(SAYS({ 7, 1, 1, 0, 0 }), "");
	assert_true(has(SAYS({ 7, 1, 51, 0, 0 }), "uses 51.0 % CPU, threshold 50.0 %"));
}

static void not_measured_is_neither(void **state)
{
	(void)state;
	begin(50, 0);
	assert_string_equal(SAYS({ 7, 1, -1, 0, 0 }), "");
	assert_true(*SAYS({ 7, 1, 80, 0, 0 }));
	assert_string_equal(SAYS({ 7, 1, -1, 0, 0 }), "");
	assert_true(has(SAYS({ 7, 1, 1, 0, 0 }), "back below the threshold"));
}

static void both_kinds(void **state)
{
	const char *text;

	(void)state;
	begin(50, 100);
	text = SAYS({ 7, 1, 80, 200, 0 });
	assert_true(has(text, "CPU"));
	assert_true(has(text, "resident"));
	text = SAYS({ 7, 1, 80, 10, 0 });
	assert_false(has(text, "CPU"));
	assert_true(has(text, "back below the threshold"));
}

static void ended(void **state)
{
	(void)state;
	begin(50, 0);
	assert_true(*SAYS({ 7, 1, 80, 0, 0 }));
	assert_true(has(SAYS({ 8, 1, 1, 0, 0 }), "process 7 (a\\x1bb) exited"));
	assert_string_equal(SAYS({ 8, 1, 1, 0, 0 }), "");
	/* Its number is another's: that one is told of by itself. */
	assert_true(*SAYS({ 8, 1, 90, 0, 0 }));
	assert_true(has(SAYS({ 8, 2, 90, 0, 0 }), "exited while its "));
	assert_true(has(buffer_cstr(&told), "uses 90.0 %"));
}

static void no_threshold(void **state)
{
	(void)state;
	begin(0, 0);
	assert_string_equal(SAYS({ 7, 1, 1000, UINT64_MAX, 0 }), "");
}

static void begin_on(const char *one, const char *other)
{
	struct option_list list = { { one, other }, other ? 2 : 1 };
	struct alert_options options = { 0 };
	struct sooth_error err;

	assert_int_equal(alert_choose(&options.on, &list, &process_row_schema, &help, &err), 0);
	alerts_init(&alerts, &options);
	alerts.say = say;
}

#define DOING(state)                                                                               \
	{                                                                                          \
		7, 1, 1, 0, ACTIVITY_##state                                                       \
	}

static void activity(void **state)
{
	(void)state;
	begin_on("waits-for-user", NULL);
	assert_string_equal(SAYS(DOING(COMPUTES)), "");
	assert_true(has(SAYS(DOING(WAITS_FOR_USER)), "process 7 (a\\x1bb): "));
	assert_string_equal(SAYS(DOING(WAITS_FOR_USER)), "");
	/* That it is not known for a moment is no change. */
	assert_string_equal(SAYS({ 7, 1, 1, 0, -1 }), "");
	assert_string_equal(SAYS(DOING(WAITS_FOR_USER)), "");
	assert_true(has(SAYS(DOING(RUNS_TOOL)), "now "));
	assert_string_equal(SAYS(DOING(COMPUTES)), "");
	assert_true(*SAYS(DOING(WAITS_FOR_USER)));
	/* Another process without an activity. */
	assert_true(has(SAYS({ 8, 1, 1, 0, 0 }), "process 7 (a\\x1bb): has exited; before: "));
	assert_string_equal(SAYS({ 8, 1, 1, 0, 0 }), "");
}

static void any_activity(void **state)
{
	(void)state;
	begin_on("activity", NULL);
	assert_true(*SAYS(DOING(COMPUTES)));
	assert_string_equal(SAYS(DOING(COMPUTES)), "");
	assert_true(*SAYS(DOING(IDLE)));
}

static void the_end(void **state)
{
	(void)state;
	begin_on("end", NULL);
	assert_string_equal(SAYS(DOING(COMPUTES), { 8, 1, 1, 0, 0 }), "");
	assert_string_equal(SAYS(), "process 7 (a\\x1bb) has exited\n");
	assert_string_equal(SAYS(), "");
}

static void choices(void **state)
{
	struct option_list list = { { "waits_for_model", "finding" }, 2 };
	struct alert_choice on;
	struct sooth_error err;

	(void)state;
	assert_int_equal(alert_choose(&on, &list, &process_row_schema, &help, &err), 0);
	assert_int_equal(on.activities, 1u << ACTIVITY_WAITS_FOR_MODEL);
	assert_true(alert_wants_finding(&on, "cpu-spin", "info"));
	assert_false(on.end);
	list.items[1] = "waits-for";
	assert_int_equal(alert_choose(&on, &list, &process_row_schema, &help, &err), -EINVAL);
	assert_non_null(strstr(err.why, "waits-for-user, waits-for-model"));
	assert_non_null(strstr(err.why, "), end"));
	assert_string_equal(err.remedy, help.remedy);
}

static void chosen_findings(void **state)
{
	struct option_list list = { { "fd-leak", "high" }, 2 };
	struct alert_choice on;
	struct sooth_error err;
	char words[64];

	(void)state;
	assert_int_equal(alert_choose(&on, &list, &process_row_schema, &help, &err), 0);
	assert_true(alert_wants_finding(&on, "fd-leak", "low"));
	assert_false(alert_wants_finding(&on, "cpu-spin", "medium"));
	assert_true(alert_wants_finding(&on, "cpu-spin", "high"));
	assert_true(alert_wants_finding(&on, "cpu-spin", "critical"));
	alert_finding_words(&on, words, sizeof(words));
	assert_string_equal(words, "high,fd-leak");
	list.items[1] = "fd-leek";
	assert_int_equal(alert_choose_findings(&on, &list, &err), -EINVAL);
}

/* Read by the owner of the alerts itself. */
static void a_finding(void **state)
{
	struct alert_finding f = { .pid = 7,
		.start_ticks = 1,
		.id = "fd-leak",
		.severity = "low",
		.claim = "leaks \033",
		.remedy = "",
		.key = "fd-leak:7@1",
		.is_raised = true };

	(void)state;
	begin_on("medium", NULL);
	assert_false(alert_on_finding(&alerts, &f));
	f.severity = "medium";
	buffer_reset(&told);
	assert_true(alert_on_finding(&alerts, &f));
	assert_string_equal(buffer_cstr(&told), "process 7 (): fd-leak: leaks \\x1b\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(once_and_once, end),
		cmocka_unit_test_teardown(not_measured_is_neither, end),
		cmocka_unit_test_teardown(both_kinds, end),
		cmocka_unit_test_teardown(ended, end),
		cmocka_unit_test_teardown(no_threshold, end),
		cmocka_unit_test_teardown(activity, end),
		cmocka_unit_test_teardown(any_activity, end),
		cmocka_unit_test_teardown(the_end, end),
		cmocka_unit_test(choices),
		cmocka_unit_test(chosen_findings),
		cmocka_unit_test_teardown(a_finding, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
