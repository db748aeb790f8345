/* SPDX-License-Identifier: BSD-2-Clause */
/* See call_notes.h. */
#include "analyze/call_notes.h"

#include "probes/syscalls.h"

void call_notes_init(struct call_notes *n)
{
	holds_init(&n->holds);
}

void call_notes_take(struct call_notes *n, const struct sooth_record *r)
{
	holds_take(&n->holds, r, SYSCALLS_HOLD);
}

int call_notes_tell(struct call_notes *n, struct output *output, struct sooth_error *err)
{
	return holds_tell(&n->holds, output, "every call of a target that may be held", err);
}
