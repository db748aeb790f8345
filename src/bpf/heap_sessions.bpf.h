/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Calls whose return is probed only if it is needed: most calls are no samples. A session link
 * (Linux 6.13) calls on_session() where a function begins, and again where it returns unless the
 * first call answered 1. It is newer than the event at the entry, so the kernel calls it first: it
 * does all but the walk of the stack and leaves a mark for the program behind it
 * (enter_function()).
 *
 * One process has such a link: for any other, the kernel takes the link's part as the answer 0.
 * Other processes have events at returns, as all have without sessions. Calls that a forked process
 * makes before it has them are counted; only a call's size shows whether it fails, and a sample is
 * in the sum of its stack as a block that is live no longer.
 *
 * The return shows also which calls are part of this one. The returns of the first calls of each
 * form are probed: if none contained another, a call is over as soon as it has begun. Otherwise its
 * return address is kept: it is still under way where that is unchanged in the stack and the next
 * call comes from near it.
 */

/* Calls that may fail; the return of those shows it. Small ones fail when a limit is reached. */
#define RETURN_BYTES (32u << 10)
#define NEAR_BYTES   (256u << 10) /* code of one allocator */
#define SIZE_MOST    (1ull << 47) /* a block cannot have more */
#define LEARN_CALLS  256	  /* of a form */

enum session_mark {
	MARK_NONE,
	MARK_COMPLETE, /* nothing is left to do */
	MARK_SAMPLE,   /* the stack is */
};

#define IS_SKIPPED(t) ((t)->is_skipped)

/* Whether a call comes from inside a call whose return is not probed, which may have ended. */
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

/* Another call is part of the thread's. */
static inline void note_nested(const struct thread *t)
{
	if (!nesting_of(t)->contains)
		nesting_of(t)->contains = 1;
}

/* A call that hardly fails, and does nothing but allocate. */
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

/* The return of the call that begins will not be seen. */
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
 * Both calls of a session have the same cookie: the place, and above it the offset of the probed
 * instruction in its page. Where that is not the offset of the address, it is a return; where it
 * is, a return has the stack pointer just above that of the call that it ends.
 */
static inline bool is_session_end(const struct thread *t, struct pt_regs *regs, uint64_t cookie)
{
	return ((CALL_ADDRESS(regs) ^ cookie >> HEAP_COOKIE_SHIFT) & HEAP_PLACE_MASK) ||
	       (t->stack && !t->is_skipped && !t->is_by_result &&
		       CALL_STACK(regs) == t->stack + RETURN_ADDRESS_BYTES);
}

/* 1: the return is not needed. */
static inline int begins_session(struct thread *t, struct pt_regs *regs, uint32_t form)
{
	t->freed = 0;
	t->session_stack = CALL_STACK(regs);
	t->session_mark = MARK_COMPLETE;
	if (is_nested(t, regs, form, false))
		return 1;
	take_arguments(t, regs, form);
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

/* Takes the mark that the session of this call has left for the program behind it. */
static inline uint32_t take_mark(struct thread *t, struct pt_regs *regs)
{
	uint32_t mark = t->session_stack == CALL_STACK(regs) ? t->session_mark : MARK_NONE;

	t->session_mark = MARK_NONE;
	return mark;
}

/* The return of the thread's call, if it has one. */
static inline void end_at_return(struct thread *t, struct pt_regs *regs)
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

/* The return of the call that begins is not probed yet; the stack of a sample is known. */
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
