/* SPDX-License-Identifier: BSD-2-Clause */
/* task-lost, by made-up processes of a pool of Python. */
#include "check_stacks.h"

#include "probes/waits.h"

#define WAITED 30 /* seconds, at the last sample */

struct member {
	uint32_t pid;
	double waited_s;
	const char *functions[4];
};

static void put_waits(const struct member *m, double s)
{
	struct waits_thread w = { .record = head_of(s, m->pid, WAITS_THREAD),
		.node_pid = m->pid,
		.switches = 1,
		.since_ns = (uint64_t)(m->waited_s * (double)NS_PER_S),
		.state = 'S',
		.timeout_state = SOOTH_STATE_ABSENT };
	struct waits_process p = { .record = head_of(s, m->pid, WAITS_PROCESS),
		.node_pid = m->pid,
		.threads = 1,
		.state = 'S' };
	struct waits_snapshot end = { .record = head_of(s, m->pid, WAITS_SNAPSHOT) };

	w.record.tid = m->pid;
	RECORD_APPEND(&records, &w, NULL, 0);
	RECORD_APPEND(&records, &p, NULL, 0);
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void put_stacks(const struct member *m)
{
	struct stacks_thread t = { .record = head_of(0, m->pid, STACKS_THREAD), .stack = m->pid };
	struct stacks_snapshot end = { .record = head_of(0, m->pid, STACKS_SNAPSHOT),
		.threads = 1 };

	t.record.tid = m->pid;
	RECORD_APPEND(&records, &t, NULL, 0);
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void has_pool(const struct member *all, size_t count)
{
	for (int i = 0; i < LOOKS; i++) {
		for (size_t k = 0; k < count; k++)
			process_at(i,
				(struct proc_process){ .record.pid = all[k].pid,
					.ppid = all[k].pid == PID ? 1 : PID },
				"python3");
		all_reported(i);
	}
	add_source("waits");
	add_source("stacks");
	frames = 0;
	for (size_t k = 0; k < count; k++) {
		put_waits(&all[k], 0);
		put_stacks(&all[k]);
		put_waits(&all[k], LOOKS - 1);
	}
	for (size_t k = 0; k < count; k++)
		put_stack(all[k].pid, all[k].functions, ARRAY_SIZE(all[k].functions));
}

#define WAITER(waited)                                                                             \
	{                                                                                          \
		PID, waited,                                                                       \
		{                                                                                  \
			"(Condition.wait threading.py:295)", "(ApplyResult.wait pool.py:764)",     \
				"(ApplyResult.get pool.py:767)", "(Pool.map pool.py:362)"          \
		}                                                                                  \
	}
#define IDLE                                                                                       \
	"(Connection._recv connection.py:390)", "(SimpleQueue.get queues.py:363)",                 \
		"(worker pool.py:97)"

static void waits_for(double waited)
{
	const struct member all[] = { WAITER(WAITED), { 300, waited, { IDLE } },
		{ 301, WAITED, { IDLE } } };

	has_pool(all, ARRAY_SIZE(all));
}

static void waits_beside(double works)
{
	const struct member all[] = { WAITER(WAITED), { 300, WAITED, { IDLE } },
		{ 301, WAITED,
			{ "(Connection._recv connection.py:390)",
				works > 0 ? "(load app.py:3)" : "(SimpleQueue.get queues.py:363)",
				"(worker pool.py:97)" } } };

	has_pool(all, ARRAY_SIZE(all));
}

/* No workers were observed, or it does not wait for a result. */
static void has_no_workers(double waits)
{
	const struct member waiter = WAITER(WAITED);
	const struct member idle = { PID, WAITED, { "(accept socket.py:294)" } };

	has_pool(waits > 0 ? &waiter : &idle, 1);
}

static void test_task_lost(void **state)
{
	static const struct check_case cases[] = {
		{ "task-lost", waits_for, WAITED, NULL,
			"medium/medium: waits for a result of its pool of processes, for 30 s, and "
			"all 2 workers wait for work: the worker that had the task" },
		{ "task-lost", waits_for, 4, NULL, "medium/" },
		{ "task-lost", waits_for, 3, NULL, "blind: " },
		{ "task-lost", waits_beside, 0, NULL, "medium/" },
		{ "task-lost", waits_beside, 1, NULL, "fine: 1 of 2 workers of its pool work" },
		{ "task-lost", has_no_workers, 1, NULL, "blind: " },
		{ "task-lost", has_no_workers, 0, NULL, "fine: it waits for no result" },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_task_lost) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
