/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that end, one after another, each after it has allocated and freed blocks of its own:
 * glibc keeps some freed blocks for the thread, and frees them once more when it ends. Without
 * --blocks the threads make no call, so only those of the C library are left.
 */
#include "heap.h"

#include <errno.h>

#define BLOCKS_MAX 64
#define STEP	   48 /* so that blocks are of several sizes, of which few are kept each */

static struct {
	uint64_t threads, blocks;
} options = { .threads = 5, .blocks = 0 };

static struct heap_aggregate aggregate;

static void *work(void *unused)
{
	void *blocks[BLOCKS_MAX];

	for (uint64_t i = 0; i < options.blocks; i++) {
		struct heap_request request = { HEAP_MALLOC, NULL, 11 + STEP * (i / 4), 1, 0 };

		blocks[i] = heap_call(&heap_program, &request, &aggregate);
	}
	for (uint64_t i = 0; i < options.blocks; i++)
		heap_free(&heap_program, blocks[i], &aggregate);
	return unused;
}

static int run(const struct workload *w)
{
	struct heap_board *board = NULL;
	int err = heap_board_new(&board, NULL);

	if (!err)
		err = workload_ready(w);
	for (uint64_t i = 0; i < options.threads && !err; i++) {
		pthread_t thread;

		err = -pthread_create(&thread, NULL, work, NULL);
		if (!err)
			err = -pthread_join(thread, NULL);
	}
	if (err)
		return err;
	heap_board_add(board, false)->aggregate = aggregate;
	return heap_truth_write(w, "heap_ending", board, NULL);
}

static const struct param params[] = {
	{ "threads", "N", "threads (5)", PARAM_NUMBER, &options.threads, 1, 1000 },
	{ "blocks", "N", "that each allocates and frees (none)", PARAM_NUMBER, &options.blocks, 0,
		BLOCKS_MAX },
	{ 0 },
};

const struct scenario scenario_heap_ending = {
	.name = "heap_ending",
	.help = "threads that end after they have freed their blocks",
	.params = params,
	.run = run,
};
