/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_object_kinds.h"

#include "analyze/waits/wait_lookup.h"
#include "probes/fds.h"
#include "probes/sockets.h"
#include "probes/syscall_names.h"

static void explain_socket_wait(struct wait_link *link, const struct syscall_row *row,
	const struct waits_object *o, bool writes)
{
	bool connects = row && row->traits & SYSCALL_CONNECTS;

	link->what = wait_listens(o) ? WAIT_ACCEPT
		     : connects || (!o->socket_state_state && o->socket_state == SOCKETS_SYN_SENT)
			     ? WAIT_CONNECT
		     : writes ? WAIT_SOCKET_WRITE
			      : WAIT_SOCKET_READ;
	link->is_idle = link->what == WAIT_ACCEPT;
}

void wait_link_of_object(struct wait_link *link, const struct syscall_row *row,
	const struct waits_object *o, bool writes)
{
	link->object = o;
	if (wait_is_terminal(o)) {
		link->what = writes ? WAIT_TERMINAL_WRITE : WAIT_TERMINAL_READ;
		return;
	}
	if (wait_is_pipe(o)) {
		link->what = writes ? WAIT_PIPE_WRITE : WAIT_PIPE_READ;
		/* A server: any process may use the name later. */
		link->is_idle = !writes && !link->party && o->type == FDS_QUEUE;
		return;
	}
	if (wait_is_socket(o)) {
		explain_socket_wait(link, row, o, writes);
		return;
	}
	switch ((enum fds_type)o->type) {
	case FDS_TIMERFD:
		link->what = WAIT_TIMER;
		break;
	case FDS_SIGNALFD:
		link->what = WAIT_SIGNAL;
		link->is_idle = true;
		break;
	case FDS_INOTIFY:
	case FDS_FANOTIFY:
		link->what = WAIT_FILE_CHANGES;
		link->is_idle = true;
		break;
	case FDS_PIDFD:
		link->what = WAIT_CHILD;
		break;
	case FDS_EVENTFD:
	case FDS_EPOLL:
		link->what = WAIT_EVENTS;
		link->is_idle = true;
		link->count = 1;
		break;
	case FDS_FILE:
	case FDS_DIRECTORY:
	case FDS_DELETED:
		link->what = WAIT_IO;
		break;
	default:
		link->what = WAIT_EVENTS;
		link->is_idle = true;
		link->count = 1;
		break;
	}
}
