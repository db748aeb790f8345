/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Probes the return of a call only if it is needed: most calls are no samples. A session link
 * (Linux 6.13) calls on_session() when a function begins, and again when it returns unless the
 * first call returned 1. The link is newer than the event at the entry, so the kernel calls
 * on_session() first. It does all but the walk of the stack, and leaves a mark for the next program
 * (enter_function()).
 *
 * Only one process has such a link. Other processes have events at returns, as all have without
 * sessions. Calls of a forked process before it has these events are counted; whether a call fails
 * is guessed from its size, and a sample counts as a block that is no longer live.
 *
 * The return also shows which calls are part of a call. The returns of the first calls of each form
 * are probed: if none contained another, a call counts as over when it has begun. Otherwise its
 * return address is kept: the call still runs if the address is unchanged in the stack, and the
 * next call comes from near it.
 */

/* Larger calls may fail, so their return is probed. Small ones fail only at a limit. */
#define RETURN_BYTES (32u << 10)
#define NEAR_BYTES   (256u << 10) /* size of the code of an allocator */
#define SIZE_MOST    (1ull << 47) /* a larger block is impossible */
#define LEARN_CALLS  256	  /* first calls of a form, whose returns are probed */

enum session_mark {
	MARK_NONE,
	MARK_COMPLETE, /* the session has done all */
	MARK_SAMPLE,   /* the stack is left to walk */
};

#define IS_SKIPPED(t) ((t)->is_skipped)

/* Returns whether a call comes from inside a skipped call, which may have ended unseen. */
static inline bool is_within_skipped(const struct thread *t, struct pt_regs *regs)
{
	uint64_t stack = CALL_STACK(regs), returns = 0;

	/* The same function again: a second call from the same place. Another: a tail call. */
	if (stack == t->stack)
		return CALL_ADDRESS(regs) != t->entered_at;
	bpf_probe_read_user(&returns, sizeof(returns), (const void *)(unsigned long)stack);
	return returns - t->entered_at + NEAR_BYTES < 2 * NEAR_BYTES;
}

static inline struct heap_nesting *nesting_of(const struct thread *t)
{
	return &samples.nesting[t->form & (FORM_SLOTS - 1)];
}

/* Notes that the call of the thread contains another one. */
static inline void note_nested(const struct thread *t)
{
	if (!nesting_of(t)->contains)
		nesting_of(t)->contains = 1;
}

/* Returns whether a call rarely fails, and only allocates. */
static inline bool is_simple(const struct thread *t)
{
	const struct heap_form_layout *layout = layout_of(t->form);

	return t->size < RETURN_BYTES && layout->returns == HEAP_RETURNS_ADDRESS && !layout->old &&
	       !layout->alignment;
}

static inline bool is_learned(const struct thread *t)
{
	return nesting_of(t)->returned >= LEARN_CALLS;
}

static inline void note_returned(const struct thread *t)
{
	if (!is_learned(t))
		nesting_of(t)->returned++;
}

/* Notes that the return of the beginning call will not be seen. */
static inline void skip_return(struct thread *t, struct pt_regs *regs)
{
	t->is_skipped = 1;
	aggregate_of(t, t->function)->skipped++;
	if (is_simple(t) && is_learned(t) && !nesting_of(t)->contains) {
		t->stack = 0;
		return;
	}
	t->stack = CALL_STACK(regs);
	t->entered_at = CALL_ADDRESS(regs);
	bpf_probe_read_user(&t->return_address, sizeof(t->return_address),
		(const void *)(unsigned long)t->stack);
}

/*
 * Returns whether a hit of a session is the return. Both hits have the same cookie: the place, and
 * above it the offset of the probed instruction in its page. If the address has another offset, it
 * is a return. Else a return has its stack pointer just above that of the ended call.
 */
static inline bool is_session_end(const struct thread *t, struct pt_regs *regs, uint64_t cookie)
{
	return ((CALL_ADDRESS(regs) ^ cookie >> HEAP_COOKIE_SHIFT) & HEAP_PLACE_MASK) ||
	       (t->stack && !t->is_skipped && !t->is_by_result &&
		       CALL_STACK(regs) == t->stack + RETURN_ADDRESS_BYTES);
}

/* Begins a call in a session. Returns 1 if its return is not needed. */
static inline int begins_session(struct thread *t, struct pt_regs *regs, uint32_t form)
{
	t->freed = 0;
	t->session_stack = CALL_STACK(regs);
	t->session_mark = MARK_COMPLETE;
	if (is_nested(t, regs, form, false))
		return 1;
	read_call_arguments(t, regs, form);
	sum_begins(t);
	t->is_by_result = t->is_skipped = 0;
	t->is_left_out = !is_sampled(t);
	if (t->is_left_out)
		count_call(t, false, 0);
	else
		t->session_mark = MARK_SAMPLE;
	if (t->is_left_out && is_simple(t) && is_learned(t))
		skip_return(t, regs);
	else
		t->stack = t->session_stack;
	return t->is_skipped;
}

/* Removes and returns the mark that the session of this call has left for the next program. */
static inline uint32_t remove_mark(struct thread *t, struct pt_regs *regs)
{
	uint32_t mark = t->session_stack == CALL_STACK(regs) ? t->session_mark : MARK_NONE;

	t->session_mark = MARK_NONE;
	return mark;
}

/* Ends the call of the thread at its return, if there is a call. */
static inline void end_call_at_return(struct thread *t, struct pt_regs *regs)
{
	if (!t->stack || t->is_by_result || CALL_STACK(regs) != t->stack + RETURN_ADDRESS_BYTES)
		return;
	if (t->is_skipped) {
		t->stack = 0;
		return;
	}
	note_returned(t);
	end_call(t, CALL_RESULT(regs));
}

/* Begins a call whose return is not probed yet; the stack of a sample is already known. */
static inline void begins_alone(struct thread *t, struct pt_regs *regs)
{
	bool is_failed = t->size > SIZE_MOST;

	skip_return(t, regs);
	if (t->is_left_out && is_failed)
		uncount_call(t);
	if (t->is_left_out)
		return;
	count_call(t, is_failed, 0);
	t->is_left_out = 1;
	if (is_failed)
		return;
	sum_unfollowed(t, bpf_ktime_get_ns());
	ADD(control.unfollowed, 1);
}
