/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A storm of getppid(2), the cheapest call: flat out, or --rate per second over all threads. The
 * number made is exact and counted by the threads themselves; a rate which the machine cannot
 * keep up with gives fewer calls, never a longer run. The clock is read once per batch, through
 * the vDSO where the machine has one.
 */
#include "workload.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sys/syscall.h>

#define BATCH	    256
#define THREADS_MAX 1024
#define TICK_NS	    NS_PER_MS

static uint64_t rate;
static uint64_t thread_count = 1;

struct storm {
	pthread_t thread;
	pthread_barrier_t *begin;
	uint64_t duration_ns;
	uint64_t quota; /* of this thread, when there is a rate */
	uint64_t made;
};

static void call_many(struct storm *storm, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		syscall(SYS_getppid);
	storm->made += count;
}

static void run_flat_out(struct storm *storm, uint64_t end_ns)
{
	while (clock_ns(CLOCK_MONOTONIC) < end_ns)
		call_many(storm, BATCH);
}

static uint64_t quota_due(const struct storm *storm, uint64_t elapsed_ns)
{
	if (elapsed_ns >= storm->duration_ns)
		return storm->quota;
	return (uint64_t)((unsigned __int128)storm->quota * elapsed_ns / storm->duration_ns);
}

/* The last round comes at the end: it makes what is still due if that is within one batch. */
static void run_paced(struct storm *storm, uint64_t start_ns)
{
	uint64_t pause = storm->quota ? storm->duration_ns / storm->quota : storm->duration_ns;
	uint64_t now, left, due;

	if (pause < TICK_NS)
		pause = TICK_NS;
	do {
		now = clock_ns(CLOCK_MONOTONIC);
		due = quota_due(storm, now - start_ns) - storm->made;
		call_many(storm, due < BATCH ? due : BATCH);
		if (due >= BATCH || now >= start_ns + storm->duration_ns)
			continue;
		left = start_ns + storm->duration_ns - now;
		sleep_ns(left < pause ? left : pause);
	} while (now < start_ns + storm->duration_ns);
}

static void *storm_run(void *arg)
{
	struct storm *storm = arg;
	uint64_t start;

	pthread_barrier_wait(storm->begin);
	start = clock_ns(CLOCK_MONOTONIC);
	if (rate)
		run_paced(storm, start);
	else
		run_flat_out(storm, start + storm->duration_ns);
	return NULL;
}

static int report(const struct workload *w, const struct storm *storms)
{
	autotruth truth = { 0 };
	uint64_t total = 0;
	int err = truth_begin(&truth);

	if (err)
		return err;
	for (uint64_t i = 0; i < thread_count; i++)
		total += storms[i].made;
	printf("getppid %" PRIu64 " 0\n", total);
	fprintf(truth.out, "getppid %" PRIu64 " 0\n", total);
	return truth_commit(&truth, w);
}

static int run(const struct workload *w)
{
	autofree struct storm *storms = calloc(thread_count, sizeof(*storms));
	uint64_t total = (uint64_t)((unsigned __int128)rate * w->duration_ns / NS_PER_SEC);
	pthread_barrier_t begin;
	int err;

	if (!storms)
		return -ENOMEM;
	pthread_barrier_init(&begin, NULL, (unsigned int)thread_count + 1);
	for (uint64_t i = 0; i < thread_count; i++) {
		storms[i].begin = &begin;
		storms[i].duration_ns = w->duration_ns;
		storms[i].quota = total / thread_count + (i < total % thread_count ? 1 : 0);
		err = -pthread_create(&storms[i].thread, NULL, storm_run, &storms[i]);
		if (err) {
			perror("workloads: storm: pthread_create");
			exit(EXIT_FAILURE); /* threads wait on our stack */
		}
	}
	err = workload_ready(w);
	if (err)
		exit(EXIT_FAILURE);
	pthread_barrier_wait(&begin);
	for (uint64_t i = 0; i < thread_count; i++)
		pthread_join(storms[i].thread, NULL);
	return report(w, storms);
}

static const struct param params[] = {
	{ "rate", "R", "calls per second over all threads, 0: flat out (0)", PARAM_NUMBER, &rate, 0,
		1000000000 },
	{ "threads", "T", "threads making them (1)", PARAM_NUMBER, &thread_count, 1, THREADS_MAX },
	{ 0 },
};

const struct scenario scenario_storm = {
	.name = "storm",
	.help = "getppid as often as possible, or at a rate",
	.params = params,
	.run = run,
};
