/* SPDX-License-Identifier: BSD-2-Clause */
/* The fate of connections that a server accepts (see call_history.h): the server reads from the
 * client, or closes the connection at once, as it does at its limit of connections. A server may
 * also close a connection after it gave it to a child or another process. A call in between shows
 * that, and such a connection is not counted. */
#include <string.h>

#include "analyze/calls/call_history_parts.h"

#define AT_ONCE_NS     NS_PER_S
#define LINUX_MSG_PEEK 2
#define SHORT_MOST     512 /* bytes of a short answer: "-ERR max number of clients reached" */

static void begin_client(const struct call_at_hand *c)
{
	const struct fd_followed *listener = c->folded->file;
	uint32_t fd = (uint32_t)c->folded->call->result;
	struct call_guest *guest;

	if (!listener || !*listener->local)
		return;
	guest = map_put(&c->history->guests, &fd, NULL);
	if (guest)
		*guest = (struct call_guest){
			.listener = call_path_key(span_of_string(listener->local)),
			.since_ns = c->folded->call->record.time_ns,
		};
}

static void note_served_client(
	const struct call_at_hand *c, const struct call_guest *guest, uint32_t fd)
{
	struct call_clients *all = map_put(&c->history->clients, &guest->listener, NULL);

	if (all)
		all->served++;
	map_remove(&c->history->guests, &fd);
}

static void note_closed_client(
	const struct call_at_hand *c, const struct call_guest *guest, uint32_t fd)
{
	uint64_t now_ns = c->folded->call->record.time_ns;
	bool is_short = !guest->is_peeked && guest->answers <= 1 && guest->bytes <= SHORT_MOST;
	struct call_clients *all;

	/* After a gap, a read of the connection may be among the calls that were only counted. */
	if (!(c->folded->call->gaps & (SYSCALLS_GAP_WINDOW | SYSCALLS_GAP_TIME)) &&
		c->history->given_ns < guest->since_ns && now_ns - guest->since_ns < AT_ONCE_NS &&
		is_short) {
		all = map_put(&c->history->clients, &guest->listener, NULL);
		if (all && !all->dropped && !all->turned_away)
			all->first_ns = now_ns;
		if (all) {
			*(guest->answers ? &all->turned_away : &all->dropped) += 1;
			all->last_ns = now_ns;
			if (*guest->log)
				memcpy(all->log, guest->log, sizeof(all->log));
		}
	}
	map_remove(&c->history->guests, &fd);
}

/* Returns whether the call may pass descriptors on: it starts a task, or sends to a unix socket. */
static bool gives_away(const struct folded_call *call)
{
	return call->row->traits & SYSCALL_STARTS_TASK ||
	       (call->to.is_there && call->row->arguments[1] == ARGUMENT_TYPE_msg_in &&
		       call->to.file && !strcmp(call->to.file->protocol, "UNIX"));
}

/* Notes the file that the process writes while it has new clients: it may say why one is closed. */
static void note_log_file(struct call_history *h, const struct fd_followed *file)
{
	if (!file || file->kind != FD_FOLLOWED_FILE || !file->name)
		return;
	map_for_each_value (&h->guests, struct call_guest *, value) {
		struct call_path path = call_path_key(span_of_string(file->name));

		memcpy(value->log, path.text, sizeof(path.text));
	}
}

/* Returns whether the call only peeks, as nginx does to recognize a TLS hello. */
static bool looks_only(const struct folded_call *call)
{
	return syscall_value(call->call->arguments, call->row->transfer.flags, 0) & LINUX_MSG_PEEK;
}

static void handle_call_of_client(const struct call_at_hand *c)
{
	const struct folded_call *call = c->folded;
	uint32_t fd = (uint32_t)(call->from.is_there ? call->from.fd
				 : call->to.is_there ? call->to.fd
						     : call->fd);
	struct call_guest *guest = map_get(&c->history->guests, &fd);

	if (guest && call->from.is_there && looks_only(call)) {
		guest->is_peeked = true;
	} else if (guest && call->from.is_there) {
		note_served_client(c, guest, fd);
	} else if (guest && call->to.is_there) {
		guest->answers++;
		guest->bytes += call->bytes;
	} else if (guest && call->row->effect.what == SYSCALL_FD_CLOSES) {
		note_closed_client(c, guest, fd);
	} else if (call->to.is_there) {
		note_log_file(c->history, call->to.file);
	}
}

void call_clients_add_call(const struct call_at_hand *c)
{
	const struct folded_call *call = c->folded;

	if (call->row->effect.what == SYSCALL_FD_ACCEPTS) {
		if (!call->is_error)
			begin_client(c);
		return;
	}
	if (!c->history->guests.count)
		return;
	if (gives_away(call))
		c->history->given_ns = call->call->record.time_ns;
	if (call->from.is_there || call->to.is_there || call->has_fd)
		handle_call_of_client(c);
}
