/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads allocate and free while another loads a library and allocates by its functions: calls of
 * two sizes, that no other has. --leaves of the library's malloc() are left by a jump of a signal
 * handler's kind (heap_forward.c). The counts are in the truth as facts. Threads that have ended
 * their turns sleep for good.
 */
#include "heap.h"

#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <string.h>

#define THREADS_MAX 64
#define OWN_SIZE    70003 /* of the threads */
#define LATE_SIZE   40003
#define MEET	    200 /* calls of each thread before the library is loaded */

static struct {
	uint64_t turns, threads, leaves;
	bool is_deep;
	char *library, *get, *put;
} options = { .turns = 1000 };

static atomic_uint_fast64_t calls, ended;
static atomic_bool is_over;
static sigjmp_buf *out;

static bool find(void *library, const char *name, void *function)
{
	void *at = dlsym(library, name);

	memcpy(function, &at, sizeof(at));
	return at;
}

static void *churn(void *unused)
{
	(void)unused;
	while (!atomic_load(&is_over)) {
		heap_program.free(heap_program.malloc(OWN_SIZE));
		atomic_fetch_add(&calls, 1);
	}
	atomic_fetch_add(&ended, 1);
	for (;;)
		pause();
	return NULL;
}

static int start_threads(void)
{
	pthread_t thread;

	for (uint64_t i = 0; i < options.threads; i++)
		if (pthread_create(&thread, NULL, churn, NULL))
			return -EAGAIN;
	while (atomic_load(&calls) < MEET * options.threads)
		usleep(100);
	return 0;
}

static void leave(void)
{
	siglongjmp(*out, 1);
}

__attribute__((noinline)) static void leave_call(void *(*get)(size_t), void (**inside)(void))
{
	sigjmp_buf here;

	if (sigsetjmp(here, 1))
		return;
	out = &here;
	*inside = leave;
	get(LATE_SIZE);
	abort(); /* it did not leave */
}

static int use_library(void)
{
	void *library = dlopen(
		options.library, RTLD_NOW | RTLD_LOCAL | (options.is_deep ? RTLD_DEEPBIND : 0));
	void (**inside)(void) = library ? dlsym(library, "heap_forward_inside") : NULL;
	void *(*get)(size_t);
	void (*put)(void *);

	if (!library || !find(library, options.get ? options.get : "malloc", &get) ||
		!find(library, options.put ? options.put : "free", &put) ||
		(options.leaves && !inside)) {
		fprintf(stderr, "workloads: heap_around: %s\n", dlerror());
		return -ENOENT;
	}
	for (uint64_t i = 0; i < options.turns; i++) {
		if (i < options.leaves) {
			leave_call(get, inside);
			*inside = NULL;
		}
		put(get(LATE_SIZE));
	}
	return 0;
}

static int run(const struct workload *w)
{
	struct heap_board *board = NULL;
	int err = heap_board_new(&board, NULL);

	if (!err && !options.library)
		err = -EINVAL;
	if (!err)
		err = workload_ready(w);
	if (!err)
		err = start_threads();
	if (!err)
		err = use_library();
	atomic_store(&is_over, true);
	while (!err && atomic_load(&ended) < options.threads)
		usleep(100);
	const struct heap_fact facts[] = { { "own", atomic_load(&calls) },
		{ "late", options.turns }, { 0 } };

	return err ? err : heap_truth_write(w, "heap_around", board, facts);
}

static const struct param params[] = {
	{ "library", "FILE", "the library", PARAM_TEXT, &options.library, 0, 0 },
	{ "get", "NAME", "its function that allocates (malloc)", PARAM_TEXT, &options.get, 0, 0 },
	{ "put", "NAME", "its function that frees (free)", PARAM_TEXT, &options.put, 0, 0 },
	{ "deep", NULL, "load it with RTLD_DEEPBIND", PARAM_FLAG, &options.is_deep, 0, 0 },
	{ "turns", "N", "calls of its functions (1000)", PARAM_NUMBER, &options.turns, 0,
		1000000000 },
	{ "threads", "T", "threads that call the program's meanwhile (0)", PARAM_NUMBER,
		&options.threads, 0, THREADS_MAX },
	{ "leaves", "N", "calls that are left by a jump (0)", PARAM_NUMBER, &options.leaves, 0,
		1000000 },
	{ 0 },
};

const struct scenario scenario_heap_around = {
	.name = "heap_around",
	.help = "calls of a library that is loaded while threads allocate",
	.params = params,
	.run = run,
};
