/* SPDX-License-Identifier: BSD-2-Clause */
/* Which reading of a process stands: the last whole one that found something. */
#include "support.h"

#include "analyze/snapshots.h"
#include "probes/environment.h"

static void take_variable(struct snapshots *s, uint32_t pid, const char *name)
{
	struct environment_variable v = {
		.record = { .pid = pid, .start_ticks = 5, .kind = ENVIRONMENT_VARIABLE }
	};
	struct record_tail tail[] = { { &v.name, name, strlen(name) } };
	struct buffer one = { 0 };

	RECORD_APPEND(&one, &v, tail, 1);
	snapshots_add_record(s, (const void *)one.data);
	buffer_fini(&one);
}

static void take_end(struct snapshots *s, uint32_t pid, uint32_t variables)
{
	struct environment_process p = {
		.record = { .pid = pid, .start_ticks = 5, .kind = ENVIRONMENT_PROCESS },
		.variables = variables
	};
	struct buffer one = { 0 };

	RECORD_APPEND(&one, &p, NULL, 0);
	snapshots_add_record(s, (const void *)one.data);
	buffer_fini(&one);
}

static size_t records_of(const struct snapshots *s, uint32_t pid)
{
	struct process_id id = { .start_ticks = 5, .pid = pid };
	const struct snapshot *one = snapshots_get(s, &id);
	struct batch batch = one ? snapshot_records(one) : (struct batch){ 0 };

	return one ? (size_t)batch_check(&batch) : SIZE_MAX;
}

static void test_last_whole_reading(void **state)
{
	struct process_id id = { .start_ticks = 5, .pid = 10 };
	struct snapshots s;

	(void)state;
	snapshots_init(&s, ENVIRONMENT_PROCESS);
	take_variable(&s, 10, "A");
	take_variable(&s, 10, "B");
	assert_int_equal(records_of(&s, 10), SIZE_MAX); /* not whole yet */
	take_end(&s, 10, 2);
	assert_int_equal(records_of(&s, 10), 2);
	take_variable(&s, 10, "C");
	assert_int_equal(records_of(&s, 10), 2); /* the next is under way */
	take_end(&s, 10, 1);
	assert_int_equal(records_of(&s, 10), 1);
	take_end(&s, 10, 0); /* it has ended */
	assert_int_equal(records_of(&s, 10), 1);
	const struct environment_process *end =
		snapshot_end(snapshots_get(&s, &id), sizeof(struct environment_process));
	assert_int_equal(end->variables, 1);
	assert_null(snapshot_end(snapshots_get(&s, &id), sizeof(*end) + 8)); /* an older writer's */
	snapshots_fini(&s);
}

static void test_several_processes(void **state)
{
	const struct snapshot *one;
	size_t position = 0;
	struct snapshots s;

	(void)state;
	snapshots_init(&s, ENVIRONMENT_PROCESS);
	take_variable(&s, 10, "A");
	take_variable(&s, 11, "A");
	take_variable(&s, 12, "A");
	take_end(&s, 12, 1);
	take_end(&s, 11, 1);
	one = snapshots_next(&s, &position);
	assert_int_equal(one->id.pid, 11); /* in the order they came; 10 is not whole */
	one = snapshots_next(&s, &position);
	assert_int_equal(one->id.pid, 12);
	assert_null(snapshots_next(&s, &position));
	take_end(&s, 13, 0); /* nothing found, and nothing before: that stands */
	assert_int_equal(records_of(&s, 13), 0);
	snapshots_fini(&s);
}

static void test_other_probes(void **state)
{
	struct buffer ticks = { 0 };
	struct snapshots s;

	(void)state;
	snapshots_init(&s, ENVIRONMENT_PROCESS);
	add_tick(&ticks, 1);
	snapshots_add_record(&s, (const void *)ticks.data);
	assert_int_equal(s.processes.count, 0);
	buffer_fini(&ticks);
	snapshots_fini(&s);
}

/* Shared room that one of several has taken is gone for the others, until it ends. */
static void test_room(void **state)
{
	struct snapshots_room room = { .most = 4096 };
	struct snapshots one, other;
	char name[512];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	snapshots_init_in(&one, ENVIRONMENT_PROCESS, &room);
	snapshots_init_in(&other, ENVIRONMENT_PROCESS, &room);
	for (int i = 0; i < 20; i++)
		take_variable(&one, 10, name);
	assert_true(one.refused > 0);
	assert_true(room.bytes <= room.most && room.bytes > 3 * sizeof(name));
	take_variable(&other, 10, name);
	assert_int_equal(other.refused, 1);
	snapshots_fini(&one);
	assert_true(room.bytes == 0);
	take_variable(&other, 10, name);
	take_end(&other, 10, 1);
	assert_int_equal(other.refused, 1);
	assert_int_equal(records_of(&other, 10), 1);
	/* A second one replaces it: room is needed for both until then. */
	for (int i = 0; i < 10; i++) {
		take_variable(&other, 10, name);
		take_end(&other, 10, 1);
	}
	assert_int_equal(other.refused, 1);
	snapshots_fini(&other);
	assert_true(room.bytes == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_last_whole_reading),
		cmocka_unit_test(test_several_processes),
		cmocka_unit_test(test_other_probes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
