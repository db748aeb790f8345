/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process with --count sleeping threads named "worker-0", "worker-1", ... beside the main
 * thread. All of them exist and have their names before "ready".
 */
#include "workload.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>

#define THREADS_MAX 4096
#define STACK_BYTES (64 * 1024)
#define COMM_SIZE   16

static uint64_t thread_count = 1;

struct worker {
	uint64_t index;
	pid_t tid;
	pthread_barrier_t *named;
};

static void *worker_run(void *arg)
{
	struct worker *worker = arg;
	char name[COMM_SIZE];

	snprintf(name, sizeof(name), "worker-%u", (unsigned int)(worker->index % THREADS_MAX));
	pthread_setname_np(pthread_self(), name);
	worker->tid = gettid();
	pthread_barrier_wait(worker->named);
	sleep_ns(WORKLOAD_SECONDS_MAX * NS_PER_SEC);
	return NULL;
}

static int workers_start(struct worker *workers, pthread_barrier_t *named)
{
	pthread_attr_t attr;
	pthread_t thread;
	int err = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (uint64_t i = 0; i < thread_count && !err; i++) {
		workers[i] = (struct worker){ .index = i, .named = named };
		err = -pthread_create(&thread, &attr, worker_run, &workers[i]);
	}
	pthread_attr_destroy(&attr);
	return err;
}

/* Workers and barrier are static or never freed: the threads use them until the process ends. */
static int run(const struct workload *w)
{
	static pthread_barrier_t named;
	struct worker *workers = calloc(thread_count, sizeof(*workers));
	autotruth truth = { 0 };
	int err;

	if (!workers)
		return -ENOMEM;
	pthread_barrier_init(&named, NULL, (unsigned int)thread_count + 1);
	err = workers_start(workers, &named);
	if (!err)
		err = truth_begin(&truth);
	if (err)
		return err;
	pthread_barrier_wait(&named);
	for (uint64_t i = 0; i < thread_count; i++)
		fprintf(truth.out, "thread %d worker-%" PRIu64 "\n", workers[i].tid, i);
	err = truth_commit(&truth, w);
	return err ? err : workload_stay(w);
}

static const struct param params[] = {
	{ "count", "N", "threads beside the main thread (1)", PARAM_NUMBER, &thread_count, 1,
		THREADS_MAX },
	{ 0 },
};

const struct scenario scenario_threads = {
	.name = "threads",
	.help = "sleeping threads named worker-N",
	.params = params,
	.run = run,
};
