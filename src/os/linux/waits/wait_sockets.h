/* SPDX-License-Identifier: BSD-2-Clause */
/* The sockets of a network namespace by inode, and the socket at the other end of each. */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"

#define WAIT_NAME_SIZE 108 /* sun_path */

struct wait_socket {
	uint64_t inode, peer_inode, receive_queue, send_queue;
	int family, protocol;
	uint16_t local_port, peer_port;
	uint8_t state;	       /* enum sockets_state */
	uint8_t awaits_answer; /* enum waits_request */
	unsigned char local[16], peer[16];
	char name[WAIT_NAME_SIZE]; /* name of a unix socket; an abstract one begins with '@' */
};

struct wait_pending {
	uint64_t inode;	 /* inode of the socket that connected */
	size_t listener; /* index of the entry that listens */
};

struct wait_sockets {
	struct buffer entries; /* struct wait_socket */
	struct buffer pending; /* struct wait_pending: unix connections not accepted yet */
	uint64_t namespace;    /* inode of the namespace that was read; 0: none yet */
	uint8_t state;	       /* enum sooth_state of reading them */
};

void wait_sockets_fini(struct wait_sockets *s);
void wait_sockets_clear(struct wait_sockets *s);
/* Returns a socket in the network namespace of a process. `process`: open /proc/PID. NULL:
 * unknown. */
const struct wait_socket *wait_sockets_get(struct wait_sockets *s, int process, uint64_t inode);
/* Returns the sockets of the namespace that was read last, `*count` of them. */
const struct wait_socket *wait_sockets_all(const struct wait_sockets *s, size_t *count);
/* Returns the other end of a socket; NULL: it is not on this machine, or was not accepted yet. */
const struct wait_socket *wait_sockets_peer(
	const struct wait_sockets *s, const struct wait_socket *of);
/* Returns whether `of` is an established TCP connection within this machine whose other end no
 * socket has: the kernel forgot that end silently, as after a crash. If packets are redirected, it
 * looks the same. */
bool wait_sockets_is_half_open(const struct wait_sockets *s, const struct wait_socket *of);
/* Returns whether a server accepted the connection: the socket that listens at its address is
 * here. */
bool wait_sockets_is_accepted(const struct wait_sockets *s, const struct wait_socket *of);
/* Returns the socket that listens where this one connects to; NULL: it is not on this machine. */
const struct wait_socket *wait_sockets_listener(
	const struct wait_sockets *s, const struct wait_socket *of);
/* Returns the unix socket that listens under a name. */
const struct wait_socket *wait_sockets_named(const struct wait_sockets *s, struct span name);
bool wait_socket_is_local(const struct wait_socket *of); /* connected within this machine */
/* Appends "127.0.0.1:80", or the name of a unix socket. */
void wait_socket_local(struct buffer *out, const struct wait_socket *of);
void wait_socket_peer(struct buffer *out, const struct wait_socket *of);
