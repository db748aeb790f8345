/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket records as text: "tcp6", "[::1]:80". */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"
#include "probes/sockets.h"
#include <sooth/field.h>

/* Appends the protocol: "tcp", "tcp6", "unix stream", "netlink route"; unknown parts are left out.
 */
void socket_put_protocol(struct buffer *out, const struct sockets_socket *s);
void socket_put_local(struct buffer *out, const struct sockets_socket *s);
/* Appends the peer. The unnamed peer of a unix socket is "[INODE]". */
void socket_put_peer(struct buffer *out, const struct sockets_socket *s);
/* The three texts of one socket, for its row. */
struct socket_text {
	struct buffer protocol, local, peer;
};

/* Replaces the texts by those of the socket. */
void socket_text_add_socket(struct socket_text *w, const struct sockets_socket *s);
/* Returns the state of a text in a row: a value, or if the text is empty, the record's reason. */
uint8_t socket_text_state(const struct buffer *words, uint8_t of_record);
void socket_text_fini(struct socket_text *w);
/* Returns whether this is an IPv4 or IPv6 socket. */
bool socket_is_inet(const struct sockets_socket *s);
/* Returns whether the peer has closed the connection, and this process has not. */
bool socket_is_closed_by_peer(const struct sockets_socket *s);
/* Returns a copy of the record at its current size; fields that an older capture lacks are
 * absent. */
struct sockets_socket socket_whole(const struct sockets_socket *s);
/* Returns the name of a state: "LISTEN"; empty: unknown. */
const char *socket_state_text(uint8_t state, uint8_t state_state);
