/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A storm of getppid(2), the cheapest call: flat out, or --rate per second over all threads. The
 * number made is exact and counted by the threads themselves; a rate which the machine cannot
 * keep up with gives fewer calls, never a longer run. The clock is read once per batch, through
 * the vDSO where the machine has one. --read makes it read(2) of one byte of /dev/zero instead,
 * --poll poll(2) of a pipe that stays empty.
 *
 * SIGTERM ends it before its time, and the number is that of the calls made until then. --least
 * goes on beyond its time until so many are made, for tests that need them on any machine.
 *
 * --timing says what a call took: the median over batches, which a batch that was preempted does
 * not move, and the wall and CPU time of the whole. bench/ compares these.
 */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#define BATCH	    256
#define THREADS_MAX 1024
#define TICK_NS	    NS_PER_MS
#define TIMED_MAX   (1 << 18) /* batches of a thread that --timing keeps: the first */

static uint64_t rate;
static uint64_t thread_count = 1;
static uint64_t least;
static volatile sig_atomic_t is_over;
static bool is_read;
static bool is_poll;
static bool is_timed;
static int zero_fd = -1;
static struct pollfd empty = { .events = POLLIN };

struct storm {
	pthread_t thread;
	pthread_barrier_t *begin;
	uint64_t duration_ns;
	uint64_t quota; /* of this thread, when there is a rate */
	uint64_t least; /* and without one */
	uint64_t made;
	uint64_t wall_ns;
	uint64_t cpu_ns;
	uint32_t *batch_ns; /* with --timing and no rate */
	size_t batches;
};

static void call_many(struct storm *storm, uint64_t count)
{
	char byte;

	if (is_read) {
		for (uint64_t i = 0; i < count; i++)
			syscall(SYS_read, zero_fd, &byte, 1);
	} else if (is_poll) {
		for (uint64_t i = 0; i < count; i++)
			poll(&empty, 1, 0);
	} else {
		for (uint64_t i = 0; i < count; i++)
			syscall(SYS_getppid);
	}
	storm->made += count;
}

static void note_batch(struct storm *storm, uint64_t ns)
{
	if (storm->batch_ns && storm->batches < TIMED_MAX)
		storm->batch_ns[storm->batches++] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

static void run_flat_out(struct storm *storm, uint64_t end_ns)
{
	uint64_t before = clock_ns(CLOCK_MONOTONIC);

	while (!is_over && (before < end_ns || storm->made < storm->least)) {
		uint64_t now;

		call_many(storm, BATCH);
		now = clock_ns(CLOCK_MONOTONIC);
		note_batch(storm, now - before);
		before = now;
	}
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
	} while (!is_over && now < start_ns + storm->duration_ns);
}

static void *storm_run(void *arg)
{
	struct storm *storm = arg;
	uint64_t start, cpu;

	pthread_barrier_wait(storm->begin);
	cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	start = clock_ns(CLOCK_MONOTONIC);
	if (rate)
		run_paced(storm, start);
	else
		run_flat_out(storm, start + storm->duration_ns);
	storm->wall_ns = clock_ns(CLOCK_MONOTONIC) - start;
	storm->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	return NULL;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* One line a thread: calls, wall and CPU time, and ns a call in the median batch (0: none). */
static void report_timing(struct storm *storm)
{
	double median = 0;

	if (storm->batches) {
		qsort(storm->batch_ns, storm->batches, sizeof(*storm->batch_ns), compare);
		median = (double)storm->batch_ns[storm->batches / 2] / BATCH;
	}
	printf("timing %" PRIu64 " %" PRIu64 " %" PRIu64 " %.2f\n", storm->made, storm->wall_ns,
		storm->cpu_ns, median);
	free(storm->batch_ns);
}

static int report(const struct workload *w, struct storm *storms)
{
	const char *name = is_read ? "read" : is_poll ? "poll" : "getppid";
	autotruth truth = { 0 };
	uint64_t total = 0;
	int err = truth_begin(&truth);

	if (err)
		return err;
	for (uint64_t i = 0; i < thread_count; i++)
		total += storms[i].made;
	printf("%s %" PRIu64 " 0\n", name, total);
	for (uint64_t i = 0; i < thread_count && is_timed; i++)
		report_timing(&storms[i]);
	if (is_read)
		fprintf(truth.out, "# libc reads as well\n# ");
	fprintf(truth.out, "%s %" PRIu64 " 0\n", name, total);
	return truth_commit(&truth, w);
}

static void end_early(int number)
{
	(void)number;
	is_over = 1;
}

static int run(const struct workload *w)
{
	static const struct sigaction on_term = { .sa_handler = end_early };
	autofree struct storm *storms = calloc(thread_count, sizeof(*storms));
	uint64_t total = (uint64_t)((unsigned __int128)rate * w->duration_ns / NS_PER_SEC);
	pthread_barrier_t begin;
	int err, ends[2];

	if (!storms)
		return -ENOMEM;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	empty.fd = ends[0];
	if (is_read && (zero_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC)) < 0)
		return -errno;
	sigaction(SIGTERM, &on_term, NULL);
	pthread_barrier_init(&begin, NULL, (unsigned int)thread_count + 1);
	for (uint64_t i = 0; i < thread_count; i++) {
		storms[i].begin = &begin;
		storms[i].duration_ns = w->duration_ns;
		storms[i].quota = total / thread_count + (i < total % thread_count ? 1 : 0);
		storms[i].least = (least + thread_count - 1) / thread_count;
		if (is_timed && !rate)
			storms[i].batch_ns = malloc(TIMED_MAX * sizeof(*storms[i].batch_ns));
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
	{ "least", "N", "flat out, so many even if it takes longer (0)", PARAM_NUMBER, &least, 0,
		1000000000 },
	{ "read", NULL, "read one byte of /dev/zero instead", PARAM_FLAG, &is_read, 0, 0 },
	{ "poll", NULL, "poll a pipe that stays empty instead", PARAM_FLAG, &is_poll, 0, 0 },
	{ "timing", NULL, "print a line `timing CALLS WALL_NS CPU_NS MEDIAN_NS` a thread",
		PARAM_FLAG, &is_timed, 0, 0 },
	{ 0 },
};

const struct scenario scenario_storm = {
	.name = "storm",
	.help = "getppid as often as possible, or at a rate",
	.params = params,
	.run = run,
};
