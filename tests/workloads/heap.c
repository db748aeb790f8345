/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of all ten functions of the allocator in all their forms, at random from the seed: by
 * --threads threads of each of 1 + --forks processes, which inherit blocks and give them back,
 * and once more by each child after execve(2). What each called is exact, and so is what was
 * alive at its end; the peak is exact with one thread.
 *
 * Beside these calls a process makes those of libc when it starts and creates a thread: as many
 * with --turns 0, the twin to compare with. Between "ready" and the end it makes none but ours
 * when there is one thread and no fork.
 */
#include "heap.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define THREADS_MAX 64
#define FORKS_MAX   64
#define LARGEST	    (UINT64_C(1) << 20)

static struct {
	uint64_t threads, forks, exec, turns;
	char *without;
	uint64_t board_fd;
	bool is_fresh;
} options = { .threads = 1, .turns = 1000 };

static struct heap_worker *workers;
static pthread_barrier_t begin, done;

static int leave_out(char *names)
{
	for (char *save, *name = strtok_r(names, ",", &save); name;
		name = strtok_r(NULL, ",", &save)) {
		if (!strcmp(name, "pvalloc"))
			heap_program.pvalloc = NULL;
		else if (!strcmp(name, "valloc"))
			heap_program.valloc = NULL;
		else if (!strcmp(name, "memalign"))
			heap_program.memalign = NULL;
		else if (!strcmp(name, "aligned_alloc"))
			heap_program.aligned_alloc = NULL;
		else if (!strcmp(name, "reallocarray"))
			heap_program.reallocarray = NULL;
		else
			return -EINVAL;
	}
	return 0;
}

/* The main thread is worker 0. The others are there, and wait, when this returns. */
static int workers_start(uint64_t seed)
{
	int err = 0;

	pthread_barrier_init(&begin, NULL, (unsigned int)options.threads);
	pthread_barrier_init(&done, NULL, (unsigned int)options.threads);
	for (uint64_t i = 0; i < options.threads && !err; i++) {
		struct heap_worker *worker = &workers[i];

		if (i)
			worker->used = 0;
		heap_worker_inherit(worker);
		worker->begin = &begin;
		worker->done = &done;
		worker->allocator = &heap_program;
		worker->random = random_next(&seed);
		worker->turns = options.turns;
		if (i)
			err = -pthread_create(&worker->thread, NULL, heap_worker_thread, worker);
	}
	return err;
}

/* What the other threads and the table between them leave is known once all are done. */
static int workers_end(struct heap_board *board, bool is_exec)
{
	struct heap_image *image = heap_board_add(board, is_exec);
	int err = 0;

	if (!image)
		return -ENOSPC;
	for (uint32_t i = 0; i < workers[0].used; i++)
		if (!workers[0].blocks[i].is_inherited) {
			image->aggregate.live_blocks++;
			image->aggregate.live_bytes += workers[0].blocks[i].size;
		}
	for (uint64_t i = 0; i < options.threads; i++) {
		heap_aggregate_add(&image->aggregate, &workers[i].aggregate);
		if (workers[i].err)
			err = workers[i].err;
	}
	heap_exchange_sum(&image->aggregate);
	image->aggregate.peak_bytes = heap_live_peak();
	image->aggregate.peak_slack_bytes = options.threads > 1 ? 2 * options.threads * LARGEST : 0;
	return err;
}

static int image_run(struct heap_board *board, bool is_exec)
{
	pthread_barrier_wait(&begin);
	heap_worker_run(&workers[0], options.turns);
	pthread_barrier_wait(&done);
	return workers_end(board, is_exec);
}

/* The same again in a fresh image, whose comm is "exe". */
static void exec_again(uint64_t seed)
{
	char threads[24], turns[24], text[24], fd[24];
	char *argv[] = { "workloads", "heap", "--fresh", "--board", fd, "--threads", threads,
		"--turns", turns, "--seed", text, "--without", options.without, NULL };

	snprintf(fd, sizeof(fd), "%" PRIu64, options.board_fd);
	snprintf(threads, sizeof(threads), "%" PRIu64, options.threads);
	snprintf(turns, sizeof(turns), "%" PRIu64, options.turns);
	snprintf(text, sizeof(text), "%" PRIu64, seed);
	if (!options.without)
		argv[ARRAY_SIZE(argv) - 3] = NULL;
	execv("/proc/self/exe", argv);
	perror("workloads: heap: execv");
}

_Noreturn static void child_run(struct heap_board *board, uint64_t seed)
{
	int err;

	heap_exchange_forget();
	heap_live_forget();
	err = workers_start(seed);
	if (!err)
		err = image_run(board, false);
	if (!err && options.exec) {
		exec_again(seed + 1);
		err = -EIO;
	}
	_exit(err ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Children are forked while the other threads are at work, and have blocks of the main thread. */
static int tree_run(const struct workload *w, struct heap_board *board)
{
	/* Valgrind, which confirms these counts for one process, knows no pidfd. */
	autoclose int parent_fd = options.forks ? parent_open() : -1;
	pid_t pids[FORKS_MAX];
	int err = 0;

	if (options.forks && parent_fd < 0)
		return parent_fd;
	pthread_barrier_wait(&begin);
	heap_worker_run(&workers[0], options.turns / 2);
	for (uint64_t i = 0; i < options.forks; i++) {
		pids[i] = child_fork(parent_fd);
		if (pids[i] < 0)
			return pids[i];
		if (!pids[i])
			child_run(board, w->seed + 2 * (i + 1));
	}
	heap_worker_run(&workers[0], options.turns - options.turns / 2);
	for (uint64_t i = 0; i < options.forks && !err; i++)
		err = child_wait(pids[i]);
	pthread_barrier_wait(&done);
	return err ? err : workers_end(board, false);
}

static int run(const struct workload *w)
{
	struct heap_board *board = NULL;
	int err, fd = -1;

	/* Given out of the options, so that the copy goes on to the fresh image. */
	char without[256] = "";

	if (options.without)
		snprintf(without, sizeof(without), "%s", options.without);
	err = leave_out(without);
	workers = heap_memory(options.threads * sizeof(*workers));
	if (!err && !workers)
		err = -ENOMEM;
	if (!err)
		err = workers_start(w->seed);
	if (!err && options.is_fresh) {
		err = heap_board_open(&board, (int)options.board_fd);
		return err ? err : image_run(board, true);
	}
	if (!err)
		err = heap_board_new(&board, &fd);
	options.board_fd = (uint64_t)fd;
	if (!err)
		err = workload_ready(w);
	if (!err)
		err = tree_run(w, board);
	return err ? err : heap_truth_write(w, "heap", board, NULL);
}

static const struct param params[] = {
	{ "threads", "T", "threads of each process (1)", PARAM_NUMBER, &options.threads, 1,
		THREADS_MAX },
	{ "forks", "F", "forked children, each doing the same (0)", PARAM_NUMBER, &options.forks, 0,
		FORKS_MAX },
	{ "exec", "0|1", "each child does it again after execve (0)", PARAM_NUMBER, &options.exec,
		0, 1 },
	{ "turns", "N", "calls of each thread, free(NULL) included (1000)", PARAM_NUMBER,
		&options.turns, 0, 1000000000 },
	{ "without", "NAMES", "functions to leave out, with commas between", PARAM_TEXT,
		&options.without, 0, 0 },
	{ "fresh", NULL, NULL, PARAM_FLAG, &options.is_fresh, 0, 0 },
	{ "board", "FD", NULL, PARAM_NUMBER, &options.board_fd, 0, INT32_MAX },
	{ 0 },
};

const struct scenario scenario_heap = {
	.name = "heap",
	.help = "exactly known calls of the allocator",
	.params = params,
	.run = run,
};
