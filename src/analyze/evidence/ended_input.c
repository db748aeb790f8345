/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/ended_input.h"

#include <assert.h>
#include <unistd.h>

#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/check_waits.h"

NUMBER(READS_A_S, 50, NONE, "reads a second: a program that asks now and then makes fewer");

/* A FIFO may get a new writer; the pipe at standard input cannot. */
static bool has_ended(const struct fds_descriptor *d, int32_t fd)
{
	return check_is_closed_terminal(d) || (d && fd == STDIN_FILENO && d->type == FDS_PIPE);
}

bool ended_input_is_read(struct ended_input *out, const struct check *e)
{
	uint64_t most = 0;

	assert(out);
	*out = (struct ended_input){ .fd = -1 };
	if (!e->calls.is_read)
		return false;
	call_repeats_each (e->calls.history, key, r) {
		const struct syscall_row *row = syscall_by_number(key->abi, key->number);
		const struct fds_descriptor *d = check_descriptor(e, (uint32_t)key->fd);

		if (key->result || key->fd < 0 || !row ||
			row->transfer.direction != SYSCALL_READS || !has_ended(d, key->fd))
			continue;
		out->per_s += check_calls_rate(e, (double)r->count) *
			      call_history_correction(e->calls.history, key->abi, key->number);
		if (r->count <= most)
			continue;
		most = r->count;
		out->fd = key->fd;
		out->is_pipe = d->type == FDS_PIPE;
		out->tid = key->tid;
	}
	out->least = check_calls_least(e);
	return out->per_s >= READS_A_S;
}
