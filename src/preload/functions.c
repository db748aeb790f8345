/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C library's functions. Of calls inside one another only the outermost is recorded; one that
 * was left by a jump is noticed when the next begins higher in the stack. A free is recorded before
 * the block is given back: no other thread can have got it earlier.
 */
#include "preload/stack.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT void *malloc(size_t size);
EXPORT void free(void *block);
EXPORT void *calloc(size_t count, size_t size);
EXPORT void *realloc(void *block, size_t size);
EXPORT void *reallocarray(void *block, size_t count, size_t size);
EXPORT void *aligned_alloc(size_t alignment, size_t size);
EXPORT int posix_memalign(void **block, size_t alignment, size_t size);
EXPORT void *memalign(size_t alignment, size_t size);
EXPORT void *valloc(size_t size);
EXPORT void *pvalloc(size_t size);
EXPORT void cfree(void *block);

#define ENOMEM_ 12

static inline bool is_resolved(void)
{
	return LIKELY(atomic_load_explicit(&real_is_resolved, memory_order_acquire)) ||
	       real_resolve();
}

/* Whether this frame is called, however indirectly, by that of the call the thread is in: where
 * that kept its return address, it still is. */
static inline bool is_nested(const struct thread *t, uintptr_t frame)
{
	return UNLIKELY(t->inside) && frame < t->inside &&
	       ((const uintptr_t *)t->inside)[1] == t->inside_return;
}

/* The stack is walked before the call: a frame of it may be another one's afterwards. */
static __attribute__((noinline)) uint64_t take_stack(
	struct thread *t, const uintptr_t *frame, const void *function)
{
	uint64_t hash;

	if (t->is_busy)
		return 0;
	t->busy_frame = (uintptr_t)__builtin_frame_address(0);
	t->is_busy = true;
	SIGNAL_BARRIER();
	hash = stack_take(t, frame, function);
	SIGNAL_BARRIER();
	t->is_busy = false;
	return hash;
}

static inline __attribute__((always_inline)) uint64_t stack_of(
	struct thread *t, const void *function)
{
	if (LIKELY(!atomic_load_explicit(&session->stacks, memory_order_relaxed)))
		return 0;
	return take_stack(t, __builtin_frame_address(0), function);
}

/* A call begins. False: it is not recorded. */
static inline __attribute__((always_inline)) bool begin(struct thread *t)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);

	if (is_nested(t, frame))
		return false;
	t->inside = 0;
	if (!thread_begin(t))
		return false;
	if (LIKELY(!t->is_busy))
		record_make_room(t);
	t->inside_return = ((const uintptr_t *)frame)[1];
	t->inside = frame;
	return true;
}

static inline uint32_t log2_of_alignment(uint64_t alignment)
{
	return alignment ? 63 - (uint32_t)__builtin_clzll(alignment) : 0;
}

/* The outermost call ends. Until its record is written, sooth waits for it with what came later. */
static inline void end(struct thread *t, struct call *call)
{
	atomic_store_explicit(&t->slot->is_late, 1, memory_order_relaxed);
	SIGNAL_BARRIER();
	call->end = preload_ticks();
	t->inside = 0;
	record_put(t, call);
	atomic_store_explicit(&t->slot->is_late, 0, memory_order_release);
}

static inline uint64_t product(size_t count, size_t size, uint32_t *head)
{
	size_t bytes;

	if (LIKELY(!__builtin_mul_overflow(count, size, &bytes)))
		return bytes;
	*head |= PRELOAD_HEAD_IS_OVERFLOW;
	return UINT64_MAX;
}

void *malloc(size_t size)
{
	struct thread *t = &self;
	struct call call;

	if (UNLIKELY(!is_resolved()))
		return early_block(size, 0);
	if (!begin(t))
		return real.malloc(size);
	call = (struct call){ .head = HEAP_MALLOC, .size = size };
	call.stack = stack_of(t, (const void *)(uintptr_t)real.malloc);
	call.begin = preload_ticks();
	call.address = (uintptr_t)real.malloc(size);
	end(t, &call);
	return (void *)call.address;
}

void free(void *block)
{
	struct thread *t = &self;

	if (UNLIKELY(!block || early_is(block)))
		return;
	if (UNLIKELY(!is_resolved()))
		return;
	if (begin(t)) {
		struct call call = { .head = HEAP_FREE, .address = (uintptr_t)block };

		end(t, &call);
	}
	real.free(block);
}

void cfree(void *block)
{
	free(block);
}

void *calloc(size_t count, size_t size)
{
	struct thread *t = &self;
	struct call call = { .head = HEAP_CALLOC };

	call.size = product(count, size, &call.head);
	if (UNLIKELY(!is_resolved()))
		return early_block(call.size, 0); /* never reused: it is zero */
	if (!begin(t))
		return real.calloc(count, size);
	call.stack = stack_of(t, (const void *)(uintptr_t)real.calloc);
	call.begin = preload_ticks();
	call.address = (uintptr_t)real.calloc(count, size);
	end(t, &call);
	return (void *)call.address;
}

/* A block from before moves into memory that can be given back. */
static __attribute__((noinline)) void *move_early(void *block, size_t size)
{
	size_t old = early_size(block);
	unsigned char *to = malloc(size);

	for (size_t i = 0; to && i < (old < size ? old : size); i++)
		to[i] = ((unsigned char *)block)[i];
	return to;
}

void *realloc(void *block, size_t size)
{
	struct thread *t = &self;
	struct call call = {
		.head = HEAP_REALLOC | PRELOAD_HEAD_HAS_OLD, .size = size, .old = (uintptr_t)block
	};

	if (UNLIKELY(early_is(block)))
		return move_early(block, size);
	if (UNLIKELY(!is_resolved()))
		return early_block(size, 0);
	if (!begin(t))
		return real.realloc(block, size);
	call.stack = stack_of(t, (const void *)(uintptr_t)real.realloc);
	call.begin = preload_ticks();
	call.address = (uintptr_t)real.realloc(block, size);
	end(t, &call);
	return (void *)call.address;
}

/* Musl has it only since 1.2.2. */
static void *real_reallocarray(void *block, size_t count, size_t size)
{
	size_t bytes;

	if (real.reallocarray)
		return real.reallocarray(block, count, size);
	return __builtin_mul_overflow(count, size, &bytes) ? NULL : real.realloc(block, bytes);
}

void *reallocarray(void *block, size_t count, size_t size)
{
	struct thread *t = &self;
	struct call call = { .head = HEAP_REALLOCARRAY | PRELOAD_HEAD_HAS_OLD,
		.old = (uintptr_t)block };

	call.size = product(count, size, &call.head);
	if (UNLIKELY(early_is(block)))
		return call.size == UINT64_MAX ? NULL : move_early(block, call.size);
	if (UNLIKELY(!is_resolved()))
		return early_block(call.size, 0);
	if (!begin(t))
		return real_reallocarray(block, count, size);
	call.stack = stack_of(t, (const void *)(uintptr_t)real.reallocarray);
	call.begin = preload_ticks();
	call.address = (uintptr_t)real_reallocarray(block, count, size);
	end(t, &call);
	return (void *)call.address;
}

static inline __attribute__((always_inline)) void *take_aligned(
	void *(*function)(size_t, size_t), uint32_t which, size_t alignment, size_t size)
{
	struct thread *t = &self;
	struct call call = { .head = which | log2_of_alignment(alignment) << PRELOAD_HEAD_ALIGNMENT,
		.size = size };

	if (!function)
		return NULL;
	if (!begin(t))
		return function(alignment, size);
	call.stack = stack_of(t, (const void *)(uintptr_t)function);
	call.begin = preload_ticks();
	call.address = (uintptr_t)function(alignment, size);
	end(t, &call);
	return (void *)call.address;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	if (UNLIKELY(!is_resolved()))
		return early_block(size, alignment);
	return take_aligned(real.aligned_alloc, HEAP_ALIGNED_ALLOC, alignment, size);
}

void *memalign(size_t alignment, size_t size)
{
	if (UNLIKELY(!is_resolved()))
		return early_block(size, alignment);
	return take_aligned(real.memalign, HEAP_MEMALIGN, alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
	struct thread *t = &self;
	struct call call = { .head = HEAP_POSIX_MEMALIGN | log2_of_alignment(alignment)
								   << PRELOAD_HEAD_ALIGNMENT,
		.size = size };
	int error;

	if (UNLIKELY(!is_resolved())) {
		void *early = early_block(size, alignment);

		if (early)
			*block = early;
		return early ? 0 : ENOMEM_;
	}
	if (!begin(t))
		return real.posix_memalign(block, alignment, size);
	call.stack = stack_of(t, (const void *)(uintptr_t)real.posix_memalign);
	call.begin = preload_ticks();
	error = real.posix_memalign(block, alignment, size);
	call.error = (uint32_t)error;
	if (error)
		call.head |= PRELOAD_HEAD_HAS_ERROR;
	else
		call.address = (uintptr_t)*block;
	end(t, &call);
	return error;
}

static inline __attribute__((always_inline)) void *take_pages(
	void *(*function)(size_t), uint32_t which, size_t size)
{
	struct thread *t = &self;
	struct call call = { .head = which, .size = size };

	if (!function)
		return NULL;
	if (!begin(t))
		return function(size);
	call.stack = stack_of(t, (const void *)(uintptr_t)function);
	call.begin = preload_ticks();
	call.address = (uintptr_t)function(size);
	end(t, &call);
	return (void *)call.address;
}

void *valloc(size_t size)
{
	if (UNLIKELY(!is_resolved()))
		return early_block(size, PRELOAD_PAGE);
	return take_pages(real.valloc, HEAP_VALLOC, size);
}

void *pvalloc(size_t size)
{
	if (UNLIKELY(!is_resolved()))
		return early_block(size, PRELOAD_PAGE);
	return take_pages(real.pvalloc, HEAP_PVALLOC, size);
}

/* --- fork --- */

/* A handler that came while a call was written may fork: the child then writes the rest of it. */
EXPORT int fork(void);

int fork(void)
{
	static int (*next)(void);
	int pid;

	if (!next)
		next = (int (*)(void))(uintptr_t)real_function("fork");
	pid = next ? next() : -1;
	if (!pid)
		session_leave_parent();
	return pid;
}

/* --- code that is unloaded --- */

EXPORT int dlclose(void *handle);

int dlclose(void *handle)
{
	static int (*next)(void *);
	int status;

	if (!next)
		next = (int (*)(void *))(uintptr_t)real_function("dlclose");
	status = next ? next(handle) : -1;
	if (atomic_load(&session->stacks))
		stack_forget_code();
	return status;
}
