/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The work of each observed function before and after the real one. It is inlined into the observed
 * function, so that the frame of the function leads to its caller.
 */
#pragma once

#include "preload/stack.h"

/* Walks the stack, before the call: a frame may be reused after it. Returns the stack's hash. */
uint64_t call_walk(struct thread *t, const uintptr_t *frame, const void *function);

static inline bool call_is_resolved(void)
{
	return LIKELY(atomic_load_explicit(&real_is_resolved, memory_order_acquire)) ||
	       real_resolve();
}

/* Returns whether the thread's current call has called `frame`, directly or not: `frame` is deeper,
 * and the return address of the current call is still where it was. */
static inline bool is_nested(const struct thread *t, uintptr_t frame)
{
	return UNLIKELY(t->inside) && frame < t->inside &&
	       ((const uintptr_t *)t->inside)[1] == t->inside_return;
}

static inline __attribute__((always_inline)) uint64_t call_stack(
	struct thread *t, const void *function)
{
	if (LIKELY(!atomic_load_explicit(&sooth_page->stacks, memory_order_relaxed)))
		return 0;
	return call_walk(t, __builtin_frame_address(0), function);
}

/* Begins a call. False: the call is not recorded; t->inside says whether it is part of another. */
static inline __attribute__((always_inline)) bool call_begin(struct thread *t)
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

static inline uint32_t call_alignment(uint64_t alignment)
{
	return alignment ? 63 - (uint32_t)__builtin_clzll(alignment) : 0;
}

/* Ends the outermost call. Sooth delays later records until the record of this call is written. */
static inline void call_end(struct thread *t, struct call *call)
{
	atomic_store_explicit(&t->slot->is_late, 1, memory_order_relaxed);
	SIGNAL_BARRIER();
	call->end = session_ticks();
	t->inside = 0;
	record_put(t, call);
	atomic_store_explicit(&t->slot->is_late, 0, memory_order_release);
}
