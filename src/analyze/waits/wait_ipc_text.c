/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_ipc_text.h"

#include "probes/syscall_names.h"

static bool has_argument(const struct syscall_row *row, enum argument_type_id type)
{
	for (int i = 0; i < row->argument_count; i++) {
		if (row->arguments[i] == type)
			return true;
	}
	return false;
}

void wait_ipc_text(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_thread *t = link->thread;
	const struct syscall_row *row =
		t && !t->call_state ? syscall_row_of(t->abi, t->syscall) : NULL;
	char call[SYSCALL_NAME_SIZE];
	const char *what;

	(void)g;
	if (!row) {
		buffer_string(out, "waits for a semaphore or message queue: no owner is recorded");
		return;
	}
	what = row->arguments[0] == ARGUMENT_TYPE_fd	     ? "the POSIX queue of descriptor"
	       : has_argument(row, ARGUMENT_TYPE_msgq_flags) ? "System V queue"
							     : "System V semaphore set";
	syscall_name(t->abi, t->syscall, call);
	buffer_format(out, "waits for %s %d (%s): no owner is recorded", what, (int)t->arguments[0],
		call);
}
