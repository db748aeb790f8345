/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C library's functions. If calls are nested, only the outermost call is recorded. A call that
 * was left by longjmp() is noticed when the next call begins higher in the stack.
 */
#include "preload/take.h"

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

#define ENOMEM_ 12

/* Walks the stack, before the call: a frame may be reused after it. Returns the stack's hash. */
uint64_t call_walk(struct thread *t, const uintptr_t *frame, const void *function)
{
	uint64_t hash;

	if (t->is_busy || !t->stacks)
		return 0;
	t->busy_frame = (uintptr_t)__builtin_frame_address(0);
	t->is_busy = true;
	SIGNAL_BARRIER();
	hash = stack_walk_frames(t, frame, function);
	SIGNAL_BARRIER();
	t->is_busy = false;
	return hash;
}

void *malloc(size_t size)
{
	if (UNLIKELY(!call_is_resolved()))
		return early_block(size, 0);
	if (UNLIKELY(
		    (uintptr_t)__builtin_return_address(0) - loader_code.begin < loader_code.bytes))
		loaded_find_new(&self);
	return take_malloc(real.malloc, HEAP_MALLOC, size);
}

void free(void *block)
{
	if (UNLIKELY(!block || early_is(block)))
		return;
	if (UNLIKELY(!call_is_resolved()))
		return;
	take_free(real.free, block);
}

void *calloc(size_t count, size_t size)
{
	uint32_t ignored;

	if (UNLIKELY(!call_is_resolved())) /* an early block is never reused, so it is zero */
		return early_block(multiply_size(count, size, &ignored), 0);
	return take_calloc(real.calloc, count, size);
}

/* Copies a block that was allocated before malloc was resolved into a new block, which free() can
 * release. */
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
	if (UNLIKELY(early_is(block)))
		return move_early(block, size);
	if (UNLIKELY(!call_is_resolved()))
		return early_block(size, 0);
	return take_realloc(real.realloc, block, size);
}

/* Replaces reallocarray(), which musl has only since 1.2.2. */
static void *without_reallocarray(void *block, size_t count, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(count, size, &bytes) ? NULL : real.realloc(block, bytes);
}

void *reallocarray(void *block, size_t count, size_t size)
{
	void *(*function)(void *, size_t, size_t) =
		real.reallocarray ? real.reallocarray : without_reallocarray;
	uint32_t head = HEAP_REALLOCARRAY | PRELOAD_HEAD_HAS_OLD;
	uint64_t bytes = multiply_size(count, size, &head);

	if (UNLIKELY(early_is(block)))
		return bytes == UINT64_MAX ? NULL : move_early(block, bytes);
	if (UNLIKELY(!call_is_resolved()))
		return early_block(bytes, 0);
	TAKE_CALL(function, function(block, count, size), THROUGH_3(function, block, count, size),
		.head = head, .size = bytes, .old = (uintptr_t)block);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	if (UNLIKELY(!call_is_resolved()))
		return early_block(size, alignment);
	return take_aligned(real.aligned_alloc, HEAP_ALIGNED_ALLOC, alignment, size);
}

void *memalign(size_t alignment, size_t size)
{
	if (UNLIKELY(!call_is_resolved()))
		return early_block(size, alignment);
	return take_aligned(real.memalign, HEAP_MEMALIGN, alignment, size);
}

static inline __attribute__((always_inline)) int take_posix(
	struct thread *t, void **block, size_t alignment, size_t size)
{
	struct call call = { .head = HEAP_POSIX_MEMALIGN | call_alignment(alignment)
								   << PRELOAD_HEAD_ALIGNMENT,
		.size = size };
	int error;

	call.stack = call_stack(t, (const void *)(uintptr_t)real.posix_memalign);
	call.begin = session_ticks();
	error = (int)THROUGH_3(real.posix_memalign, block, alignment, size);
	call.error = (uint32_t)error;
	if (error)
		call.head |= PRELOAD_HEAD_HAS_ERROR;
	else
		call.address = (uintptr_t)*block;
	call_end(t, &call);
	return error;
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
	struct thread *t = &self;

	if (UNLIKELY(!call_is_resolved())) {
		void *early = early_block(size, alignment);

		if (early)
			*block = early;
		return early ? 0 : ENOMEM_;
	}
	if (LIKELY(call_begin(t)))
		return take_posix(t, block, alignment, size);
	if (UNLIKELY(t->inside))
		return (int)THROUGH_3(real.posix_memalign, block, alignment, size);
	return real.posix_memalign(block, alignment, size);
}

void *valloc(size_t size)
{
	if (UNLIKELY(!call_is_resolved()))
		return early_block(size, PRELOAD_PAGE);
	return take_pages(real.valloc, HEAP_VALLOC, size);
}

void *pvalloc(size_t size)
{
	if (UNLIKELY(!call_is_resolved()))
		return early_block(size, PRELOAD_PAGE);
	return take_pages(real.pvalloc, HEAP_PVALLOC, size);
}

/* --- fork --- */

/* A signal handler may fork while a call is being written: then the child writes the rest. */
EXPORT int fork(void);

int fork(void)
{
	static int (*next)(void);
	int pid;

	if (!next)
		next = (int (*)(void))(uintptr_t)real_function("fork");
	pid = next ? next() : -1;
	if (!pid)
		session_forked();
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
	if (atomic_load(&sooth_page->stacks))
		stack_forget_code();
	return status;
}
