/* SPDX-License-Identifier: BSD-2-Clause */
/* Live objects by class at two moments: the answer of `sooth heap --ask-runtime`. */
#include "check_records.h"
#include "shown.h"

#include "collect/observer.h"
#include "os/fake/fake.h"
#include "probes/objects.h"

#define KB (1024ull)

static void begin_objects(void)
{
	struct stream_segment segment = { .record = head_of(0, 0, STREAM_SEGMENT),
		.ticks_per_s = 100 };

	buffer_reset(&records);
	started_s = 10;
	RECORD_APPEND(&records, &segment, NULL, 0);
	add_source("objects");
}

static void put_class(int second, const char *name, uint64_t instances, uint64_t bytes)
{
	struct objects_class c = { .record = head_of(second, PID, OBJECTS_CLASS),
		.instances = instances,
		.bytes = bytes,
		.is_of_runtime = !strchr(name, '$') };
	struct record_tail tail[] = { put_text(&c.name, name) };

	RECORD_APPEND(&records, &c, tail, 1);
}

static void end_count(int second, uint8_t state, const char *reason)
{
	struct objects_process end = { .record = head_of(second, PID, OBJECTS_PROCESS),
		.state = state,
		.reason_state = reason ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { put_text(&end.reason, reason) };

	RECORD_APPEND(&records, &end, tail, 1);
}

static const char *show(const char *format)
{
	return show_view("objects", "class-growth", NULL, format);
}

/* Two counts, with this growth of arrays, and entries before and after. */
static void put_counts(uint8_t first_state, uint64_t before, uint64_t gain, uint64_t entries)
{
	begin_objects();
	put_class(0, "byte[]", 100, before);
	put_class(0, "Old$", 10, 100);
	end_count(0, first_state, NULL);
	put_class(2, "byte[]", 200, before + gain);
	put_class(2, "Ledger$Entry", entries, 32 * entries);
	put_class(2, "Ledger$Entry", 1, 32); /* of another class loader */
	end_count(2, SOOTH_STATE_VALUE, NULL);
}

static void test_grows(void **state)
{
	(void)state;
	put_counts(SOOTH_STATE_VALUE, 1000 * KB, 512 * KB, 5119);
	assert_true(has(show("table"), "byte[] grows 256 KiB/s; the class of the program that "
				       "grows most: Ledger$Entry, 5120 more in 2 s\n"));
	assert_true(has(show("json"), "\"own\": \"Ledger$Entry\""));
	assert_true(has(show("json"), "\"bytes_per_s\": -50,")); /* Old$ has no object any more */
	put_counts(SOOTH_STATE_VALUE, 1000 * KB, 512 * KB, 20000);
	assert_true(has(show("table"), "Ledger$Entry grows 313 KiB/s, 20001 more in 2 s\n"));
}

/* Less than 256 KiB, or than one percent, may be the JVM's own. */
static void test_rests(void **state)
{
	(void)state;
	put_counts(SOOTH_STATE_VALUE, 1000 * KB, 254 * KB, 1);
	assert_true(
		has(show("table"), "its live objects do not grow: 1000 KiB, then 1.2 MiB, each"));
	put_counts(SOOTH_STATE_VALUE, 100 * KB * KB, 512 * KB, 1);
	assert_true(has(show("table"), "its live objects do not grow: 100 MiB, then"));
}

/* A class that a list without its end lacks may have had objects. */
static void test_cut(void **state)
{
	(void)state;
	put_counts(SOOTH_STATE_TRUNCATED, 1000 * KB, 512 * KB, 5119);
	assert_true(has(show("table"), "byte[] grows 256 KiB/s; no class of the program grows\n"));
	assert_true(has(show("json"), "\"own\": null"));
}

static void test_not_measured(void **state)
{
	(void)state;
	begin_objects();
	end_count(0, SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED), "no answer");
	assert_true(has(show("table"), "not measured: live objects by class of 99: no answer\n"));
	assert_false(has(show("table"), "grow"));
	begin_objects();
	put_class(0, "byte[]", 100, 1000);
	end_count(0, SOOTH_STATE_VALUE, NULL);
	assert_true(has(show("table"), "it was counted only once"));
	assert_false(has(show("table"), "grow"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_grows),
		cmocka_unit_test(test_rests), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_not_measured) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
