/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the scenarios about allocations share: the ten functions of an allocator, a worker that
 * calls them at random and counts what it called, and the truth as JSON.
 *
 * None of this calls the allocator itself: tables come from mmap(2), text is made in one too. So
 * between "ready" and the end a process makes the calls it counts and no others, but for those of
 * libc when a thread is created. Threads never end before their process does: glibc gives back a
 * thread's cached blocks at its end by calls of free(), which are no calls of ours.
 */
#ifndef HEAP_H
#define HEAP_H

#include "workload.h"

#include <pthread.h>
#include <stdatomic.h>

enum heap_function {
	HEAP_MALLOC,
	HEAP_FREE,
	HEAP_CALLOC,
	HEAP_REALLOC,
	HEAP_REALLOCARRAY,
	HEAP_ALIGNED_ALLOC,
	HEAP_POSIX_MEMALIGN,
	HEAP_MEMALIGN,
	HEAP_VALLOC,
	HEAP_PVALLOC,
	HEAP_FUNCTIONS,
};

extern const char *const heap_function_names[HEAP_FUNCTIONS];

/* An allocator; a NULL is a function that it has not, and that is not called then. */
struct heap_allocator {
	void *(*malloc)(size_t size);
	void (*free)(void *block);
	void *(*calloc)(size_t number, size_t size);
	void *(*realloc)(void *block, size_t size);
	void *(*reallocarray)(void *block, size_t number, size_t size);
	void *(*aligned_alloc)(size_t alignment, size_t size);
	int (*posix_memalign)(void **block, size_t alignment, size_t size);
	void *(*memalign)(size_t alignment, size_t size);
	void *(*valloc)(size_t size);
	void *(*pvalloc)(size_t size);
};

/* Those of the program, whoever defines them. A table in memory, so that no compiler that knows
 * malloc() by name can take a call away. */
extern struct heap_allocator heap_program;

/*
 * Sizes are numbers that nobody else asks for: 3 more than a multiple of 16, nearly all above
 * 1000. So a reader of single calls can tell ours from those of libc.
 */
#define HEAP_IS_TAGGED(size) ((size) % 16 == 3)

struct heap_calls {
	uint64_t count; /* that returned; free(NULL) is none */
	uint64_t failed;
	uint64_t overflows;
	uint64_t unfinished; /* left by longjmp() */
	uint64_t bytes;	     /* asked for by those that got them */
};

/* What one thread, or all of an image, called and what was alive at its end. */
struct heap_aggregate {
	struct heap_calls calls[HEAP_FUNCTIONS];
	uint64_t freed_null;
	uint64_t inherited_blocks; /* given back, that were allocated before the fork */
	uint64_t inherited_bytes;
	uint64_t live_blocks; /* allocated and not given back by this image */
	uint64_t live_bytes;
	uint64_t peak_bytes;
	uint64_t peak_slack_bytes; /* with several threads it is known to so much */
};

#define HEAP_BLOCKS 256

struct heap_block {
	unsigned char *at;
	uint64_t size;
	bool is_inherited;
};

struct heap_worker {
	pthread_t thread;
	pthread_barrier_t *begin, *done;
	const struct heap_allocator *allocator;
	uint64_t random;
	uint64_t turns;
	struct heap_aggregate aggregate;
	int err;
	uint32_t used;
	struct heap_block blocks[HEAP_BLOCKS];
};

/* heap_worker.c: that many calls, among them some free(NULL), which are not counted. */
int heap_worker_run(struct heap_worker *worker, uint64_t turns);
/* A pthread routine: waits for begin, makes its turns, waits at done, then sleeps for good. */
void *heap_worker_thread(void *worker);
/* Blocks that one thread allocates and another frees go through one table of the process. */
void heap_exchange_forget(void);
void heap_exchange_sum(struct heap_aggregate *into);
/* Begin anew with nothing alive, as a child does; its blocks are inherited from here on. */
void heap_worker_inherit(struct heap_worker *worker);
void heap_live_forget(void);
/* The highest sum of live bytes of this process since then. */
uint64_t heap_live_peak(void);
void heap_live_change(uint64_t plus, uint64_t minus);

/* heap_calls.c: one call each, noted in the tally. */
struct heap_request {
	enum heap_function function;
	void *old; /* of realloc and reallocarray */
	uint64_t number, each;
	uint64_t alignment;
};
uint64_t heap_request_size(const struct heap_request *request);
void *heap_call(const struct heap_allocator *allocator, const struct heap_request *request,
	struct heap_aggregate *aggregate);
void heap_free(
	const struct heap_allocator *allocator, void *block, struct heap_aggregate *aggregate);
bool heap_has(const struct heap_allocator *allocator, enum heap_function function);

/* heap_truth.c */
#define HEAP_IMAGES_MAX 512

struct heap_image {
	atomic_int pid; /* 0: not written, or not yet */
	bool is_exec;
	struct heap_aggregate aggregate;
};

/* Shared by a tree of processes through fork and, as a descriptor, exec. */
struct heap_board {
	atomic_uint used;
	struct heap_image images[HEAP_IMAGES_MAX];
};

struct heap_fact {
	const char *name; /* the table ends with a row without one */
	uint64_t value;
};

/* *fd may be NULL; it stays open over exec. */
int heap_board_new(struct heap_board **board, int *fd);
int heap_board_open(struct heap_board **board, int fd);
struct heap_image *heap_board_add(struct heap_board *board, bool is_exec);
void heap_aggregate_add(struct heap_aggregate *into, const struct heap_aggregate *from);
/* Writes w->truth_path. */
int heap_truth_write(const struct workload *w, const char *scenario, const struct heap_board *board,
	const struct heap_fact *facts);
void *heap_memory(size_t size);

/* heap_own.c, where it is linked in: called in the midst of its malloc() while set. */
extern void (*heap_own_inside)(void) __attribute__((weak));

#endif
