/* SPDX-License-Identifier: BSD-2-Clause */
/* What threads waited for (see call_history.h): by how their calls ended: a wake-up
 * at a timeout differs from one for work. */
#include <string.h>

#include "analyze/calls/call_history_parts.h"
#include "base/units.h"
#include "model/errno_names.h"

#define SLEPT_NS (10 * NS_PER_US) /* less is no sleep */

enum {
	FUTEX_COMMAND = 0x7f,
	FUTEX_WAIT_ = 0,
	FUTEX_LOCK_PI_ = 6,
	FUTEX_WAIT_BITSET_ = 9,
	FUTEX_LOCK_PI2_ = 13,
};

static bool waits_at_lock(uint64_t operation)
{
	unsigned command = operation & FUTEX_COMMAND;

	return command == FUTEX_WAIT_ || command == FUTEX_WAIT_BITSET_ ||
	       command == FUTEX_LOCK_PI_ || command == FUTEX_LOCK_PI2_;
}

/* Which one it is most: the one with more than half of the votes is left over. */
static void vote(struct call_waits *w, uint64_t address)
{
	if (w->lock == address) {
		w->lock_weight++;
	} else if (!w->lock_weight) {
		w->lock = address;
		w->lock_weight = 1;
	} else {
		w->lock_weight--;
	}
}

static void take_futex(const struct call_at_hand *c, struct call_waits *w, bool has_slept)
{
	if (!waits_at_lock(c->folded->call->arguments[1])) {
		w->wakes += c->weight;
		return;
	}
	/* EAGAIN: it was free by then; the thread contended for it all the same. */
	w->locks += c->weight;
	vote(w, c->folded->call->arguments[0]);
	if (!has_slept)
		return;
	*(c->folded->error == LINUX_ETIMEDOUT ? &w->by_time : &w->by_event) += c->weight;
}

void call_waits_take(const struct call_at_hand *c)
{
	const struct syscall_row *row = c->folded->row;
	const struct syscalls_call *call = c->folded->call;
	bool has_slept = call_is_timed(call) && call->duration_ns >= SLEPT_NS;
	uint32_t tid = call->record.tid;
	struct call_waits *w;

	if (!syscall_waits(row))
		return;
	w = map_put(&c->history->waits, &tid, NULL);
	if (!w)
		return;
	memcpy(w->name, call->name, sizeof(w->name));
	if (row->wait.what == SYSCALL_WAIT_YIELD)
		w->yields += c->weight;
	else if (row->traits & SYSCALL_FUTEX)
		take_futex(c, w, has_slept);
	else if (!has_slept)
		return;
	else if (row->traits & SYSCALL_SLEEPS || (row->traits & SYSCALL_POLLS && !call->result))
		w->by_time += c->weight;
	else
		w->by_event += c->weight;
}
