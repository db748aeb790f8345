/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/closed_terminal.h"

#include <assert.h>

#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/check_waits.h"

NUMBER(READS_A_S, 50, NONE, "reads a second: a program that asks now and then makes fewer");

bool closed_terminal_is_read(struct closed_terminal *out, const struct check *e)
{
	struct check_calls c;
	uint64_t most = 0;

	assert(out);
	*out = (struct closed_terminal){ .fd = -1 };
	if (!check_calls_read(&c, e))
		return false;
	call_repeats_each (c.history, key, r) {
		const struct syscall_row *row = syscall_by_number(key->abi, key->number);

		if (key->result || key->fd < 0 || !row ||
			row->transfer.direction != SYSCALL_READS ||
			!check_is_closed_terminal(check_descriptor(e, (uint32_t)key->fd)))
			continue;
		out->per_s += check_calls_rate(&c, (double)r->count) *
			      call_history_correction(c.history, key->abi, key->number);
		if (r->count <= most)
			continue;
		most = r->count;
		out->fd = key->fd;
		out->tid = key->tid;
	}
	out->least = check_calls_least(e);
	return out->per_s >= READS_A_S;
}
