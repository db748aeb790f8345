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

bool wait_is_left_semaphore(const struct wait_link *link)
{
	const struct waits_thread *t = link->thread;
	const struct syscall_row *row =
		t && !t->call_state ? syscall_row_of(t->abi, t->syscall) : NULL;

	return link->what == WAIT_IPC && row && link->party && !link->party->is_alive &&
	       !has_argument(row, ARGUMENT_TYPE_msgq_flags);
}

/* Appends the process that last used the object. */
static void put_user(struct buffer *out, const struct waits_party *p)
{
	struct span name = record_text(&p->record, &p->name);

	if (p->is_alive)
		buffer_format(out, "%.*s (%u)", (int)name.size, name.data, p->party_pid);
	else
		buffer_format(out, "process %u, which has ended", p->party_pid);
}

void wait_ipc_text(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_thread *t = link->thread;
	const struct syscall_row *row =
		t && !t->call_state ? syscall_row_of(t->abi, t->syscall) : NULL;
	char call[SYSCALL_NAME_SIZE];
	bool is_queue;
	const char *what;

	(void)g;
	if (!row) {
		buffer_string(out, "waits for a semaphore or message queue: no owner is recorded");
		return;
	}
	is_queue = has_argument(row, ARGUMENT_TYPE_msgq_flags);
	what = is_queue ? "System V queue" : "System V semaphore set";
	syscall_name(t->abi, t->syscall, call);
	buffer_format(out, "waits for %s %d (%s): ", what, (int)t->arguments[0], call);
	if (!link->party) {
		buffer_string(out, "no owner is recorded");
		return;
	}
	buffer_string(out, !is_queue				     ? "last changed by "
			   : row->arguments[3] == ARGUMENT_TYPE_long ? "last sender "
								     : "last receiver ");
	put_user(out, link->party);
}
