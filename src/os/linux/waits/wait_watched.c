/* SPDX-License-Identifier: BSD-2-Clause */
/* The descriptors of a call that waits for any of several: epoll, poll and select. */
#include <poll.h>
#include <stdio.h>

#include "base/buffer.h"
#include "os/linux/fds/fdinfo.h"
#include "os/linux/waits/wait_reader.h"

#define WATCHED_MAX 64	 /* descriptors of one call that are examined */
#define SELECT_MAX  1024 /* FD_SETSIZE */

/* Returns whether the descriptors are so few that a search for the other end of each is worth it:
 * for an event loop with many connections it is not. */
static bool are_few(size_t count)
{
	return count <= 4;
}

static void read_epoll(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	uint32_t fd = (uint32_t)c->thread->arguments[0];
	struct fdinfo_member member;
	struct buffer text = { 0 };
	struct cursor lines;
	size_t count = 0;
	char path[48];

	snprintf(path, sizeof(path), "fdinfo/%u", fd);
	if (procfs_read_at(n->process, path, &text, PROCFS_SMALL) >= 0) {
		lines = cursor_over(text.data, text.size);
		while (fdinfo_next_member(&lines, &member))
			count++;
		lines = cursor_over(text.data, text.size);
		for (size_t i = 0; i < WATCHED_MAX && fdinfo_next_member(&lines, &member); i++)
			wait_add_descriptor(r, n, c, member.fd, WAITS_ROLE_WATCHED, member.events,
				are_few(count));
	}
	buffer_fini(&text);
}

static void read_poll(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	struct pollfd fds[WATCHED_MAX];
	uint64_t count = c->thread->arguments[1];
	size_t kept = count < WATCHED_MAX ? (size_t)count : WATCHED_MAX;

	if (!kept || !wait_read_memory(r, n, c->thread->arguments[0], fds, kept * sizeof(fds[0])))
		return;
	for (size_t i = 0; i < kept; i++) {
		if (fds[i].fd >= 0)
			wait_add_descriptor(r, n, c, (uint32_t)fds[i].fd, WAITS_ROLE_WATCHED,
				(uint32_t)fds[i].events, are_few(kept));
	}
}

static void read_select(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	uint64_t count = c->thread->arguments[0];
	uint64_t sets[2][SELECT_MAX / 64] = { { 0 } };
	size_t words, kept = 0;

	if (!count || count > SELECT_MAX)
		return;
	words = (count + 63) / 64;
	for (int set = 0; set < 2; set++) {
		uint64_t address = c->thread->arguments[1 + set];

		if (address)
			wait_read_memory(r, n, address, sets[set], words * sizeof(uint64_t));
	}
	for (uint32_t fd = 0; fd < count && kept < WATCHED_MAX; fd++) {
		bool reads = sets[0][fd / 64] >> fd % 64 & 1;
		bool writes = sets[1][fd / 64] >> fd % 64 & 1;

		if (!reads && !writes)
			continue;
		kept++;
		wait_add_descriptor(r, n, c, fd, WAITS_ROLE_WATCHED,
			(reads ? POLLIN : 0u) | (writes ? POLLOUT : 0u), true);
	}
}

void wait_add_watched(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	if (!c->row)
		return;
	if (wait_find_argument(c->row, ARGUMENT_TYPE_epoll_out) >= 0)
		read_epoll(r, n, c);
	else if (wait_find_argument(c->row, ARGUMENT_TYPE_polled) >= 0)
		read_poll(r, n, c);
	else if (c->row->traits & SYSCALL_SUBMITS)
		wait_add_descriptor(
			r, n, c, (uint32_t)c->thread->arguments[0], WAITS_ROLE_CALL, 0, false);
	else if (c->row->wait.count)
		read_select(r, n, c);
}
