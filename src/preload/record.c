/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a call into the thread's counts, and as words into its ring. If a signal handler
 * interrupts this, its calls are kept in the thread, and written afterwards.
 */
#include "preload/preload.h"

#define CALL_WORDS 16 /* most words of a call, with a time record before it */

static inline bool has_room(const struct thread *t)
{
	return t->head + 2 * PRELOAD_WORDS_MAX - t->tail <= t->ring_mask;
}

void record_make_room(struct thread *t)
{
	if (LIKELY(has_room(t)) ||
		!atomic_load_explicit(&sooth_page->streams, memory_order_relaxed))
		return;
	t->tail = atomic_load_explicit(&t->slot->tail, memory_order_acquire);
	if (!has_room(t))
		session_wait_for_room(t);
}

static inline void count_call(struct thread *t, const struct call *call)
{
	uint32_t function = call->head & PRELOAD_HEAD_FUNCTION;
	struct preload_count *c = &t->slot->counts[function];
	uint64_t ticks = call->end - call->begin;

	c->count++;
	if (function == HEAP_FREE)
		return;
	c->total_ticks += ticks;
	if (UNLIKELY(ticks > c->max_ticks))
		c->max_ticks = ticks;
	c->histogram[call->size ? (call->size >> HEAP_BUCKETS ? HEAP_BUCKETS - 1
							      : 63 - __builtin_clzll(call->size))
				: 0]++;
	if (UNLIKELY(!call->address && (call->size || call->error))) {
		c->failed++;
		c->overflows += (call->head & PRELOAD_HEAD_IS_OVERFLOW) != 0;
	} else {
		c->bytes += call->size;
	}
}

static inline void put_word(struct thread *t, uint64_t word)
{
	t->ring[t->head++ & t->ring_mask] = word;
}

/* Returns the time since the last record, for which a head has 32 bits. */
static inline uint64_t update_delta(struct thread *t, uint64_t now)
{
	uint64_t delta = now > t->last_ticks ? now - t->last_ticks : 0;

	t->last_ticks += delta;
	if (UNLIKELY(delta >> 32)) {
		put_word(t, PRELOAD_TIME);
		put_word(t, t->last_ticks);
		delta = 0;
	}
	return delta << PRELOAD_HEAD_DELTA;
}

static inline void put_words(struct thread *t, const struct call *call)
{
	uint64_t ticks = call->begin ? call->end - call->begin : 0;
	uint64_t delta = update_delta(t, call->end);
	uint32_t function = call->head & PRELOAD_HEAD_FUNCTION;
	bool is_long = ticks >> PRELOAD_HEAD_DURATION_BITS;
	uint64_t head = delta | call->head | (call->stack ? PRELOAD_HEAD_HAS_STACK : 0);

	if (UNLIKELY(is_long))
		head |= PRELOAD_HEAD_HAS_DURATION;
	else
		head |= ticks << PRELOAD_HEAD_DURATION;
	put_word(t, head);
	put_word(t, call->address);
	if (function != HEAP_FREE)
		put_word(t, call->size);
	if (call->head & PRELOAD_HEAD_HAS_OLD)
		put_word(t, call->old);
	if (UNLIKELY(call->head & PRELOAD_HEAD_HAS_ERROR))
		put_word(t, call->error);
	if (UNLIKELY(is_long))
		put_word(t, ticks);
	if (call->stack)
		put_word(t, call->stack);
	atomic_store_explicit(&t->slot->head, t->head, memory_order_release);
}

static inline void put_call(struct thread *t, const struct call *call)
{
	count_call(t, call);
	if (!atomic_load_explicit(&sooth_page->streams, memory_order_relaxed))
		return;
	/* Do not wait here: the call already has its time. */
	if (LIKELY(t->head + CALL_WORDS - t->tail <= t->ring_mask))
		put_words(t, call);
	else
		atomic_fetch_add_explicit(&t->slot->lost, 1, memory_order_relaxed);
}

void record_stack(struct thread *t, uint64_t hash, const void *function)
{
	/* A forked child inherits the cache, but sooth needs its stacks again: mix in the image. */
	uint64_t known = hash ^ (uint64_t)t->image << 32,
		 *sent = &t->stacks->sent[hash & (SENT - 1)];
	const struct kept_stack *kept = &t->stacks->kept;
	uint64_t head = PRELOAD_STACK | (kept->count + 1) << PRELOAD_STACK_COUNT |
			kept->outcome << PRELOAD_STACK_END;

	if (LIKELY(*sent == known))
		return;
	/* The call itself needs room after the stack. */
	if (t->head + PRELOAD_WORDS_MAX + CALL_WORDS - t->tail > t->ring_mask)
		return;
	put_word(t, head);
	put_word(t, hash);
	put_word(t, (uintptr_t)function);
	for (uint32_t i = kept->count; i-- > 0;)
		put_word(t, kept->frames[i].pc);
	*sent = known;
}

static inline void become_busy(struct thread *t)
{
	t->busy_frame = (uintptr_t)__builtin_frame_address(0);
	t->is_busy = true;
	SIGNAL_BARRIER();
}

static inline void become_idle(struct thread *t)
{
	SIGNAL_BARRIER();
	t->is_busy = false;
	SIGNAL_BARRIER();
}

/* Writes the waiting calls of signal handlers, and those that arrive in the meantime. */
static __attribute__((noinline)) void put_waiting(struct thread *t)
{
	while (t->nested) {
		struct call *calls = t->calls->written; /* not on the program's stack */
		unsigned count = t->nested < NESTED_MAX ? t->nested : NESTED_MAX;

		become_busy(t);
		for (unsigned i = 0; i < count; i++)
			calls[i] = t->calls->waiting[i];
		t->nested = 0;
		for (unsigned i = 0; i < count; i++) {
			record_make_room(t);
			put_call(t, &calls[i]);
		}
		become_idle(t);
	}
}

/* Keeps the call of a signal handler for later. Returns true if the call was kept, or is lost.
 * Returns false if an earlier handler left by longjmp() while the thread was busy: then the call
 * comes from higher in the stack. */
static __attribute__((noinline)) bool keep_call(struct thread *t, const struct call *call)
{
	if (t->nested < NESTED_MAX) {
		t->calls->waiting[t->nested++ % NESTED_MAX] = *call;
		return true;
	}
	if ((uintptr_t)__builtin_frame_address(0) > t->busy_frame) {
		t->is_busy = false;
		return false;
	}
	atomic_fetch_add(&t->slot->lost, 1);
	return true;
}

void record_put(struct thread *t, const struct call *call)
{
	if (UNLIKELY(t->is_busy) && keep_call(t, call))
		return;
	become_busy(t);
	put_call(t, call);
	become_idle(t);
	if (UNLIKELY(t->nested))
		put_waiting(t);
}
