/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/threads/thread_waits.h"

#include "probes/syscall_names.h"

/* linux/futex.h */
#define FUTEX_COMMAND  127u
#define FUTEX_PRIVATE  128u /* of this process alone */
#define FUTEX_WAIT     0u
#define FUTEX_LOCK_PI  6u
#define FUTEX_LOCK_PI2 13u

/* glibc's value of a lock that is held and waited for; its semaphores and conditions wait by
 * another command. */
#define HELD 2u

_Static_assert((int)THREAD_WAIT_LOCK == THREAD_WAIT_NOTHING + (int)SYSCALL_WAIT_LOCK &&
		       (int)THREAD_WAIT_YIELD == THREAD_WAIT_NOTHING + (int)SYSCALL_WAIT_YIELD,
	"kinds of waiting differ");

static enum thread_wait kind_of(const struct syscall_wait *wait)
{
	return wait->what == SYSCALL_WAIT_OTHER ? THREAD_WAIT_OTHER
						: THREAD_WAIT_NOTHING + wait->what;
}

static void set_timeout(
	struct thread_waiting *w, const struct syscall_wait *wait, const uint64_t *values)
{
	if (wait->timeout)
		w->has_timeout = syscall_value(values, wait->timeout, 0) != 0;
	if (wait->timeout_ms && (int32_t)syscall_value(values, wait->timeout_ms, 0) >= 0) {
		w->has_timeout = true;
		w->timeout_ms = (uint32_t)syscall_value(values, wait->timeout_ms, 0);
	}
}

/* The calls of 2023 have their flags behind the operation's place; futex_waitv has those of each
 * futex in memory. */
static void set_futex(
	struct thread_waiting *w, const struct syscall_row *row, const uint64_t *values)
{
	uint64_t command = values[1] & FUTEX_COMMAND;
	size_t flags = 1;

	if (!(row->traits & SYSCALL_FUTEX)) {
		while (flags < row->argument_count &&
			row->arguments[flags] != ARGUMENT_TYPE_futex2_flags)
			flags++;
		w->is_of_others = flags == row->argument_count;
		if (w->is_of_others)
			return;
	} else {
		w->is_mutex = (command == FUTEX_WAIT && (uint32_t)values[2] == HELD) ||
			      command == FUTEX_LOCK_PI || command == FUTEX_LOCK_PI2;
	}
	w->address = values[0];
	w->is_of_others = !(values[flags] & FUTEX_PRIVATE);
}

struct thread_waiting thread_waiting_of(const struct threads_thread *t, bool has_arguments)
{
	struct thread_waiting w = { .descriptor = THREAD_WAIT_NO_FD };
	const struct syscall_row *row;
	const struct syscall_wait *wait;

	if (t->state == 'R')
		w.what = THREAD_WAIT_NOTHING;
	if (t->state == 'R' || t->syscall_state != SOOTH_STATE_VALUE)
		return w;
	row = syscall_row_of(t->abi, t->syscall);
	wait = &row->wait;
	w.what = kind_of(wait);
	w.has_timeout = w.what == THREAD_WAIT_TIME;
	if (!has_arguments)
		return w;
	if (wait->count && !syscall_value(t->arguments, wait->count, 1))
		w.what = THREAD_WAIT_TIME; /* for no descriptor: a way to sleep */
	if (wait->descriptor)
		w.descriptor = (uint32_t)syscall_value(t->arguments, wait->descriptor, 0);
	set_timeout(&w, wait, t->arguments);
	if (w.what == THREAD_WAIT_LOCK)
		set_futex(&w, row, t->arguments);
	return w;
}
