/* SPDX-License-Identifier: BSD-2-Clause */
/* What threads waited for (see call_history.h): by how their calls ended, so that whoever wakes
 * because time is over is told from whoever has work. */
#include <string.h>

#include "analyze/calls/call_history_parts.h"
#include "base/units.h"
#include "model/errno_names.h"

#define SLEPT_NS (10 * NS_PER_US) /* in less nobody has slept */

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

/* Which one it is most: whoever has more than half of the votes is left over. */
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
	if (!waits_at_lock(c->call->arguments[1])) {
		w->wakes++;
		return;
	}
	/* EAGAIN: it was free by then; whoever contends for it asked all the same. */
	w->locks++;
	vote(w, c->call->arguments[0]);
	if (!has_slept)
		return;
	*(c->error == LINUX_ETIMEDOUT ? &w->by_time : &w->by_event) += 1;
}

void call_waits_take(const struct call_at_hand *c)
{
	bool has_slept = call_is_timed(c->call) && c->call->duration_ns >= SLEPT_NS;
	uint32_t tid = c->call->record.tid;
	struct call_waits *w;

	if (!c->types->waits && !(c->kinds & CALL_YIELDS))
		return;
	w = map_put(&c->history->waits, &tid, NULL);
	if (!w)
		return;
	memcpy(w->name, c->call->name, sizeof(w->name));
	if (c->kinds & CALL_YIELDS)
		w->yields++;
	else if (c->kinds & CALL_FUTEX)
		take_futex(c, w, has_slept);
	else if (!has_slept)
		return;
	else if (c->kinds & CALL_SLEEPS || (c->kinds & CALL_POLLS && !c->call->result))
		w->by_time++;
	else
		w->by_event++;
}
