/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/datagram_requests.h"

#include <assert.h>
#include <string.h>

#include "model/errno_names.h"
#include "probes/syscall_names.h"

/* Returns whether the peer is a multicast or broadcast address: no answer is needed. */
static bool is_to_many(const char *connection)
{
	const char *arrow = strstr(connection, FD_FOLLOW_ARROW),
		   *peer = arrow ? arrow + strlen(FD_FOLLOW_ARROW) : "";

	bool is_multicast = strspn(peer, "0123456789") == 3 && strncmp(peer, "224", 3) >= 0 &&
			    strncmp(peer, "239", 3) <= 0;

	return is_multicast || !strncmp(peer, "255.", 4) || !strncmp(peer, "[ff", 3);
}

struct side {
	uint64_t waits;
	bool is_answered;
};

static bool is_send(const struct call_repeat_key *key, const struct call_repeat *r)
{
	const struct syscall_row *row = syscall_row_of(key->abi, key->number);

	return key->fd >= 0 && key->result > 0 && r->is_socket &&
	       row->transfer.direction == SYSCALL_WRITES &&
	       !strncmp(r->text, DATAGRAM_PROTOCOL, strlen(DATAGRAM_PROTOCOL)) &&
	       !is_to_many(r->text);
}

static struct side side_of(const struct call_history *h, int32_t fd)
{
	struct side side = { 0 };

	call_repeats_each (h, key, r) {
		const struct syscall_row *row = syscall_row_of(key->abi, key->number);
		bool polls = row->traits & SYSCALL_POLLS;

		if (key->fd != fd)
			continue;
		if (row->transfer.direction == SYSCALL_READS && key->result >= 0)
			side.is_answered = true;
		else if (polls ? key->result == 0 : key->result == -LINUX_EAGAIN)
			side.waits += r->count;
	}
	return side;
}

bool datagram_requests_find(struct datagram_requests *r, const struct call_history *h)
{
	assert(r);
	*r = (struct datagram_requests){ 0 };
	call_repeats_each (h, key, one) {
		struct side side;

		if (!is_send(key, one) || one->count <= r->sent)
			continue;
		side = side_of(h, key->fd);
		/* The wait for the last answer may still go on. */
		if (side.is_answered || side.waits + 1 < one->count)
			continue;
		*r = (struct datagram_requests){ one->count, side.waits, one->first_ns,
			one->last_ns, key->fd, one->text };
	}
	return r->sent != 0;
}

const char *datagram_requests_peer(const struct datagram_requests *r)
{
	assert(r);

	const char *arrow = strstr(r->connection, FD_FOLLOW_ARROW);

	return arrow ? arrow + strlen(FD_FOLLOW_ARROW) : r->connection;
}
