/* SPDX-License-Identifier: BSD-2-Clause */
/* The data about a socket as the members of a record. */
#pragma once

#include "os/linux/sock_diag/socket_fact.h"
#include "probes/sockets.h"

/* How a socket was read, which explains missing values. */
struct socket_record_way {
	bool is_from_tables;
	bool needs_detail;
	int netlink; /* a socket of that namespace, for names of interfaces; -1: their numbers */
};

#define SOCKET_TEXT_MAX 128 /* an address with its interface; a unix path has 108 */

struct socket_texts {
	char local[SOCKET_TEXT_MAX], peer[SOCKET_TEXT_MAX];
	size_t local_size, peer_size;
	const char *protocol; /* for a family whose sockets have their own; NULL: unknown */
};

/* Does not change the members that come from the descriptor: inode, fd, fd_count. */
void socket_record_fill(struct sockets_socket *r, struct socket_texts *texts,
	const struct socket_fact *f, const struct socket_record_way *way);
