/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pairs of malloc() and free() as fast as they go, or --rate per second over all threads: until
 * --pairs of each thread are made, or for --seconds. What is written into each block is read back
 * and summed: the answer is the same for the same seed, threads and pairs, whoever watches, and a
 * wrong one is a failure. SIGTERM ends it before its time.
 *
 * --timing says what a pair took, as `storm --timing` does: bench/ compares these.
 */
#include "heap.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>

#define BATCH	    64
#define THREADS_MAX 64
#define TICK_NS	    NS_PER_MS
#define TIMED_MAX   (1 << 18) /* batches of a thread that --timing keeps: the first */

static struct {
	uint64_t threads, pairs, rate, size;
	bool is_timed;
} options = { .threads = 1, .size = 99 };

static pthread_barrier_t begin, done;
static volatile sig_atomic_t is_over;

struct storm {
	pthread_t thread;
	uint64_t duration_ns;
	uint64_t limit; /* pairs; UINT64_MAX: as many as there is time for */
	uint64_t first; /* what is written is this and one more for each pair */
	struct heap_aggregate aggregate;
	uint64_t made;
	uint64_t answer;
	uint64_t wall_ns;
	uint64_t cpu_ns;
	uint64_t *batch_ns; /* with --timing and no rate */
	size_t batches;
	bool has_failed;
};

static void pairs(struct storm *storm, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		volatile uint64_t *block = heap_program.malloc(options.size);

		if (!block) {
			storm->has_failed = true;
			return;
		}
		*block = storm->first + storm->made + i;
		storm->answer += *block;
		heap_program.free((void *)block);
	}
	storm->made += count;
}

static void run_flat_out(struct storm *storm, uint64_t end_ns)
{
	uint64_t before = clock_ns(CLOCK_MONOTONIC), now;

	while (!is_over && before < end_ns && storm->made < storm->limit && !storm->has_failed) {
		uint64_t left = storm->limit - storm->made;

		pairs(storm, left < BATCH ? left : BATCH);
		now = clock_ns(CLOCK_MONOTONIC);
		if (storm->batch_ns && storm->batches < TIMED_MAX)
			storm->batch_ns[storm->batches++] = now - before;
		before = now;
	}
}

static void run_paced(struct storm *storm, uint64_t start_ns)
{
	double per_ns = (double)options.rate / (double)options.threads / NS_PER_SEC;

	while (!is_over && storm->made < storm->limit && !storm->has_failed) {
		uint64_t elapsed = clock_ns(CLOCK_MONOTONIC) - start_ns;
		uint64_t due = (uint64_t)(per_ns * (double)elapsed);

		if (elapsed >= storm->duration_ns)
			return;
		due = due < storm->limit ? due : storm->limit;
		pairs(storm, due > storm->made ? due - storm->made : 0);
		sleep_ns(TICK_NS);
	}
}

static void storm_run(struct storm *storm)
{
	uint64_t start, cpu;

	pthread_barrier_wait(&begin);
	cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	start = clock_ns(CLOCK_MONOTONIC);
	if (options.rate)
		run_paced(storm, start);
	else
		run_flat_out(storm, start + storm->duration_ns);
	storm->wall_ns = clock_ns(CLOCK_MONOTONIC) - start;
	storm->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	storm->aggregate.calls[HEAP_MALLOC].count = storm->made;
	storm->aggregate.calls[HEAP_MALLOC].bytes = storm->made * options.size;
	storm->aggregate.calls[HEAP_FREE].count = storm->made;
	pthread_barrier_wait(&done);
}

static void *storm_thread(void *arg)
{
	storm_run(arg);
	for (;;)
		sleep_ns(WORKLOAD_SECONDS_MAX * NS_PER_SEC);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* One line a thread: pairs, wall and CPU time, and ns a pair in the median batch (0: none). */
static void report_timing(struct storm *storm)
{
	double median = 0;

	if (storm->batches) {
		qsort(storm->batch_ns, storm->batches, sizeof(*storm->batch_ns), compare);
		median = (double)storm->batch_ns[storm->batches / 2] / BATCH;
	}
	printf("timing %" PRIu64 " %" PRIu64 " %" PRIu64 " %.2f\n", storm->made, storm->wall_ns,
		storm->cpu_ns, median);
}

static bool is_right(const struct storm *storm)
{
	uint64_t n = storm->made;
	uint64_t gauss = n % 2 ? (n - 1) / 2 * n : n / 2 * (n - 1);

	return !storm->has_failed && storm->answer == n * storm->first + gauss;
}

static int report(const struct workload *w, const struct storm *storms)
{
	struct heap_board *board = NULL;
	struct heap_image *image;
	uint64_t answer = 0, made = 0;
	int err = heap_board_new(&board, NULL);

	if (err)
		return err;
	image = heap_board_add(board, false);
	for (uint64_t i = 0; i < options.threads; i++) {
		if (!is_right(&storms[i]))
			return -EIO;
		heap_aggregate_add(&image->aggregate, &storms[i].aggregate);
		answer ^= storms[i].answer;
		made += storms[i].made;
	}
	image->aggregate.peak_bytes = made ? options.size : 0;
	image->aggregate.peak_slack_bytes = (options.threads - 1) * options.size;
	printf("answer %" PRIu64 "\n", answer);
	return heap_truth_write(w, "heap_storm", board,
		(struct heap_fact[]){ { "pairs", made }, { "answer", answer }, { 0 } });
}

static void end_early(int number)
{
	(void)number;
	is_over = 1;
}

static int run(const struct workload *w)
{
	static const struct sigaction on_term = { .sa_handler = end_early };
	struct storm *storms = heap_memory(options.threads * sizeof(*storms));
	uint64_t seed = w->seed;
	int err = 0;

	if (!storms)
		return -ENOMEM;
	sigaction(SIGTERM, &on_term, NULL);
	pthread_barrier_init(&begin, NULL, (unsigned int)options.threads);
	pthread_barrier_init(&done, NULL, (unsigned int)options.threads);
	for (uint64_t i = 0; i < options.threads && !err; i++) {
		bool is_limited = options.pairs > 0;

		storms[i].first = random_next(&seed);
		storms[i].limit = is_limited ? options.pairs : UINT64_MAX;
		storms[i].duration_ns =
			is_limited ? WORKLOAD_SECONDS_MAX * NS_PER_SEC : w->duration_ns;
		if (options.is_timed && !options.rate)
			storms[i].batch_ns = heap_memory(TIMED_MAX * sizeof(uint64_t));
		if (i)
			err = -pthread_create(&storms[i].thread, NULL, storm_thread, &storms[i]);
	}
	if (!err)
		err = workload_ready(w);
	if (err)
		return err;
	storm_run(&storms[0]);
	for (uint64_t i = 0; i < options.threads && options.is_timed; i++)
		report_timing(&storms[i]);
	return report(w, storms);
}

static const struct param params[] = {
	{ "rate", "R", "pairs per second over all threads, 0: flat out (0)", PARAM_NUMBER,
		&options.rate, 0, 1000000000 },
	{ "pairs", "N", "pairs of each thread, 0: for --seconds (0)", PARAM_NUMBER, &options.pairs,
		0, UINT64_MAX },
	{ "threads", "T", "threads making them (1)", PARAM_NUMBER, &options.threads, 1,
		THREADS_MAX },
	{ "size", "BYTES", "asked for, at least 8 (99)", PARAM_NUMBER, &options.size, 8, 1 << 30 },
	{ "timing", NULL, "print a line `timing PAIRS WALL_NS CPU_NS MEDIAN_NS` a thread",
		PARAM_FLAG, &options.is_timed, 0, 0 },
	{ 0 },
};

const struct scenario scenario_heap_storm = {
	.name = "heap_storm",
	.help = "malloc and free as often as possible, or at a rate",
	.params = params,
	.run = run,
};
