/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings about all children of one kind together. */
#include "check_records.h"

#define FIRST 200

/* Each value differs from one of a sick group in a single case. */
static struct group {
	uint32_t session, process_group, parent; /* of the children */
	uint32_t own_session, terminal;		 /* of the process that is judged */
	const char *name;			 /* of that process */
} group;

static uint32_t sibling; /* a process of the same group; 0: none */

static void group_of(struct group of)
{
	group = of;
}

static void process_of(int i)
{
	process_at(i, (struct proc_process){ .record.pid = 1, .session = 1, .process_group = 1 },
		"init");
	if (sibling)
		process_at(i,
			(struct proc_process){
				.record.pid = 95, .session = 90, .process_group = 90 },
			"script");
	process_at(i,
		(struct proc_process){ .ppid = sibling ? 95 : 1,
			.session = group.own_session,
			.process_group = 90,
			.terminal = group.terminal,
			.descriptors = 10 },
		group.name ? group.name : "thing");
}

static void children_live(double count)
{
	for (int i = 0; i < LOOKS; i++) {
		process_of(i);
		for (uint32_t n = 0; n < (uint32_t)count; n++)
			process_at(i,
				(struct proc_process){ .record.pid = FIRST + n,
					.ppid = group.parent,
					.session = group.session,
					.process_group = group.process_group,
					.rss_bytes = 10 << 20 },
				"helper");
		if (sibling)
			process_at(i,
				(struct proc_process){ .record.pid = sibling,
					.ppid = 95,
					.session = 90,
					.process_group = 90 },
				"sibling");
		all_reported(i);
	}
}

static void they_lost_their_parent(double count)
{
	group_of((struct group){ 90, 90, 1, 90, 0, NULL });
	children_live(count);
}

static void its_session_lost_them(double count)
{
	group_of((struct group){ PID, 150, 1, PID, 0, NULL });
	children_live(count);
}

static void another_may_have_started_them(double pid)
{
	sibling = (uint32_t)pid;
	they_lost_their_parent(5);
	sibling = 0;
}

static void they_are_of_another_group(double count)
{
	group_of((struct group){ 90, 150, 1, 90, 0, NULL });
	children_live(count);
}

static void they_lead_a_session(double count)
{
	group_of((struct group){ FIRST, FIRST, 1, 90, 0, NULL });
	children_live(count);
}

static void it_has_them(double count)
{
	group_of((struct group){ 90, 90, PID, 90, 0, NULL });
	children_live(count);
}

static void they_started_first(double count)
{
	started_s = 500;
	they_lost_their_parent(count);
}

static void it_is_a_shell_at_a_terminal(double terminal)
{
	group_of((struct group){ PID, 150, 1, PID, (uint32_t)terminal, "bash" });
	runs = "/bin/bash";
	children_live(9);
}

static void test_left(void **state)
{
	static const struct check_case cases[] = {
		{ "children-left", they_lost_their_parent, 5, NULL,
			"medium/medium: 5 processes (helper) of its process group have lost their "
			"parent and still run: 50.0 MiB|process group 90, and their parent is now "
			"init (1)|sooth kill --any 200 201 202 203 204>" },
		{ "children-left", another_may_have_started_them, 199, NULL, "fine: |children: 0" },
		{ "children-left", another_may_have_started_them, 205, NULL, "medium/medium: 5 " },
		{ "children-left", its_session_lost_them, 5, NULL,
			"medium/high: 5 processes (helper) that its ended children started|session "
			"99, and" },
		{ "children-left", they_lost_their_parent, 4, NULL, "fine: |children: 4" },
		{ "children-left", they_lost_their_parent, 4, "children-left.min-count=4",
			"medium/medium: 4 " },
		{ "children-left", they_lost_their_parent, 5, "children-left.min-age=1h",
			"blind: " },
		{ "children-left", they_are_of_another_group, 9, NULL, "fine: |children: 0" },
		{ "children-left", they_lead_a_session, 9, NULL, "fine: |children: 0" },
		{ "children-left", it_has_them, 9, NULL, "fine: |children: 0" },
		{ "children-left", they_started_first, 9, NULL, "fine: |children: 0" },
		{ "children-left", it_is_a_shell_at_a_terminal, 0, NULL, "medium/high: 9 " },
		{ "children-left", it_is_a_shell_at_a_terminal, 34816, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
