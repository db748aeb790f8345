/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work of each function before and after the real one, all inlined into the function itself, whose
 * frame leads to the caller.
 */
#ifndef SOOTH_PRELOAD_CALL_H
#define SOOTH_PRELOAD_CALL_H

#include "preload/stack.h"

/* The stack is walked before the call: a frame of it may be another one's afterwards. */
uint64_t call_walk(struct thread *t, const uintptr_t *frame, const void *function);

static inline bool call_is_resolved(void)
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

static inline __attribute__((always_inline)) uint64_t call_stack(
	struct thread *t, const void *function)
{
	if (LIKELY(!atomic_load_explicit(&sooth_page->stacks, memory_order_relaxed)))
		return 0;
	return call_walk(t, __builtin_frame_address(0), function);
}

/* A call begins. False: it is not recorded; `inside` says whether it is part of another. */
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

/* The outermost call ends. Until its record is written, sooth waits for it with what came later. */
static inline void call_end(struct thread *t, struct call *call)
{
	atomic_store_explicit(&t->slot->is_late, 1, memory_order_relaxed);
	SIGNAL_BARRIER();
	call->end = session_ticks();
	t->inside = 0;
	record_put(t, call);
	atomic_store_explicit(&t->slot->is_late, 0, memory_order_release);
}

#endif
