/* SPDX-License-Identifier: BSD-2-Clause */
/* The sentence about tasks of asyncio: those that wait for no other task, and who awaits them. */
#include "support.h"

#include <string.h>

#include "analyze/waits/wait_tasks.h"
#include "model/field.h"

#define PID 7

static struct buffer records;

static void add(const char *start, uint64_t count, const char *at, const char *by,
	const char *awaiter, uint64_t awaited)
{
	struct waits_tasks row = { .record = { .kind = WAITS_TASKS, .pid = PID },
		.count = count,
		.awaited = awaited,
		.node_pid = PID,
		.is_waiting = true,
		.awaiter_state = state_if(*awaiter) };
	struct record_tail tail[] = { { &row.start, start, strlen(start) },
		{ &row.at, at, strlen(at) }, { &row.by, by, strlen(by) }, { &row.place, "", 0 },
		{ &row.awaiter, awaiter, strlen(awaiter) } };

	RECORD_APPEND(&records, &row, tail, ARRAY_SIZE(tail));
}

static void assert_text(const char *wanted)
{
	struct wait_graph g = { .records = { .data = records.data, .size = records.size } };
	struct buffer text = { 0 };

	wait_put_tasks(&text, &g, PID);
	buffer_char(&text, '\0');
	assert_string_equal(text.data, wanted);
	buffer_fini(&text);
	buffer_reset(&records);
}

static void test_sentences(void **state)
{
	(void)state;
	assert_text("");
	add("main", 1, "main", "sleep", "", 0);
	assert_text("; 1 asyncio task of 7 waits in sleep, called by main");
	/* Workers without work are said last, and two groups at most. */
	add("main", 1, "main", "", "", 9);
	add("worker", 5, "worker", "Queue.get", "main", 0);
	add("fetch", 3, "read", "StreamReader.read", "main", 0);
	assert_text(
		"; 3 asyncio tasks of 7 wait in StreamReader.read, called by read < fetch < main, "
		"and 5 in Queue.get, called by worker < main");
	add("a", 1, "a", "lock", "", 0);
	add("b", 1, "b", "lock", "", 0);
	add("c", 1, "c", "lock", "", 0);
	assert_text("; 1 asyncio task of 7 waits in lock, called by a, and 1 in lock, called by b");
}

/* Nothing of a library that it called: a future of the program's own. */
static void test_own_future(void **state)
{
	(void)state;
	add("main", 1, "main", "", "", 0);
	assert_text("; 1 asyncio task of 7 waits in main");
}

static void test_unread(void **state)
{
	static const uint8_t states[] = { SOOTH_STATE_VALUE, SOOTH_STATE_TRUNCATED,
		SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED),
		SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED) };
	static const char *const texts[] = { "", "",
		"; its asyncio tasks were not read: only Python 3.14 and later show where they are",
		"; its asyncio tasks were not read: its memory could not be read" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		struct waits_tasks row = { .record = { .kind = WAITS_TASKS, .pid = PID },
			.node_pid = PID,
			.count_state = states[i],
			.at_state = SOOTH_STATE_ABSENT };
		struct wait_graph g;
		struct buffer text = { 0 };

		RECORD_APPEND(&records, &row, NULL, 0);
		g = (struct wait_graph){ .records = { records.data, records.size } };
		wait_put_unread_tasks(&text, &g, PID);
		buffer_char(&text, '\0');
		assert_string_equal(text.data, texts[i]);
		buffer_fini(&text);
		assert_text("");
	}
}

/* Tasks that await each other, as they cannot. */
static void test_circle(void **state)
{
	(void)state;
	add("a", 1, "a", "get", "b", 0);
	add("b", 1, "b", "", "a", 1);
	assert_text("; 1 asyncio task of 7 waits in get, called by a < b < a < b");
}

static int teardown(void **state)
{
	(void)state;
	buffer_fini(&records);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_own_future),
		cmocka_unit_test(test_circle),
		cmocka_unit_test(test_unread),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
