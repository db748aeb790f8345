/* SPDX-License-Identifier: BSD-2-Clause */
/* See thread_waits.h. */
#include "analyze/threads/thread_waits.h"

#include <string.h>

#include "base/cleanup.h"
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

enum timeout { TIMEOUT_NONE, TIMEOUT_MS, TIMEOUT_POINTER };

struct wait_row {
	const char *call;
	uint8_t what;
	uint8_t descriptor, timeout; /* which argument, from 1 */
	uint8_t how;
};

static const struct wait_row rows[] = {
#define WAIT(call, what, descriptor, timeout, how)                                                 \
	{ #call, THREAD_WAIT_##what, descriptor, timeout, TIMEOUT_##how },
#include "analyze/threads/thread_waits.def"
#undef WAIT
};

static const struct wait_row *find(const struct threads_thread *t)
{
	const struct syscall_row *call = syscall_by_number(t->abi, t->syscall);

	for (size_t i = 0; call && i < ARRAY_SIZE(rows); i++) {
		if (!strcmp(rows[i].call, call->name))
			return &rows[i];
	}
	return NULL;
}

static void set_timeout(struct thread_waiting *w, const struct wait_row *row, uint64_t value)
{
	if (row->how == TIMEOUT_POINTER)
		w->has_timeout = value != 0;
	else if (row->how == TIMEOUT_MS && (int32_t)(uint32_t)value >= 0)
		w->has_timeout = true;
	if (row->how == TIMEOUT_MS && w->has_timeout)
		w->timeout_ms = (uint32_t)value;
}

/* The calls of 2023 have other flags than the old one, in other places. */
static void set_futex(struct thread_waiting *w, const struct wait_row *row, const uint64_t *values)
{
	if (!strcmp(row->call, "futex_waitv")) {
		w->is_of_others = true; /* each has its own flags, in memory */
		return;
	}
	w->address = values[0];
	if (!strcmp(row->call, "futex") || !strcmp(row->call, "futex_time64")) {
		uint64_t command = values[1] & FUTEX_COMMAND;

		w->is_mutex = (command == FUTEX_WAIT && (uint32_t)values[2] == HELD) ||
			      command == FUTEX_LOCK_PI || command == FUTEX_LOCK_PI2;
	}
	w->is_of_others = !(values[!strcmp(row->call, "futex_wait") ? 3 : 1] & FUTEX_PRIVATE);
}

struct thread_waiting thread_waiting_of(const struct threads_thread *t, bool has_arguments)
{
	struct thread_waiting w = { .descriptor = THREAD_WAIT_NO_FD };
	const struct wait_row *row;

	if (t->state == 'R')
		w.what = THREAD_WAIT_NOTHING;
	if (t->state == 'R' || t->syscall_state != SOOTH_STATE_VALUE)
		return w;
	row = find(t);
	w.what = row ? (enum thread_wait)row->what : THREAD_WAIT_OTHER;
	if (!row)
		return w;
	w.has_timeout = w.what == THREAD_WAIT_TIME;
	if (!has_arguments)
		return w;
	if (w.what == THREAD_WAIT_READY && row->descriptor && !t->arguments[row->descriptor - 1])
		w.what = THREAD_WAIT_TIME; /* of none: a way to sleep */
	else if (w.what != THREAD_WAIT_READY && row->descriptor)
		w.descriptor = (uint32_t)t->arguments[row->descriptor - 1];
	if (row->timeout)
		set_timeout(&w, row, t->arguments[row->timeout - 1]);
	if (w.what == THREAD_WAIT_LOCK)
		set_futex(&w, row, t->arguments);
	return w;
}
