/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that a thread makes over and over on the same descriptor with the same kind of result (see
 * call_history.h). For calls that poll, the descriptor is the first one that was ready: libraries
 * put its number into the event, so a number that is open is taken for it.
 */
#include <stdio.h>
#include <string.h>

#include "analyze/calls/call_history_parts.h"

#define EVENT_MASK_SIZE 4 /* of struct epoll_event, packed: the mask, then the user's number */
#define ARROW		"\xe2\x86\x92"

struct polled_item {
	int32_t fd;
	int16_t events, returned;
};

static int32_t result_of(const struct folded_call *call)
{
	if (call->is_error)
		return -(int32_t)call->error;
	return call->call->result > 0;
}

static bool is_open(const struct folded_call *call, int64_t fd)
{
	return fd_follow_get(&call->fold->fds, &call->process, fd) != NULL;
}

static int32_t ready_of_poll(const struct call_piece *piece, uint32_t *events)
{
	struct polled_item item;

	for (size_t i = 0; i + sizeof(item) <= piece->bytes.size; i += sizeof(item)) {
		memcpy(&item, piece->bytes.data + i, sizeof(item));
		if (!item.returned && piece->bytes.size > sizeof(item))
			continue;
		*events = (uint16_t)item.returned;
		return item.fd;
	}
	return CALL_REPEAT_NO_FD;
}

static int32_t ready_of_epoll(
	const struct folded_call *call, const struct call_piece *piece, uint32_t *events)
{
	int32_t fd;

	if (piece->bytes.size < EVENT_MASK_SIZE + sizeof(fd))
		return CALL_REPEAT_NO_FD;
	memcpy(events, piece->bytes.data, sizeof(*events));
	memcpy(&fd, piece->bytes.data + EVENT_MASK_SIZE, sizeof(fd));
	return fd > 2 && is_open(call, fd) ? fd : CALL_REPEAT_NO_FD;
}

/* epoll_wait has its own descriptor first, then the events; poll begins with the array. */
static int32_t ready_fd(const struct folded_call *call, uint32_t *events)
{
	struct call_piece piece =
		call_piece(call->call, call->has_fd ? 1 : 0, SYSCALLS_PART_TARGET);

	if (!piece.is_there || call->is_error)
		return CALL_REPEAT_NO_FD;
	if (!call->has_fd)
		return ready_of_poll(&piece, events);
	return call->call->result > 0 ? ready_of_epoll(call, &piece, events) : CALL_REPEAT_NO_FD;
}

/* Of a socket without a peer each datagram names one. */
static void put_peer(const struct folded_call *call, char *text, size_t size)
{
	char peer[FD_FOLLOW_ADDRESS];
	size_t used = strlen(text);

	if (!strstr(text, ARROW) && call_named_peer(call->call, peer, sizeof(peer)))
		snprintf(text + used, size - used, ARROW "%s", peer);
}

static void describe(struct call_repeat *r, const struct folded_call *call, int32_t fd)
{
	const struct fd_followed *file =
		fd >= 0 ? fd_follow_get(&call->fold->fds, &call->process, fd) : NULL;
	struct call_path path = { { 0 } };

	r->is_described = true;
	if (file && file->kind == FD_FOLLOWED_SOCKET) {
		fd_followed_connection(file, path.text, sizeof(path.text));
		put_peer(call, path.text, sizeof(path.text));
	} else if (file && file->name) {
		path = call_path_of(span_of(file->name, strlen(file->name)));
	}
	memcpy(r->text, path.text, sizeof(r->text));
	r->is_socket = file && file->kind == FD_FOLLOWED_SOCKET;
}

/* What does not fit is no repeated call, so it is not counted as refused. */
static struct call_repeat *repeat_of(struct map *all, const struct call_repeat_key *key)
{
	return all->count < all->limit ? map_put(all, key, NULL) : map_get(all, key);
}

void call_repeats_take(const struct call_at_hand *c)
{
	const struct folded_call *call = c->folded;
	bool polls = call->row->traits & SYSCALL_POLLS;
	struct call_repeat_key key = { .tid = call->call->record.tid,
		.number = call->call->number,
		.abi = call->call->abi,
		.fd = CALL_REPEAT_NO_FD,
		.result = result_of(call) };
	struct call_repeat *r;
	uint32_t events = 0;

	if (polls)
		key.fd = ready_fd(call, &events);
	else if (call->has_fd)
		key.fd = (int32_t)call->fd;
	r = repeat_of(&c->history->repeats, &key);
	if (!r)
		return;
	if (!r->is_described)
		describe(r, call, key.fd);
	r->count += c->weight;
	if (!r->seen++)
		r->first_ns = call->call->record.time_ns;
	r->last_ns = call->call->record.time_ns;
	r->bytes += call->bytes * c->weight;
	r->events |= events;
	r->has_path |= c->path.size != 0;
}
