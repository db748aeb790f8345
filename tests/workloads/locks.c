/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that have something in common, by --kind:
 *
 *   mutex     they take and give one lock, for nothing, as fast as they can
 *   rest      they take the lock and sleep for --work us with it
 *   turns     each waits for its turn, and whoever has it wakes all the others
 *   yield     they give the processor away until it is their turn, for ever
 *   pool      they take jobs from a queue and compute --work us for each: the healthy twin
 *   handover  two of them hand one job to and fro, and compute for it
 *   deadlock  two hold a lock each and wait for the other's; the main thread waits for them to end
 *   spin      they wait for their turn in a loop, without giving the processor away
 *   self      the only thread waits for the lock that it holds
 *   idle      an idle pool, and a main thread that waits for input: healthy, and looks like a
 *             deadlock but for one thread
 *
 * With --cpus they share the first so many processors that they may run on. With --urgent nobody
 * else who is there comes between, where that is allowed: who gives the processor away gives it to
 * one of them, however much the machine has to do. The kernel keeps some 5 % for the others.
 */
#include "workload.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#define THREADS_MAX 256
#define JOBS_MAX    64
#define STEPS_TRIED UINT64_C(5000000)

static uint64_t thread_count = 4, cpu_count, work_us = 20;
static char *kind;
static bool is_urgent;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER, taken = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t both;
static _Atomic uint64_t turn;
static uint64_t jobs, sum, steps_per_us;

static void take_steps(uint64_t count)
{
	uint64_t state = 1;

	for (uint64_t i = 0; i < count; i++) {
		random_next(&state);
		__asm__ volatile("" : "+r"(state)); /* each of the steps is wanted */
	}
}

/* Without a look at the clock: that of a thread is a call of the kernel. */
static void compute(uint64_t us)
{
	take_steps(steps_per_us * us);
}

static void calibrate(void)
{
	uint64_t begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	take_steps(STEPS_TRIED);
	steps_per_us = STEPS_TRIED * 1000 / (clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin + 1) + 1;
}

static void *run_mutex(void *arg)
{
	(void)arg;
	for (;;) {
		pthread_mutex_lock(&lock);
		sum++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *run_rest(void *arg)
{
	(void)arg;
	for (;;) {
		pthread_mutex_lock(&lock);
		sleep_ns(work_us * 1000);
		pthread_mutex_unlock(&lock);
		sleep_ns(200000); /* the mutex is not fair: the others would never get it */
	}
	return NULL;
}

static void *run_turns(void *arg)
{
	uint64_t mine = (uintptr_t)arg;

	for (;;) {
		pthread_mutex_lock(&lock);
		while (turn % thread_count != mine)
			pthread_cond_wait(&changed, &lock);
		turn++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *run_yield(void *arg)
{
	uint64_t mine = (uintptr_t)arg;

	for (;;) {
		while (turn % thread_count != mine)
			sched_yield();
		turn++;
	}
	return NULL;
}

static void *run_spin(void *arg)
{
	(void)arg;
	while (turn < UINT64_MAX) /* it never comes */
		take_steps(1000);
	return NULL;
}

/* The first thread makes the jobs. */
static void *run_pool(void *arg)
{
	bool is_first = !arg;

	for (;;) {
		pthread_mutex_lock(&lock);
		while (is_first ? jobs == JOBS_MAX : !jobs)
			pthread_cond_wait(is_first ? &taken : &changed, &lock);
		jobs += is_first ? 1 : -1ull;
		pthread_cond_signal(is_first ? &changed : &taken);
		pthread_mutex_unlock(&lock);
		compute(work_us);
	}
	return NULL;
}

static void *run_handover(void *arg)
{
	uint64_t mine = (uintptr_t)arg;

	for (;;) {
		pthread_mutex_lock(&lock);
		while (turn % 2 != mine)
			pthread_cond_wait(&changed, &lock);
		pthread_mutex_unlock(&lock);
		compute(work_us);
		pthread_mutex_lock(&lock);
		turn++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *run_deadlock(void *arg)
{
	pthread_mutex_lock(arg ? &lock : &other);
	pthread_barrier_wait(&both);
	pthread_mutex_lock(arg ? &other : &lock);
	return NULL;
}

static void *run_idle(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	for (;;)
		pthread_cond_wait(&changed, &lock);
	return NULL;
}

static const struct {
	const char *kind;
	void *(*run)(void *);
} kinds[] = {
	{ "mutex", run_mutex },
	{ "rest", run_rest },
	{ "turns", run_turns },
	{ "yield", run_yield },
	{ "spin", run_spin },
	{ "pool", run_pool },
	{ "handover", run_handover },
	{ "deadlock", run_deadlock },
	{ "idle", run_idle },
};

static int share_processors(void)
{
	cpu_set_t may, some;
	uint64_t found = 0;

	if (!cpu_count)
		return 0;
	CPU_ZERO(&some);
	if (sched_getaffinity(0, sizeof(may), &may))
		return -errno;
	for (int i = 0; i < CPU_SETSIZE && found < cpu_count; i++) {
		if (CPU_ISSET(i, &may)) {
			CPU_SET(i, &some);
			found++;
		}
	}
	return sched_setaffinity(0, sizeof(some), &some) ? -errno : 0;
}

/* Threads inherit it. Who may not goes on as everybody does. */
static void become_urgent(void)
{
	const struct sched_param param = { .sched_priority = 1 };

	if (is_urgent && sched_setscheduler(0, SCHED_RR, &param))
		fprintf(stderr, "workloads: not urgent: %s\n", strerror(errno));
}

static int start(void *(*what)(void *), pthread_t *threads)
{
	for (uint64_t i = 0; i < thread_count; i++) {
		int err = pthread_create(&threads[i], NULL, what, (void *)(uintptr_t)i);

		if (err)
			return -err;
	}
	return 0;
}

static void *stop_later(void *arg)
{
	const struct workload *w = arg;

	sleep_ns(w->duration_ns);
	exit(EXIT_SUCCESS);
}

/* Nothing of a process that hangs may be due: a signal ends it. */
static int hang(const struct workload *w, pthread_t one)
{
	struct sigevent ends = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	struct itimerspec when = { .it_value = {
					   .tv_sec = (time_t)(w->duration_ns / NS_PER_SEC) + 1 } };
	timer_t timer;
	int err;

	if (timer_create(CLOCK_MONOTONIC, &ends, &timer) || timer_settime(timer, 0, &when, NULL))
		return -errno;
	err = workload_ready(w);
	if (err)
		return err;
	if (!strcmp(kind, "self")) {
		pthread_mutex_lock(&lock);
		pthread_mutex_lock(&lock);
	}
	pthread_join(one, NULL);
	return 0;
}

static int wait_for_input(const struct workload *w)
{
	pthread_t stopper;
	char byte;
	int err = workload_ready(w);

	/* While it waits to end, one thread waits for a time. */
	if (!err && strcmp(kind, "idle") != 0)
		err = -pthread_create(&stopper, NULL, stop_later, (void *)(uintptr_t)w);
	while (!err && read(STDIN_FILENO, &byte, 1) > 0)
		;
	return err;
}

static int run(const struct workload *w)
{
	pthread_t threads[THREADS_MAX];
	size_t i = 0;
	int err = share_processors();

	if (!kind || err)
		return err ? err : -EINVAL;
	if (!strcmp(kind, "self"))
		return hang(w, pthread_self());
	while (i < ARRAY_SIZE(kinds) && strcmp(kinds[i].kind, kind) != 0)
		i++;
	if (i == ARRAY_SIZE(kinds))
		return -EINVAL;
	if (!strcmp(kind, "deadlock") || !strcmp(kind, "handover"))
		thread_count = 2;
	calibrate();
	become_urgent();
	pthread_barrier_init(&both, NULL, 2);
	err = start(kinds[i].run, threads);
	if (err)
		return err;
	err = !strcmp(kind, "deadlock") ? hang(w, threads[0]) : wait_for_input(w);
	exit(err ? EXIT_FAILURE : EXIT_SUCCESS); /* the threads go on until then */
}

static const struct param params[] = {
	{ "kind", "KIND", "mutex, rest, turns, yield, spin, pool, handover, deadlock, self, idle",
		PARAM_TEXT, &kind, 0, 0 },
	{ "count", "N", "threads beside the main thread (4)", PARAM_NUMBER, &thread_count, 1,
		THREADS_MAX },
	{ "cpus", "N", "processors that they share (0: all)", PARAM_NUMBER, &cpu_count, 0, 1024 },
	{ "urgent", NULL, "before all others that are there", PARAM_FLAG, &is_urgent, 0, 0 },
	{ "work", "US", "to compute for a job, in us (20)", PARAM_NUMBER, &work_us, 1, 1000000 },
	{ 0 },
};

const struct scenario scenario_locks = {
	.name = "locks",
	.help = "threads at locks: a storm, a pool, a deadlock",
	.params = params,
	.run = run,
};
