/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A parent allocates --blocks blocks before "ready" and as many after it, then forks. The child
 * gives all of them back, the parent none; after --release the parent does as well, the healthy
 * twin. So the same address is given back in two processes, and is no double free in either.
 */
#include "heap.h"

#include <errno.h>

#define BLOCKS_MAX 100000
#define SIZE(i)	   (1011 + 16 * ((i) % 997))

static struct {
	uint64_t blocks;
	bool releases;
} options = { .blocks = 100 };

static void allocate(void **blocks, struct heap_aggregate *aggregate, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++) {
		struct heap_request request = { HEAP_MALLOC, NULL, SIZE(i), 1, 0 };

		blocks[i] = heap_call(&heap_program, &request, aggregate);
		aggregate->live_blocks++;
		aggregate->live_bytes += SIZE(i);
	}
}

static void release(void **blocks, struct heap_aggregate *aggregate, bool is_inherited)
{
	for (uint64_t i = 0; i < 2 * options.blocks; i++) {
		heap_free(&heap_program, blocks[i], aggregate);
		if (is_inherited) {
			aggregate->inherited_blocks++;
			aggregate->inherited_bytes += SIZE(i);
		} else {
			aggregate->live_blocks--;
			aggregate->live_bytes -= SIZE(i);
		}
	}
}

static int run(const struct workload *w)
{
	void **blocks = heap_memory(2 * options.blocks * sizeof(*blocks));
	static struct heap_aggregate before;
	struct heap_board *board = NULL;
	struct heap_image *image;
	int parent_fd = parent_open();
	int err = heap_board_new(&board, NULL);
	pid_t pid;

	if (err || !blocks || parent_fd < 0)
		return err ? err : -ENOMEM;
	allocate(blocks, &before, 0, options.blocks);
	err = workload_ready(w);
	if (err)
		return err;
	image = heap_board_add(board, false);
	allocate(blocks, &image->aggregate, options.blocks, 2 * options.blocks);
	image->aggregate.peak_bytes = image->aggregate.live_bytes;
	pid = child_fork(parent_fd);
	if (pid < 0)
		return pid;
	if (!pid) {
		release(blocks, &heap_board_add(board, false)->aggregate, true);
		_exit(EXIT_SUCCESS);
	}
	err = child_wait(pid);
	if (options.releases)
		release(blocks, &image->aggregate, false);
	image->aggregate.live_bytes += before.live_bytes;
	image->aggregate.live_blocks += before.live_blocks;
	return err ? err
		   : heap_truth_write(w, "heap_inherited", board,
			     (struct heap_fact[]){ { "before_ready", options.blocks },
				     { "before_ready_bytes", before.live_bytes }, { 0 } });
}

static const struct param params[] = {
	{ "blocks", "N", "before \"ready\", and as many after (100)", PARAM_NUMBER, &options.blocks,
		1, BLOCKS_MAX },
	{ "release", NULL, "the parent gives them back as well", PARAM_FLAG, &options.releases, 0,
		0 },
	{ 0 },
};

const struct scenario scenario_heap_inherited = {
	.name = "heap_inherited",
	.help = "a child gives back what its parent allocated",
	.params = params,
	.run = run,
};
