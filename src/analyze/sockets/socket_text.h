/* SPDX-License-Identifier: BSD-2-Clause */
/* How people write what a socket record says: "tcp6", "[::1]:80". */
#ifndef SOOTH_ANALYZE_SOCKET_TEXT_H
#define SOOTH_ANALYZE_SOCKET_TEXT_H

#include "base/buffer.h"
#include "base/cursor.h"
#include "probes/sockets.h"
#include <sooth/field.h>

/* "tcp", "tcp6", "unix stream", "netlink route"; what is not known is left out. */
void socket_put_protocol(struct buffer *out, const struct sockets_socket *s);
void socket_put_local(struct buffer *out, const struct sockets_socket *s);
/* A unix socket's peer without a name is "[INODE]". */
void socket_put_peer(struct buffer *out, const struct sockets_socket *s);
/* All three of one socket, for its row. */
struct socket_text {
	struct buffer protocol, local, peer;
};

/* Those of the socket instead of what was there. */
void socket_text_take(struct socket_text *w, const struct sockets_socket *s);
/* Of one of them in a row: what stands there has a value, else the record says why not. */
uint8_t socket_text_state(const struct buffer *words, uint8_t of_record);
void socket_text_fini(struct socket_text *w);
/* Whether its addresses are of the internet, version 4 or 6. */
bool socket_is_inet(const struct sockets_socket *s);
/* "LISTEN"; empty when it is not known. */
const char *socket_state_text(uint8_t state, uint8_t state_state);

#endif
