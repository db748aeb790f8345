/* SPDX-License-Identifier: BSD-2-Clause */
/* What a call returned, as people read it: numbers are written as the arguments of their kind are.
 */
#include "analyze/calls/call_written.h"

#include <string.h>

#include "base/cleanup.h"
#include "bpf/aggregate.h"

/* What fcntl(2) returns its command says. */
static bool is_control(const struct syscall_row *row)
{
	return row->argument_count > 2 && syscall_argument(row, 2)->form == ARGUMENT_AS_CONTROL;
}

/* "0x8002 (O_RDWR|O_LARGEFILE)", "10 (SIGUSR1)" */
static void put_named(const struct call_text *w, const struct flag_table *flags)
{
	uint64_t result = (uint64_t)w->call->result;

	if (flags->one_of == ~0ull)
		buffer_u64(w->out, result);
	else
		written_put_hex(w->out, result);
	if (!result && !(flags->one_of && flag_name(flags, 0)))
		return;
	buffer_string(w->out, " (");
	call_put_flags(w->out, flags, w->call->abi, result);
	buffer_char(w->out, ')');
}

static bool returns_descriptor(const struct call_text *w)
{
	return syscall_returns_descriptor(w->row) ||
	       (is_control(w->row) && written_control_copies(w->call->arguments[1]));
}

void call_put_result(const struct call_text *w)
{
	const struct flag_table *flags =
		is_control(w->row) ? written_control_result(w->call->arguments[1]) : NULL;

	if (aggregate_is_error(w->call->result))
		buffer_string(w->out, "-1");
	else if (w->fds && returns_descriptor(w))
		written_put_fd(w, w->call->result);
	else if (flags)
		put_named(w, flags);
	else if (w->row->traits & SYSCALL_RETURNS_ADDRESS)
		written_put_hex(w->out, (uint64_t)w->call->result);
	else if (w->row->traits & SYSCALL_RETURNS_MODE)
		written_put_octal(w->out, (uint64_t)w->call->result);
	else
		buffer_i64(w->out, w->call->result);
}
