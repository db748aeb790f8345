/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --count times a signal comes in the midst of malloc(), and its handler leaves by siglongjmp():
 * the call was entered and never returns. In between are calls as any other, and --deep of them
 * nest: from the frame in which a call was left the next one is made, deeper in the stack.
 *
 * The C library may not be left like that; the allocator of heap_own.c may. Without it: "this
 * machine cannot".
 */
#include "heap.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>

#define SIZE	 1011
#define DEEP_MAX 1000

static struct {
	uint64_t count, deep;
} options = { .count = 100, .deep = 1 };

static struct heap_aggregate aggregate;
static atomic_bool is_selected;
static sigjmp_buf *out;

static void on_signal(int number)
{
	(void)number;
	siglongjmp(*out, 1);
}

static void inside(void)
{
	if (atomic_exchange(&is_selected, false))
		raise(SIGUSR1);
}

static void whole_call(void)
{
	struct heap_request request = { HEAP_MALLOC, NULL, SIZE, 1, 0 };

	heap_free(&heap_program, heap_call(&heap_program, &request, &aggregate), &aggregate);
}

__attribute__((noinline)) static void leave_call(uint64_t depth)
{
	sigjmp_buf here;
	volatile uint64_t left = depth;

	if (!sigsetjmp(here, 1)) {
		out = &here;
		atomic_store(&is_selected, true);
		heap_program.malloc(SIZE);
		abort(); /* it did not leave */
	}
	aggregate.calls[HEAP_MALLOC].unfinished++;
	whole_call();
	if (left > 1)
		leave_call(left - 1);
	whole_call();
}

static int run(const struct workload *w)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct heap_board *board = NULL;
	int err = heap_board_new(&board, NULL);

	if (!&heap_own_inside)
		return -EOPNOTSUPP;
	if (!err && sigaction(SIGUSR1, &action, NULL))
		err = -errno;
	if (!err)
		err = workload_ready(w);
	if (err)
		return err;
	heap_own_inside = inside;
	for (uint64_t i = 0; i < options.count; i++)
		leave_call(options.deep);
	heap_own_inside = NULL;
	aggregate.peak_bytes = SIZE;
	heap_board_add(board, false)->aggregate = aggregate;
	return heap_truth_write(w, "heap_longjmp", board, NULL);
}

static const struct param params[] = {
	{ "count", "N", "times (100)", PARAM_NUMBER, &options.count, 1, 1000000 },
	{ "deep", "N", "calls left inside of one another's frames (1)", PARAM_NUMBER, &options.deep,
		1, DEEP_MAX },
	{ 0 },
};

const struct scenario scenario_heap_longjmp = {
	.name = "heap_longjmp",
	.help = "malloc left by longjmp from a signal handler",
	.params = params,
	.run = run,
};
