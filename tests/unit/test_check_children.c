/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings about the children of a process: who among them lives, and who only stands in the table.
 */
#include "check_records.h"

#define FIRST_CHILD 200

static void children_at(double s, int from, int to, char state)
{
	for (int i = from; i < to; i++)
		process_at(s,
			(struct proc_process){ .record.pid = FIRST_CHILD + (uint32_t)i,
				.ppid = PID,
				.state = state },
			"child");
}

/* Ten at first, and so many more at each look, which have ended before they are met. */
static void zombies_gather(double more)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .descriptors = 10 }, "thing");
		children_at(i, 0, 10 + i * (int)more, 'Z');
		all_reported(i);
	}
}

/* As above, but each has a time of its own, as where /proc is read one by one. */
static void zombies_are_read_slowly(double more)
{
	struct proc_snapshot snapshot = { .is_of_host = true };

	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .descriptors = 10 }, "thing");
		children_at(i + 0.05, 0, 10 + i * (int)more, 'Z');
		snapshot.record = head_of(i + 0.06, 0, PROC_SNAPSHOT);
		snapshot.from_ns = at(i);
		RECORD_APPEND(&records, &snapshot, NULL, 0);
	}
}

static void children_end_while_watched(double how_many)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .descriptors = 10 }, "thing");
		children_at(i, 0, (int)how_many, i ? 'Z' : 'S');
		all_reported(i);
	}
}

static void test_zombies(void **state)
{
	static const struct check_case cases[] = {
		{ "zombie-children", zombies_gather, 0, NULL,
			"medium/high: |: 10 zombies |[zombies: 10] [zombies that appeared during "
			"the observation: 0 over" },
		/* Of the last two looks it is not known yet whether they stay. */
		{ "zombie-children", zombies_gather, 4, NULL,
			"medium/high: |[zombies: 30] [zombies that appeared during the "
			"observation: 20 over" },
		{ "zombie-children", zombies_are_read_slowly, 4, NULL,
			"medium/high: |[zombies: 30] [zombies that appeared during the "
			"observation: 20 over" },
		{ "zombie-children", children_end_while_watched, 7, NULL,
			"medium/high: |[zombies: 7] [zombies that appeared during the observation: "
			"7 over" },
	};

	(void)state;
	TRY_CASES(cases);
}

static void children_live(double more)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .descriptors = 10 }, "thing");
		children_at(i, 0, 10 + i * (int)more, 'S');
		all_reported(i);
	}
}

static void an_agents_children_live(double more)
{
	runs = CLAUDE;
	children_live(more);
}

static void test_flood(void **state)
{
	static const struct check_case cases[] = {
		{ "process-flood", children_live, 0, NULL,
			"fine: started processes alive: 10, then 10" },
		{ "process-flood", children_live, 20, NULL,
			"medium/medium: |10 alive, then 110|sooth freeze --any --tree 99 " },
		{ "process-flood", an_agents_children_live, 20, NULL,
			"medium/medium: |sooth freeze --tree 99 " },
		/* Zombies do not live, not even at the look that meets them. */
		{ "process-flood", zombies_gather, 20, NULL,
			"fine: started processes alive: 0, then 0" },
		{ "process-flood", children_end_while_watched, 7, NULL,
			"fine: started processes alive: 7, then 0" },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zombies),
		cmocka_unit_test(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
