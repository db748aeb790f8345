/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_channels.h"

#include <poll.h>

#include "analyze/waits/wait_lookup.h"
#include "analyze/waits/wait_object_kinds.h"
#include "probes/bsd_channels.h"

/* Finds the kind of a wait for several unknown descriptors: that of a server, or that of a process
 * with only one connection. */
static enum wait_channel_kind kind_of_event_channel(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link)
{
	const struct waits_object *o = NULL, *listener = NULL, *only = NULL;
	unsigned others = 0;

	while ((o = wait_graph_object(g, t, o))) {
		if (wait_listens(o) && !listener)
			listener = o;
		if (wait_is_connection(o) && !only)
			only = o;
		else
			others++;
	}
	link->is_idle = true;
	if (listener) {
		wait_link_of_object(link, NULL, listener, false);
		return WAIT_CHANNEL_WHOLE;
	}
	if (only && !others) {
		link->is_idle = false;
		wait_link_of_object(link, NULL, only, false);
		link->party = wait_party_by_fd(g, t, only->fd);
		link->confidence = WAITS_LOW;
	}
	return WAIT_CHANNEL_OR_WORKER;
}

static void explain_descriptor_wait(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link)
{
	const struct waits_object *o = wait_first_object(g, t, WAITS_ROLE_CALL);
	bool connects = link->what == WAIT_CONNECT;

	link->party = wait_best_party(g, t, link);
	if (!o)
		return;
	wait_link_of_object(link, NULL, o, o->events == POLLOUT);
	if (connects)
		link->what = WAIT_CONNECT;
}

static void explain_children_wait(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link)
{
	unsigned count = 0;

	link->party = wait_youngest_party(g, t, WAITS_RELATION_CHILD, &count);
	link->others = count ? count - 1 : 0;
}

static const enum wait_what whats[] = {
	[BSD_CHANNEL_PIPE_READ] = WAIT_PIPE_READ,
	[BSD_CHANNEL_PIPE_WRITE] = WAIT_PIPE_WRITE,
	[BSD_CHANNEL_FIFO_OPEN] = WAIT_FIFO_OPEN,
	[BSD_CHANNEL_SOCKET] = WAIT_SOCKET_READ,
	[BSD_CHANNEL_ACCEPTS] = WAIT_ACCEPT,
	[BSD_CHANNEL_CONNECTS] = WAIT_CONNECT,
	[BSD_CHANNEL_TERMINAL_READ] = WAIT_TERMINAL_READ,
	[BSD_CHANNEL_TERMINAL_WRITE] = WAIT_TERMINAL_WRITE,
	[BSD_CHANNEL_CHILD] = WAIT_CHILD,
	[BSD_CHANNEL_EVENTS] = WAIT_EVENTS,
	[BSD_CHANNEL_SLEEP] = WAIT_SLEEP,
	[BSD_CHANNEL_FILE_LOCK] = WAIT_LOCK,
	[BSD_CHANNEL_SIGNAL] = WAIT_SIGNAL,
	[BSD_CHANNEL_LOCK] = WAIT_CONDITION,
	[BSD_CHANNEL_IPC] = WAIT_IPC,
	[BSD_CHANNEL_DISK] = WAIT_IO,
	[BSD_CHANNEL_FILE_SYSTEM] = WAIT_FILE_SYSTEM,
};

enum wait_channel_kind wait_link_of_channel(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link)
{
	enum bsd_channel channel = bsd_channel_of(record_text(&t->record, &t->wait_channel));

	if (channel == BSD_CHANNEL_NONE)
		return WAIT_CHANNEL_UNKNOWN;
	link->what = whats[channel];
	switch (channel) {
	case BSD_CHANNEL_PIPE_READ:
	case BSD_CHANNEL_PIPE_WRITE:
	case BSD_CHANNEL_SOCKET:
	case BSD_CHANNEL_CONNECTS:
	case BSD_CHANNEL_TERMINAL_READ:
	case BSD_CHANNEL_TERMINAL_WRITE:
		explain_descriptor_wait(g, t, link);
		break;
	case BSD_CHANNEL_ACCEPTS:
		explain_descriptor_wait(g, t, link);
		link->is_idle = true;
		break;
	case BSD_CHANNEL_CHILD:
		explain_children_wait(g, t, link);
		break;
	case BSD_CHANNEL_EVENTS:
		return kind_of_event_channel(g, t, link);
	case BSD_CHANNEL_FILE_LOCK:
		link->object = wait_first_object(g, t, WAITS_ROLE_CALL);
		link->party = wait_best_party(g, t, link);
		break;
	case BSD_CHANNEL_SIGNAL:
		link->is_idle = true;
		return WAIT_CHANNEL_OR_WORKER;
	default:
		break;
	}
	return WAIT_CHANNEL_WHOLE;
}
