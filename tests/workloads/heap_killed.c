/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A child whose --threads threads call malloc() and free() flat out until its parent ends it with
 * SIGKILL, in the midst of them. Each thread leaves its counts where the parent finds them; of
 * each function a thread may have made one call more than it could still note: "slack" calls.
 */
#include "heap.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#define THREADS_MAX 64
#define SIZE	    99

static struct {
	uint64_t threads, after_ns;
} options = { .threads = 1, .after_ns = 100 * NS_PER_MS };

static void *storm(void *arg)
{
	struct heap_image *image = arg;
	struct heap_calls *calls = image->aggregate.calls;
	volatile uint64_t *given = &calls[HEAP_MALLOC].count, *freed = &calls[HEAP_FREE].count;

	for (;;) {
		void *block = heap_program.malloc(SIZE);

		++*given;
		heap_program.free(block);
		++*freed;
	}
	return NULL;
}

_Noreturn static void child_run(struct heap_board *board, int ready_fd)
{
	struct heap_image *first = heap_board_add(board, false);
	pthread_t thread;

	for (uint64_t i = 1; i < options.threads; i++)
		if (pthread_create(&thread, NULL, storm, heap_board_add(board, false)))
			_exit(EXIT_FAILURE);
	if (write(ready_fd, "", 1) == 1)
		storm(first);
	_exit(EXIT_FAILURE);
}

static int kill_in_midst(struct heap_board *board)
{
	autoclose int parent_fd = parent_open();
	int fds[2], status;
	char byte;
	pid_t pid;

	if (parent_fd < 0)
		return parent_fd;
	if (pipe(fds))
		return -errno;
	pid = child_fork(parent_fd);
	if (pid < 0)
		return pid;
	if (!pid)
		child_run(board, fds[1]);
	close(fds[1]);
	if (read(fds[0], &byte, 1) == 1)
		sleep_ns(options.after_ns);
	close(fds[0]);
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : -EIO;
}

static int run(const struct workload *w)
{
	struct heap_board *board = NULL;
	int err = heap_board_new(&board, NULL);

	if (!err)
		err = workload_ready(w);
	if (!err)
		err = kill_in_midst(board);
	if (err)
		return err;
	for (uint64_t i = 0; i < options.threads; i++) {
		struct heap_aggregate *aggregate = &board->images[i].aggregate;

		aggregate->calls[HEAP_MALLOC].bytes = SIZE * aggregate->calls[HEAP_MALLOC].count;
	}
	return heap_truth_write(w, "heap_killed", board,
		(struct heap_fact[]){ { "slack", options.threads }, { 0 } });
}

static const struct param params[] = {
	{ "threads", "T", "threads of the child (1)", PARAM_NUMBER, &options.threads, 1,
		THREADS_MAX },
	{ "after", "S", "seconds until it is killed (0.1)", PARAM_SECONDS, &options.after_ns, 0,
		WORKLOAD_SECONDS_MAX *NS_PER_SEC },
	{ 0 },
};

const struct scenario scenario_heap_killed = {
	.name = "heap_killed",
	.help = "killed in the midst of allocations",
	.params = params,
	.run = run,
};
