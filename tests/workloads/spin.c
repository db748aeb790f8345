/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread named "spinner" burns CPU in user space: all of it, or the share --duty of wall time.
 * Its loop makes no system call while it burns; with a duty below 100 it sleeps once per period.
 * On a busy machine it gets less than it asks for: the truth holds what it got.
 */
#include "workload.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>

#define PERIOD_NS    (20 * NS_PER_MS)
#define ROUND_STEPS  20000
#define SPINNER_NAME "spinner"

static uint64_t duty_pct = 100;

struct spinner {
	pthread_barrier_t begin;
	uint64_t duration_ns;
	uint64_t wall_ns;
	uint64_t cpu_ns;
};

static void burn_until(uint64_t end_ns)
{
	uint64_t state = 1;

	do {
		for (int i = 0; i < ROUND_STEPS; i++)
			random_next(&state);
		__asm__ volatile("" : "+r"(state)); /* the steps are wanted */
	} while (clock_ns(CLOCK_MONOTONIC) < end_ns);
}

/* Burns what is due by the end of this period and was not burnt yet, then sleeps the rest. */
static void spin_period(uint64_t start_ns, uint64_t cpu_start_ns, uint64_t period_end_ns)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	uint64_t used = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_start_ns;
	uint64_t due = (period_end_ns - start_ns) / 100 * duty_pct;
	uint64_t end = due > used ? now + (due - used) : now;

	if (end > period_end_ns)
		end = period_end_ns;
	if (end > now)
		burn_until(end);
	now = clock_ns(CLOCK_MONOTONIC);
	if (now < period_end_ns)
		sleep_ns(period_end_ns - now);
}

static void *spinner_run(void *arg)
{
	struct spinner *spinner = arg;
	uint64_t start, cpu_start, end;

	pthread_setname_np(pthread_self(), SPINNER_NAME);
	pthread_barrier_wait(&spinner->begin);
	pthread_barrier_wait(&spinner->begin);
	start = clock_ns(CLOCK_MONOTONIC);
	cpu_start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	end = start + spinner->duration_ns;
	if (duty_pct == 100)
		burn_until(end);
	else
		for (uint64_t at = start; at < end; at += PERIOD_NS)
			spin_period(start, cpu_start, at + PERIOD_NS < end ? at + PERIOD_NS : end);
	spinner->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_start;
	spinner->wall_ns = clock_ns(CLOCK_MONOTONIC) - start;
	return NULL;
}

static int run(const struct workload *w)
{
	struct spinner spinner = { .duration_ns = w->duration_ns };
	autotruth truth = { 0 };
	pthread_t thread;
	int err;

	pthread_barrier_init(&spinner.begin, NULL, 2);
	err = -pthread_create(&thread, NULL, spinner_run, &spinner);
	if (err)
		return err;
	pthread_barrier_wait(&spinner.begin); /* it has its name */
	err = workload_ready(w);
	if (err)
		exit(EXIT_FAILURE); /* the thread still uses our stack */
	pthread_barrier_wait(&spinner.begin);
	pthread_join(thread, NULL);

	err = truth_begin(&truth);
	if (err)
		return err;
	fprintf(truth.out, "thread %s\nwall_ns %" PRIu64 "\ncpu_ns %" PRIu64 "\n", SPINNER_NAME,
		spinner.wall_ns, spinner.cpu_ns);
	return truth_commit(&truth, w);
}

static const struct param params[] = {
	{ "duty", "PCT", "share of wall time to burn, in percent (100)", PARAM_NUMBER, &duty_pct, 1,
		100 },
	{ 0 },
};

const struct scenario scenario_spin = {
	.name = "spin",
	.help = "a thread \"spinner\" burns CPU in user space",
	.params = params,
	.run = run,
};
