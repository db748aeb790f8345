/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A budget for records of single calls: in each time window the first calls of a thread are
 * recorded, the others only counted, by call and class. So a slow target is recorded completely,
 * and a fast target in a short burst at the start of each window. Errors, slow calls, and calls
 * that change descriptors or names have their own budget: they are rare, and explain the others. A
 * program makes most of these when it starts, and may end soon: it has a larger budget then.
 */
#pragma once

#include "bpf/error_output.bpf.h"

#define BUDGET_ENOENT	  2
#define BUDGET_EAGAIN	  11 /* the usual error while there is no data */
#define BUDGET_ENOTTY	  25
#define BUDGET_ENODATA	  61  /* no such extended attribute: `ls -l` asks for two of each file */
#define BUDGET_EOPNOTSUPP 95  /* the same, of a file system without them */
#define BUDGET_BATCH	  256 /* calls of a thread until they are added to the total */

/* Resets the thread: between two windows its calls and descriptors were not seen. */
static inline void budget_enter_window(struct thread *t)
{
	if (t->budget.epoch == control.epoch)
		return;
	t->in_call = 0;
	t->budget.is_after_gap = 1;
	t->budget.epoch = control.epoch;
}

static inline void budget_measure_rate(struct thread *t)
{
	if (++t->budget.made % BUDGET_BATCH == 0)
		__sync_fetch_and_add(&control.calls, BUDGET_BATCH);
}

static inline uint32_t budget_class(const struct thread *t, int64_t result, uint64_t now)
{
	bool is_native = t->abi == ABI_NATIVE && t->number < SYSCALLS_NUMBERS;

	if (result == -BUDGET_ENOENT || result == -BUDGET_ENOTTY || result == -BUDGET_ENODATA ||
		result == -BUDGET_EOPNOTSUPP)
		return SYSCALLS_CLASS_ABSENT;
	if (aggregate_is_error(result) && result != -BUDGET_EAGAIN)
		return SYSCALLS_CLASS_ERROR;
	if (is_native &&
		config.kept[(t->number / 64) & (SYSCALLS_NUMBERS / 64 - 1)] >> (t->number % 64) & 1)
		return SYSCALLS_CLASS_KEPT;
	/* Messages to standard error are rare, and often explain an error. A program that begins
	 * has used up its budget of KEPT. */
	if (moves_bytes(t) && t->arguments[0] == STANDARD_ERROR)
		return SYSCALLS_CLASS_SLOW;
	if (t->entered_ns && now - t->entered_ns >= SYSCALLS_SLOW_NS)
		return SYSCALLS_CLASS_SLOW;
	return SYSCALLS_CLASS_OTHER;
}

/* Returns a counter in the slots of counts, which are unused with a budget. 0: no slot is left. */
static inline uint64_t *budget_skipped(struct thread *t, uint32_t class_)
{
	struct aggregate_slot *slot =
		t->abi == ABI_NATIVE ? aggregate_slot(&t->aggregate, t->number) : 0;

	if (!slot)
		return 0;
	if (class_ == SYSCALLS_CLASS_ERROR)
		return &slot->errors;
	if (class_ == SYSCALLS_CLASS_KEPT)
		return &slot->untimed;
	if (class_ == SYSCALLS_CLASS_SLOW)
		return &slot->max_ns;
	if (class_ == SYSCALLS_CLASS_ABSENT)
		return &slot->total_ns;
	return &slot->count;
}

static inline bool budget_is_used_up(const struct thread *t, uint32_t class_)
{
	return t->budget.used[class_ & (BUDGET_CLASSES - 1)] >= SYSCALLS_BUDGET_THREAD &&
	       (!t->budget.start || class_ == SYSCALLS_CLASS_OTHER ||
		       class_ == SYSCALLS_CLASS_ABSENT);
}

static inline void budget_use(struct thread *t, uint32_t class_)
{
	if (t->budget.used[class_ & (BUDGET_CLASSES - 1)] < SYSCALLS_BUDGET_THREAD)
		t->budget.used[class_ & (BUDGET_CLASSES - 1)]++;
	else if (t->budget.start)
		t->budget.start--;
}

static inline bool budget_has_room(struct thread *t, uint32_t class_, uint32_t window)
{
	uint32_t all =
		class_ == SYSCALLS_CLASS_OTHER ? SYSCALLS_BUDGET_OTHERS : SYSCALLS_BUDGET_ALL;

	if (t->budget.window != window) {
		t->budget.window = window;
		t->budget.gaps &= (uint8_t)~SYSCALLS_GAP_WINDOW;
		__builtin_memset(t->budget.used, 0, sizeof(t->budget.used));
	}
	if (t->budget.is_after_gap) {
		t->budget.is_after_gap = 0;
		t->budget.gaps |= SYSCALLS_GAP_KEPT | SYSCALLS_GAP_WINDOW | SYSCALLS_GAP_TIME;
	}
	if (budget_is_used_up(t, class_))
		return false;
	/* Two threads may begin a window at once: one record more or less does not matter. */
	if (control.window != window) {
		control.window = window;
		control.window_used = 0;
	}
	if (control.window_used >= all)
		return false;
	__sync_fetch_and_add(&control.window_used, 1);
	budget_use(t, class_);
	return true;
}

/* Returns false if this call is only counted, and not recorded. */
static inline bool budget_admits(struct thread *t, int64_t result, uint64_t now)
{
	uint32_t class_ = budget_class(t, result, now);
	bool has_room = budget_has_room(t, class_, (uint32_t)(now >> SYSCALLS_BUDGET_SHIFT));
	uint64_t *skipped = budget_skipped(t, class_);

	t->budget.class_ = (uint8_t)class_;
	t->budget.skipped = 0;
	if (!has_room) {
		if (skipped)
			*skipped += control.step;
		t->budget.gaps |= SYSCALLS_GAP_WINDOW;
		if (class_ == SYSCALLS_CLASS_KEPT)
			t->budget.gaps |= SYSCALLS_GAP_KEPT;
		return false;
	}
	t->budget.skipped = control.step - 1;
	if (skipped && *skipped) {
		t->budget.skipped += (uint32_t)*skipped;
		__sync_fetch_and_add(&control.skipped, *skipped);
		*skipped = 0;
	}
	return true;
}
