/* SPDX-License-Identifier: BSD-2-Clause */
/* Which side of a TCP connection sent data last. */
#pragma once

#include "probes/sockets.h"

/* Returns whether nothing was sent since data was last received. */
static inline bool socket_owes_answer(const struct sockets_socket *s)
{
	return s->state == SOCKETS_ESTABLISHED && !s->received_state &&
	       (s->sent_state == SOOTH_STATE_ABSENT ||
		       (!s->sent_state && s->sent_ago_ns > s->received_ago_ns));
}

/* Returns whether data was received last, or nothing was ever sent, and everything was read: no
 * request of this process is open. */
static inline bool socket_is_at_rest(const struct sockets_socket *s)
{
	return s->state == SOCKETS_ESTABLISHED && !s->receive_queue_state &&
	       !s->receive_queue_bytes && !s->send_queue_state && !s->send_queue_bytes &&
	       (s->sent_state == SOOTH_STATE_ABSENT ||
		       (!s->sent_state && !s->received_state &&
			       s->received_ago_ns <= s->sent_ago_ns));
}
