/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker: calls of all functions in all their forms, drawn at random from a seed, on a table of
 * blocks. Each block is marked at both ends and looked at again before it is given back, so that a
 * watcher that disturbs the allocator is found out.
 *
 * What was alive is counted as the calls go: a block from the return of the call that gave it to
 * the call of free(), a moved one at the return of realloc(), old and new at once.
 */
#include "heap.h"

#include <errno.h>
#include <string.h>

#define ABSURD_BYTES	((UINT64_C(1) << 62) + 3)
#define OVERFLOW_NUMBER ((UINT64_C(1) << 33) + 1)
#define MAPPED_BYTES	(128 * 1024 + 3) /* from where glibc gives a block its own mapping */
#define MAPPED_STEPS	32768
#define BAD_ALIGNMENT	24 /* posix_memalign: EINVAL */
#define EXCHANGE_SLOTS	32

static struct {
	atomic_flag is_locked;
	struct heap_block slots[EXCHANGE_SLOTS];
} exchange = { ATOMIC_FLAG_INIT, { { 0 } } };

static atomic_uint_fast64_t live_bytes, live_peak;

static uint64_t draw(struct heap_worker *worker, uint64_t below)
{
	return random_next(&worker->random) % below;
}

static bool chance(struct heap_worker *worker, uint64_t one_in)
{
	return !draw(worker, one_in);
}

void heap_live_change(uint64_t plus, uint64_t minus)
{
	uint64_t now = atomic_fetch_add(&live_bytes, plus - minus) + plus - minus;
	uint64_t peak = atomic_load(&live_peak);

	/* A block freed before its giver has counted it makes the sum wrap for a moment. */
	while (now > peak && now <= INT64_MAX &&
		!atomic_compare_exchange_weak(&live_peak, &peak, now))
		;
}

uint64_t heap_live_peak(void)
{
	return atomic_load(&live_peak);
}

void heap_live_forget(void)
{
	atomic_store(&live_bytes, 0);
	atomic_store(&live_peak, 0);
}

static unsigned char mark_of(const struct heap_block *block)
{
	return (unsigned char)(0x5a ^ block->size ^ block->size >> 8);
}

static void mark(const struct heap_block *block)
{
	if (block->size)
		block->at[0] = block->at[block->size - 1] = mark_of(block);
}

static int look(const struct heap_block *block)
{
	unsigned char expected = mark_of(block);

	if (!block->size || (block->at[0] == expected && block->at[block->size - 1] == expected))
		return 0;
	fprintf(stderr, "workloads: heap: the block %p is not as it was left\n", (void *)block->at);
	return -EIO;
}

/* The sizes without a tag are few, and small enough to be a cache's. */
static uint64_t draw_size(struct heap_worker *worker)
{
	static const uint64_t small[] = { 1, 3, 7, 19, 24, 35, 40, 51, 99, 100 };

	if (chance(worker, 24))
		return small[draw(worker, ARRAY_SIZE(small))];
	if (chance(worker, 40))
		return MAPPED_BYTES + 16 * draw(worker, MAPPED_STEPS);
	return 16 * (63 + draw(worker, 63 + 512 * (1 + draw(worker, 4)))) + 3;
}

/* A tagged size as a product of two: the number is one more than a multiple of 16. */
static void draw_side_output(struct heap_worker *worker, struct heap_request *r)
{
	r->each = draw_size(worker);
	r->number = 1;
	if (chance(worker, 3)) {
		r->each = 16 * draw(worker, 64) + 3;
		r->number = 16 * draw(worker, 16) + 1;
	} else if (chance(worker, 2)) {
		r->number = r->each;
		r->each = 1;
	}
}

static void draw_request(struct heap_worker *worker, struct heap_request *r)
{
	bool is_array = r->function == HEAP_CALLOC || r->function == HEAP_REALLOCARRAY;

	r->alignment = UINT64_C(1) << (4 + draw(worker, 9));
	if (r->function == HEAP_POSIX_MEMALIGN && chance(worker, 32))
		r->alignment = BAD_ALIGNMENT;
	draw_side_output(worker, r);
	if (!is_array) {
		r->number *= r->each;
		r->each = 1;
	}
	if (chance(worker, 64))
		*r = (struct heap_request){ r->function, r->old, ABSURD_BYTES, 1, r->alignment };
	else if (is_array && chance(worker, 48))
		r->number = OVERFLOW_NUMBER, r->each = OVERFLOW_NUMBER - 1;
	else if (!r->old && r->alignment != BAD_ALIGNMENT && chance(worker, 64))
		r->number = 0;
}

static void forget(struct heap_worker *worker, const struct heap_block *block)
{
	if (block->is_inherited) {
		worker->aggregate.inherited_blocks++;
		worker->aggregate.inherited_bytes += block->size;
	}
}

static int allocate(struct heap_worker *worker, enum heap_function function)
{
	struct heap_block *block = &worker->blocks[worker->used];
	struct heap_request r = { .function = function };

	draw_request(worker, &r);
	block->size = heap_request_size(&r);
	block->at = heap_call(worker->allocator, &r, &worker->aggregate);
	block->is_inherited = false;
	if (!block->at)
		return 0;
	heap_live_change(block->size, 0);
	if (function == HEAP_CALLOC && block->size &&
		(block->at[0] || block->at[block->size - 1])) {
		fputs("workloads: heap: calloc gave memory that is not zero\n", stderr);
		return -EIO;
	}
	mark(block);
	worker->used++;
	return 0;
}

/* In place is not asked for: it is what an allocator does with the size it has, or a bit less. */
static int resize(struct heap_worker *worker, enum heap_function function)
{
	struct heap_block *block = &worker->blocks[draw(worker, worker->used)];
	struct heap_block old = *block;
	struct heap_request r = { .function = function, .old = old.at };
	int err = look(&old);

	if (err)
		return err;
	draw_request(worker, &r);
	if (chance(worker, 12))
		r.number = 0;
	else if (old.size > 32 && r.each == 1 && r.number < ABSURD_BYTES && chance(worker, 4))
		r.number = old.size - 16 * draw(worker, 2);
	block->size = heap_request_size(&r);
	block->at = heap_call(worker->allocator, &r, &worker->aggregate);
	if (!block->at && block->size) {
		*block = old; /* failed: it stays where it was */
		return 0;
	}
	forget(worker, &old);
	heap_live_change(block->size, old.is_inherited ? 0 : old.size);
	if (!block->at) {
		*block = worker->blocks[--worker->used];
		return 0;
	}
	block->is_inherited = false;
	if (block->size && old.size && block->at[0] != mark_of(&old)) {
		fputs("workloads: heap: realloc lost what was in the block\n", stderr);
		return -EIO;
	}
	mark(block);
	return 0;
}

static int release(struct heap_worker *worker)
{
	struct heap_block *block, old;
	int err;

	if (!worker->used || chance(worker, 32)) {
		heap_free(worker->allocator, NULL, &worker->aggregate);
		return 0;
	}
	block = &worker->blocks[draw(worker, worker->used)];
	old = *block;
	err = look(&old);
	if (err)
		return err;
	*block = worker->blocks[--worker->used];
	forget(worker, &old);
	if (!old.is_inherited)
		heap_live_change(0, old.size);
	heap_free(worker->allocator, old.at, &worker->aggregate);
	return 0;
}

/* One of ours against one of another thread: whoever has it then gives it back. */
static void swap(struct heap_worker *worker)
{
	struct heap_block *slot = &exchange.slots[draw(worker, EXCHANGE_SLOTS)];
	struct heap_block *block = &worker->blocks[draw(worker, worker->used)];
	struct heap_block got;

	while (atomic_flag_test_and_set(&exchange.is_locked))
		;
	got = *slot;
	*slot = *block;
	atomic_flag_clear(&exchange.is_locked);
	*block = got.at ? got : worker->blocks[--worker->used];
}

void heap_exchange_forget(void)
{
	memset(&exchange, 0, sizeof(exchange));
	atomic_flag_clear(&exchange.is_locked);
}

static void add_live(struct heap_aggregate *into, const struct heap_block *block)
{
	if (!block->at || block->is_inherited)
		return;
	into->live_blocks++;
	into->live_bytes += block->size;
}

void heap_exchange_sum(struct heap_aggregate *into)
{
	for (int i = 0; i < EXCHANGE_SLOTS; i++)
		add_live(into, &exchange.slots[i]);
}

/* The order of shares: what is left of the hundred is given back. */
static enum heap_function draw_function(struct heap_worker *worker)
{
	static const struct {
		enum heap_function function;
		uint32_t share;
	} table[] = {
		{ HEAP_MALLOC, 24 },
		{ HEAP_CALLOC, 10 },
		{ HEAP_REALLOC, 14 },
		{ HEAP_REALLOCARRAY, 6 },
		{ HEAP_ALIGNED_ALLOC, 4 },
		{ HEAP_POSIX_MEMALIGN, 4 },
		{ HEAP_MEMALIGN, 4 },
		{ HEAP_VALLOC, 2 },
		{ HEAP_PVALLOC, 2 },
	};
	uint64_t at = draw(worker, 100);

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (at < table[i].share)
			return table[i].function;
		at -= table[i].share;
	}
	return HEAP_FREE;
}

static int turn(struct heap_worker *worker)
{
	enum heap_function function = draw_function(worker);
	bool resizes = function == HEAP_REALLOC || function == HEAP_REALLOCARRAY;

	if (worker->used && chance(worker, 24))
		swap(worker);
	while (!heap_has(worker->allocator, function))
		function = draw_function(worker);
	if (resizes && worker->used && !chance(worker, 8) && heap_has(worker->allocator, function))
		return resize(worker, function);
	if (function == HEAP_FREE || worker->used == HEAP_BLOCKS)
		return release(worker);
	return allocate(worker, function);
}

int heap_worker_run(struct heap_worker *worker, uint64_t turns)
{
	for (uint64_t i = 0; i < turns && !worker->err; i++)
		worker->err = turn(worker);
	return worker->err;
}

void *heap_worker_thread(void *arg)
{
	struct heap_worker *worker = arg;

	pthread_barrier_wait(worker->begin);
	heap_worker_run(worker, worker->turns);
	for (uint32_t i = 0; i < worker->used; i++)
		add_live(&worker->aggregate, &worker->blocks[i]);
	pthread_barrier_wait(worker->done);
	for (;;)
		sleep_ns(WORKLOAD_SECONDS_MAX * NS_PER_SEC);
	return NULL;
}

void heap_worker_inherit(struct heap_worker *worker)
{
	memset(&worker->aggregate, 0, sizeof(worker->aggregate));
	for (uint32_t i = 0; i < worker->used; i++)
		worker->blocks[i].is_inherited = true;
}
