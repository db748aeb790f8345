/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings of findings that a user may give, or that are refused; which ones are raised when. */
#include "support.h"

#include <errno.h>

#include "analyze/diagnosis/check_settings.h"
#include "analyze/diagnosis/finding_tracker.h"
#include "explain/registry.h"

static struct check_settings settings;

static int setup(void **state)
{
	(void)state;
	check_settings_init(&settings);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

static const struct check_setting *of(const char *id)
{
	return &settings.all[registry_finding(id) - registry_findings];
}

static double option_of(const char *id, const char *name)
{
	const struct finding_type *type = registry_finding(id)->type;
	size_t i = 0;

	while (strcmp(type->detector->options[i].name, name))
		i++;
	return of(id)->options[i];
}

static void test_own(void **state)
{
	(void)state;
	assert_true(option_of("fd-leak", "min-rate") == 0.5);
	assert_int_equal(of("fd-leak")->severity, FINDING_HIGH);
	assert_false(of("fd-leak")->is_muted);
}

static void test_set(void **state)
{
	struct sooth_error err;

	(void)state;
	assert_int_equal(check_settings_set(&settings, "fd-leak.min-rate=2.5", &err), 0);
	assert_int_equal(check_settings_set(&settings, " fd-leak.min-age = 3m ", &err), 0);
	assert_int_equal(check_settings_set(&settings, "cpu-spin=off", &err), 0);
	assert_int_equal(check_settings_set(&settings, "fd-limit-near = low", &err), 0);
	assert_true(option_of("fd-leak", "min-rate") == 2.5);
	assert_true(option_of("fd-leak", "min-age") == 180e9);
	assert_true(of("cpu-spin")->is_muted);
	assert_int_equal(of("fd-limit-near")->severity, FINDING_LOW);
	assert_true(of("fd-limit-near")->is_severity_chosen);
	assert_int_equal(check_settings_set(&settings, "cpu-spin=high", &err), 0);
	assert_false(of("cpu-spin")->is_muted);
}

static void test_refused(void **state)
{
	static const char *const lines[] = { "", "fd-leak", "=", "fd-leak=", "=high",
		"nothing=high", "fd-leak=worse", "fd-leak.nothing=1",
		"fd-leak.min-rate=", "fd-leak.min-rate=x", "fd-leak.min-rate=1x",
		"fd-leak.min-rate=nan", "fd-leak.min-rate=-1", "fd-leak.min-rate=1e300",
		"fd-leak.min-age=soon", "fd-leak.=1", ".min-rate=1", "cpu-spin.percent=101" };
	struct sooth_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (check_settings_set(&settings, lines[i], &err) != -EINVAL)
			fail_msg("\"%s\" was taken", lines[i]);
		assert_true(err.why[0] && err.remedy[0]);
	}
	assert_true(option_of("fd-leak", "min-rate") == 0.5);
}

static void test_file(void **state)
{
	static const char good[] = "# mine\n\nfd-leak.min-rate = 7 # more\n\tcpu-spin=low\r\n";
	static const char bad[] = "fd-leak=low\n\nfd-leak=lower\n";
	struct sooth_error err;

	(void)state;
	assert_int_equal(check_settings_parse(&settings, "f", good, sizeof(good) - 1, &err), 0);
	assert_true(option_of("fd-leak", "min-rate") == 7);
	assert_int_equal(of("cpu-spin")->severity, FINDING_LOW);
	assert_int_equal(check_settings_parse(&settings, "f", bad, sizeof(bad) - 1, &err), -EINVAL);
	assert_non_null(strstr(err.why, "line 3"));
}

/* A setting of a finding that was removed stays in files of users. */
static void test_retired(void **state)
{
	struct check_settings before = settings;
	struct sooth_error err;

	(void)state;
	assert_int_equal(check_settings_set(&settings, "heap-churn.min-rate=5", &err), 0);
	assert_int_equal(check_settings_set(&settings, "many-small-blocks=off", &err), 0);
	assert_memory_equal(&settings, &before, sizeof(settings));
	assert_true(registry_finding_is_retired("jit-churn"));
	assert_false(registry_finding_is_retired("fd-leak"));
}

/* --- the book --- */

static size_t end_round(struct finding_tracker *b)
{
	struct buffer cleared = { 0 };
	size_t count;

	finding_tracker_end(b, &cleared);
	count = cleared.size / sizeof(struct finding_cleared);
	buffer_fini(&cleared);
	return count;
}

static void test_tracker(void **state)
{
	struct finding_tracker b;
	struct finding_row row = { .severity = FINDING_HIGH };

	(void)state;
	finding_tracker_init(&b);
	finding_tracker_begin(&b, 100, 1100);
	assert_false(finding_tracker_is_raised(&b, "k"));
	finding_tracker_raise(&b, "k", &row);
	assert_int_equal(row.state, FINDING_RAISED);
	assert_int_equal(row.first_utc_ns, 1100);
	assert_int_equal(end_round(&b), 0);
	finding_tracker_begin(&b, 200, 1200);
	assert_true(finding_tracker_is_raised(&b, "k"));
	finding_tracker_raise(&b, "k", &row);
	assert_int_equal(row.state, FINDING_STILL);
	assert_int_equal(row.first_seen_ns, 100);
	assert_int_equal(row.last_seen_ns, 200);
	assert_int_equal(end_round(&b), 0);
	/* Once missed is not gone. */
	finding_tracker_begin(&b, 300, 1300);
	assert_int_equal(end_round(&b), 0);
	assert_true(finding_tracker_is_raised(&b, "k"));
	finding_tracker_begin(&b, 400, 1400);
	assert_int_equal(end_round(&b), 1);
	assert_false(finding_tracker_is_raised(&b, "k"));
	finding_tracker_begin(&b, 500, 1500);
	assert_int_equal(end_round(&b), 0);
	finding_tracker_fini(&b);
}

/* Members that no detector may be without. */
static void test_registry(void **state)
{
	(void)state;
	for (size_t i = 0; registry_findings[i].type; i++) {
		const struct finding_type *type = registry_findings[i].type;

		assert_true(i < CHECK_SETTINGS_MAX);
		assert_ptr_equal(registry_finding(type->id), &registry_findings[i]);
		assert_true(type->claim[0] && type->probes && type->detector->diagnose);
		assert_true(type->detector->option_count <=
			    sizeof(settings.all[0].options) / sizeof(settings.all[0].options[0]));
		for (size_t k = 0; k < type->detector->option_count; k++) {
			const struct finding_option *o = &type->detector->options[k];

			assert_true(o->name[0] && o->help[0]);
			assert_true(o->min <= o->default_value && o->default_value <= o->max);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_own),
		TEST(test_set),
		TEST(test_refused),
		TEST(test_file),
		TEST(test_retired),
		TEST(test_tracker),
		TEST(test_registry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
