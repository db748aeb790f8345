/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An allocator that comes late: after "ready" each of 1 + --forks processes loads a library that
 * defines the malloc family for itself (libheap-own.so beside this program), RTLD_LOCAL, and calls
 * its functions. The truth is of those calls alone: libc's are made by dlopen(3) itself, as many
 * with --turns 0. A watcher may learn of the library after its first calls; then it has to say so.
 * With --told each says "loaded PID" and calls nothing before it has read a byte of its standard
 * input, which all share: time for the watcher.
 */
#include "heap.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#define FORKS_MAX  64
#define PATH_BYTES 4096

static struct {
	uint64_t turns, forks;
	bool is_reported;
	char *library;
} options = { .turns = 1000 };

static struct heap_worker *worker;
static struct heap_allocator late;

/* An ISO C pointer to data cannot become one to a function; in POSIX they are alike. */
static bool find(void *library, const char *name, void *function)
{
	void *at = dlsym(library, name);

	memcpy(function, &at, sizeof(at));
	return at;
}

static int load(void)
{
	char path[PATH_BYTES] = "";
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *name = n > 0 ? strrchr(path, '/') : NULL;
	void *library;

	if (!name)
		return -errno;
	snprintf(name, sizeof(path) - (size_t)(name - path), "/libheap-own.so");
	library = dlopen(options.library ? options.library : path, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		fprintf(stderr, "workloads: heap_late: %s\n", dlerror());
		return -ENOENT;
	}
	if (!find(library, "malloc", &late.malloc) || !find(library, "free", &late.free) ||
		!find(library, "calloc", &late.calloc) ||
		!find(library, "realloc", &late.realloc) ||
		!find(library, "reallocarray", &late.reallocarray) ||
		!find(library, "aligned_alloc", &late.aligned_alloc) ||
		!find(library, "posix_memalign", &late.posix_memalign) ||
		!find(library, "memalign", &late.memalign) ||
		!find(library, "valloc", &late.valloc) || !find(library, "pvalloc", &late.pvalloc))
		return -ENOENT;
	return late.malloc == heap_program.malloc ? -EEXIST : 0;
}

/* Without stdio, which may allocate. */
static int wait_for_word(void)
{
	char text[32];
	int size = snprintf(text, sizeof(text), "loaded %d\n", getpid());

	if (write(STDOUT_FILENO, text, (size_t)size) != size)
		return -EIO;
	return read(STDIN_FILENO, text, 1) == 1 ? 0 : -EIO;
}

static int image_run(struct heap_board *board, uint64_t seed)
{
	struct heap_image *image;
	int err = load();

	if (!err && options.is_reported)
		err = wait_for_word();
	if (err)
		return err;
	worker->allocator = &late;
	worker->random = seed;
	err = heap_worker_run(worker, options.turns);
	image = heap_board_add(board, false);
	image->aggregate = worker->aggregate;
	image->aggregate.peak_bytes = heap_live_peak();
	heap_exchange_sum(&image->aggregate);
	for (uint32_t i = 0; i < worker->used; i++) {
		image->aggregate.live_blocks++;
		image->aggregate.live_bytes += worker->blocks[i].size;
	}
	return err;
}

static int run(const struct workload *w)
{
	struct heap_board *board = NULL;
	int parent_fd = parent_open();
	pid_t pids[FORKS_MAX];
	int err = heap_board_new(&board, NULL);

	worker = heap_memory(sizeof(*worker));
	if (!err && (!worker || parent_fd < 0))
		err = -ENOMEM;
	if (!err)
		err = workload_ready(w);
	for (uint64_t i = 0; i < options.forks && !err; i++) {
		pids[i] = child_fork(parent_fd);
		if (!pids[i])
			_exit(image_run(board, w->seed + 1 + i) ? EXIT_FAILURE : EXIT_SUCCESS);
		err = pids[i] < 0 ? pids[i] : 0;
	}
	if (!err)
		err = image_run(board, w->seed);
	for (uint64_t i = 0; i < options.forks && !err; i++)
		err = child_wait(pids[i]);
	return err ? err : heap_truth_write(w, "heap_late", board, NULL);
}

static const struct param params[] = {
	{ "turns", "N", "calls of each process (1000)", PARAM_NUMBER, &options.turns, 0,
		1000000000 },
	{ "forks", "F", "children, each loading it for itself (0)", PARAM_NUMBER, &options.forks, 0,
		FORKS_MAX },
	{ "told", NULL, "say when it is loaded, and call when told", PARAM_FLAG,
		&options.is_reported, 0, 0 },
	{ "library", "FILE", "another that defines all ten functions", PARAM_TEXT, &options.library,
		0, 0 },
	{ 0 },
};

const struct scenario scenario_heap_late = {
	.name = "heap_late",
	.help = "calls of an allocator that is loaded late",
	.params = params,
	.run = run,
};
