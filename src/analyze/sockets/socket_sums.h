/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums over the sockets of a process, for one line about them. */
#pragma once

#include "analyze/snapshots.h"
#include "analyze/sockets/peer_labels.h"
#include "base/map.h"
#include "probes/sockets.h"

/* Walks the sockets of a snapshot; NULL: none. */
#define sockets_each(s, one)                                                                       \
	snapshot_each_of (struct sockets_socket, one, s, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST)

struct socket_index {
	struct map sockets; /* inode -> const struct sockets_socket * */
};

/* Makes an index of a snapshot, which must not change afterwards; NULL: an empty index. */
void socket_index_init(struct socket_index *i, const struct snapshot *snapshot);
void socket_index_fini(struct socket_index *i);
/* Returns the socket with an inode; NULL: the snapshot has no such socket. */
const struct sockets_socket *socket_index_get(const struct socket_index *i, uint64_t inode);

/* Returns whether the peer has closed the socket, and had closed it in the snapshot of the index.
 */
bool socket_index_both_closed(const struct socket_index *i, const struct sockets_socket *s);

/* Returns the number of connections of the process itself to a socket that it listens on. */
unsigned sockets_to_itself(const struct snapshot *snapshot, const struct sockets_socket *listener);
/* Returns whether one of the sockets listens. */
bool sockets_listen(const struct snapshot *snapshot);

#define SOCKET_SUMS_TEXT 64 /* size of the text of a peer or protocol; longer texts are cut */

/* NUL-padded because keys are compared as bytes. */
struct socket_kind_key {
	char protocol[24]; /* "tcp6" */
	uint8_t state;	   /* enum sockets_state */
	uint8_t state_state;
	uint8_t unused[6];
};

struct socket_peer_key {
	char text[SOCKET_SUMS_TEXT]; /* a label, or the address without one */
};

struct socket_peer_sum {
	uint64_t count;
	bool has_label;
};

struct socket_sums {
	struct map kinds; /* socket_kind_key -> uint64_t */
	struct map peers; /* socket_peer_key -> socket_peer_sum, of established internet sockets */
	uint64_t count;
	uint64_t established; /* of TCP */
	uint64_t listening;
	uint64_t retransmitting; /* connections with unacknowledged retransmits */
	uint64_t retransmits;	 /* retransmitted segments of all connections */
	uint64_t waiting_bytes;	 /* received, unread by the process */
	/* The established connection that was silent longest, and its fd. */
	uint64_t silent_ns;
	uint32_t silent_fd;
	bool has_silent;
	struct socket_peer_key silent_peer;
};

void socket_sums_init(struct socket_sums *s);
void socket_sums_fini(struct socket_sums *s);
/* Adds a record of full length; `label`: name of its peer, or empty. */
void socket_sums_add(struct socket_sums *s, const struct sockets_socket *socket, struct span label);
/* Returns the label of a record's peer from rules only, or empty. */
struct span socket_sums_label(const struct peer_labels *labels, const struct sockets_socket *socket,
	enum peer_label_strength *strength);
