/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --count signals whose handler allocates and gives back: sent to itself between calls of the
 * allocator, where that is a call as any other. With --inside the signal comes in the midst of
 * malloc(), so the handler's calls are made inside another and are no outermost ones. That needs
 * an allocator that can bear it (heap_own.c); without it: "this machine cannot".
 */
#include "heap.h"

#include <errno.h>
#include <signal.h>

#define SIZE	   1011
#define INNER_SIZE 2019

static struct {
	uint64_t count;
	bool is_inside;
} options = { .count = 100 };

static struct heap_aggregate aggregate, nested;
static atomic_bool is_selected;

static void on_signal(int number)
{
	struct heap_request request = { HEAP_MALLOC, NULL, INNER_SIZE, 1, 0 };
	struct heap_aggregate *into = options.is_inside ? &nested : &aggregate;

	(void)number;
	heap_free(&heap_program, heap_call(&heap_program, &request, into), into);
}

/* Once for each call from outside: the handler's own call comes through here as well. */
static void inside(void)
{
	if (atomic_exchange(&is_selected, false))
		raise(SIGUSR1);
}

static int run(const struct workload *w)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct heap_request request = { HEAP_MALLOC, NULL, SIZE, 1, 0 };
	struct heap_board *board = NULL;
	int err = heap_board_new(&board, NULL);

	if (options.is_inside && !&heap_own_inside)
		return -EOPNOTSUPP;
	if (!err && sigaction(SIGUSR1, &action, NULL))
		err = -errno;
	if (!err)
		err = workload_ready(w);
	if (err)
		return err;
	if (options.is_inside)
		heap_own_inside = inside;
	for (uint64_t i = 0; i < options.count; i++) {
		void *block;

		atomic_store(&is_selected, options.is_inside);
		block = heap_call(&heap_program, &request, &aggregate);
		if (!options.is_inside)
			raise(SIGUSR1);
		heap_free(&heap_program, block, &aggregate);
	}
	if (options.is_inside)
		heap_own_inside = NULL;
	aggregate.peak_bytes = SIZE + (options.is_inside ? 0 : INNER_SIZE);
	heap_board_add(board, false)->aggregate = aggregate;
	return heap_truth_write(w, "heap_signal", board,
		(struct heap_fact[]){ { "nested", 2 * nested.calls[HEAP_MALLOC].count }, { 0 } });
}

static const struct param params[] = {
	{ "count", "N", "signals (100)", PARAM_NUMBER, &options.count, 1, 1000000 },
	{ "inside", NULL, "in the midst of malloc", PARAM_FLAG, &options.is_inside, 0, 0 },
	{ 0 },
};

const struct scenario scenario_heap_signal = {
	.name = "heap_signal",
	.help = "allocations in a signal handler",
	.params = params,
	.run = run,
};
