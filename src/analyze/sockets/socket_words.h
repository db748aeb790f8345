/* SPDX-License-Identifier: BSD-2-Clause */
/* How people write what a socket record says: "tcp6", "[::1]:80". */
#ifndef SOOTH_ANALYZE_SOCKET_WORDS_H
#define SOOTH_ANALYZE_SOCKET_WORDS_H

#include "base/buffer.h"
#include "base/cursor.h"
#include "probes/sockets.h"
#include <sooth/field.h>

/* "tcp", "tcp6", "unix stream", "netlink route"; what is not known is left out. */
void socket_put_protocol(struct buffer *out, const struct sockets_socket *s);
void socket_put_local(struct buffer *out, const struct sockets_socket *s);
/* A unix socket's peer without a name is "[INODE]". */
void socket_put_peer(struct buffer *out, const struct sockets_socket *s);
/* Whether its addresses are of the internet, version 4 or 6. */
bool socket_is_inet(const struct sockets_socket *s);
/* "LISTEN"; empty when it is not known. */
const char *socket_state_text(uint8_t state, uint8_t state_state);

#endif
