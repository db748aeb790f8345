/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of a process that need not be read at each sample, and when they must. */
#include "support.h"

#include <unistd.h>

#include "base/units.h"
#include "os/linux/proc/proc_record.h"
#include "os/os.h"
#include "probes/proc.h"

static uint64_t now;

static uint64_t now_ns(const struct os *os)
{
	(void)os;
	return now;
}

static const struct os clock_alone = { .now_ns = now_ns };
static struct backend_run run = { .os = &clock_alone,
	.options = { .observer.sample_ns = 2 * NS_PER_S } };
static struct proc_refresh refresh;

static int begin(void **state)
{
	(void)state;
	now = 100 * NS_PER_S;
	proc_refresh_init(&refresh);
	proc_refresh_begin(&refresh, &run, true);
	return 0;
}

static int end(void **state)
{
	(void)state;
	proc_refresh_fini(&refresh);
	buffer_fini(&run.out);
	return 0;
}

static void next_sample(void)
{
	now += 2 * NS_PER_S;
	proc_refresh_begin(&refresh, &run, true);
}

static struct proc_entry entry(uint32_t pid, bool is_close)
{
	return (struct proc_entry){ .values = { .id = { .start_ticks = 10 * pid, .pid = pid },
					    .ppid = 1,
					    .state = 'S',
					    .cpu_ns = 5,
					    .time_ns = now },
		.token = 77,
		.is_close = is_close,
		.has_markers = is_close,
		.role = AGENT_ROLE_MCP };
}

static void keep(const struct proc_entry *e, bool has_input)
{
	struct proc_process p = { .record = { .kind = PROC_PROCESS,
					  .pid = (uint32_t)e->values.id.pid,
					  .words = sizeof(p) / SOOTH_RECORD_WORD,
					  .fixed_words = sizeof(p) / SOOTH_RECORD_WORD },
		.ppid = e->values.ppid,
		.descriptors = 12,
		.frozen = PROC_FROZEN_NO };

	proc_refresh_keep_record(&refresh, e, &p, sizeof(p), has_input);
}

/* As the reader asks. */
static bool is_fresh(struct proc_entry e)
{
	bool has_ended;

	proc_refresh_recall(&refresh, &e);
	has_ended = proc_refresh_one_ended(&refresh);
	return proc_refresh_is_fresh(&refresh, &e, has_ended);
}

static void recalled(void **state)
{
	struct proc_entry e = entry(7, true), again = entry(7, false);

	(void)state;
	keep(&e, false);
	next_sample();
	assert_true(proc_refresh_recall(&refresh, &again));
	assert_true(again.has_markers);
	assert_int_equal(again.role, AGENT_ROLE_MCP);
	again = entry(8, false);
	assert_false(proc_refresh_recall(&refresh, &again));
	/* Only the arguments were found out of a process that is no agent's. */
	e = entry(9, false);
	keep(&e, false);
	again = entry(9, false);
	assert_false(proc_refresh_recall(&refresh, &again));
	assert_true(proc_refresh_is_fresh(&refresh, &again, false));
}

static void read_anew(void **state)
{
	struct proc_entry e = entry(7, true);

	(void)state;
	keep(&e, false);
	next_sample();
	assert_true(is_fresh(entry(7, true)));
	e = entry(7, true);
	e.token = 78; /* an exec, or another name */
	assert_false(is_fresh(e));
	e = entry(7, true);
	e.token = 0; /* an exec would go unseen */
	assert_false(is_fresh(e));
	e = entry(7, true);
	e.values.ppid = 2;
	assert_false(is_fresh(e));
	e = entry(7, true);
	e.values.id.start_ticks++;
	assert_false(is_fresh(e));
	e = entry(7, false); /* it was close */
	assert_false(proc_refresh_is_fresh(&refresh, &e, false));
}

static void in_time(void **state)
{
	struct proc_entry e = entry(7, true);
	unsigned samples = 0;

	(void)state;
	keep(&e, false);
	do {
		next_sample();
		e = entry(7, true);
		e.values.cpu_ns = 6; /* it has run */
		samples++;
	} while (is_fresh(e) && samples < 100);
	assert_in_range(samples * 2, 6, PROC_REFRESH_NS / NS_PER_S);
}

/* A process that did not run is read again as well, but later. */
static void in_time_at_rest(void **state)
{
	struct proc_entry e = entry(7, true);
	unsigned samples = 0;

	(void)state;
	keep(&e, false);
	do {
		next_sample();
		samples++;
	} while (is_fresh(entry(7, true)) && samples < 100);
	assert_in_range(samples * 2, PROC_REFRESH_LATE_NS / NS_PER_S,
		(PROC_REFRESH_NS + PROC_REFRESH_LATE_NS) / NS_PER_S);
}

static void when_another_ends(void **state)
{
	struct proc_entry server = entry(7, true), other = entry(8, true), main = entry(9, true);

	(void)state;
	keep(&server, true);
	keep(&other, false);
	keep(&main, false);
	next_sample();
	proc_refresh_recall(&refresh, &server);
	proc_refresh_recall(&refresh, &other);
	proc_refresh_recall(&refresh, &main);
	assert_false(proc_refresh_one_ended(&refresh));
	next_sample();
	proc_refresh_recall(&refresh, &server);
	proc_refresh_recall(&refresh, &other);
	main.values.state = 'Z';
	proc_refresh_recall(&refresh, &main);
	assert_true(proc_refresh_one_ended(&refresh));
	assert_false(proc_refresh_is_fresh(&refresh, &server, true));
	assert_true(proc_refresh_is_fresh(&refresh, &other, true));
	/* It ends once. */
	next_sample();
	proc_refresh_recall(&refresh, &server);
	proc_refresh_recall(&refresh, &other);
	assert_false(proc_refresh_one_ended(&refresh));
}

static void values_are_of_now(void **state)
{
	uint32_t own = (uint32_t)getpid();
	struct proc_entry e = entry(own, true);
	const struct proc_process *p;

	(void)state;
	keep(&e, false);
	next_sample();
	e = entry(own, true);
	e.values.cpu_ns = 500;
	e.values.state = 'T';
	proc_refresh_write(&refresh, &run, &e);
	p = (const void *)run.out.data;
	assert_int_equal(p->record.time_ns, now);
	assert_int_equal(p->cpu_ns, 500);
	assert_int_equal(p->state, 'T');
	/* Descriptors too: the kept record says 12, and there are no more than some few. */
	assert_int_equal(p->descriptors_state, SOOTH_STATE_VALUE);
	assert_in_range(p->descriptors, 3, 11);
	assert_int_equal(p->frozen, PROC_FROZEN_NO);
}

/* One sample at the beginning and one at the end are both whole. */
static void without_an_interval(void **state)
{
	struct backend_run once = { .os = &clock_alone };
	struct proc_entry e = entry(7, true);

	(void)state;
	proc_refresh_begin(&refresh, &once, true);
	keep(&e, false);
	assert_false(is_fresh(e));
	proc_refresh_begin(&refresh, &run, false);
	keep(&e, false);
	assert_false(is_fresh(e));
}

#define REFRESH_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		REFRESH_TEST(recalled),
		REFRESH_TEST(read_anew),
		REFRESH_TEST(in_time),
		REFRESH_TEST(in_time_at_rest),
		REFRESH_TEST(when_another_ends),
		REFRESH_TEST(values_are_of_now),
		REFRESH_TEST(without_an_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
