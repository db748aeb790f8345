/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether serving a request makes the process connect again (see call_history.h): it accepts,
 * connects, accepts, connects, and closes nothing in between. Requests that go round in a circle do
 * so, one inside the other. These calls share a budget, so they are recorded in order even if other
 * calls are only counted. */
#include "analyze/calls/call_history_parts.h"
#include "model/errno_names.h"

static void restart_nesting(struct call_nesting *n, enum call_nested last)
{
	n->depth = 0;
	n->last = (uint8_t)last;
}

static void note_accept(struct call_nesting *n)
{
	if (n->last != CALL_NESTED_CONNECT)
		restart_nesting(n, CALL_NESTED_ACCEPT);
	n->last = CALL_NESTED_ACCEPT;
}

static void note_connect(struct call_nesting *n)
{
	if (n->last != CALL_NESTED_ACCEPT) {
		restart_nesting(n, CALL_NESTED_CONNECT);
		return;
	}
	n->last = CALL_NESTED_CONNECT;
	if (++n->depth > n->deepest)
		n->deepest = n->depth;
}

void call_nesting_add_call(const struct call_at_hand *c)
{
	const struct folded_call *call = c->folded;
	struct call_nesting *n = &c->history->nesting;

	if (call->call->gaps & SYSCALLS_GAP_KEPT)
		restart_nesting(n, CALL_NESTED_NOTHING);
	switch (call->row->effect.what) {
	case SYSCALL_FD_ACCEPTS:
		if (!call->is_error)
			note_accept(n);
		break;
	case SYSCALL_FD_BEGINS_CONNECTION:
		if (!call->is_error || call->error == LINUX_EINPROGRESS)
			note_connect(n);
		break;
	case SYSCALL_FD_CLOSES:
		if (call->file && call->file->kind == FD_FOLLOWED_SOCKET)
			restart_nesting(n, CALL_NESTED_NOTHING);
		break;
	default:
		break;
	}
}
