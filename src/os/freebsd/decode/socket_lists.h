/* SPDX-License-Identifier: BSD-2-Clause */
/* net.local.*.pcblist, net.inet.udp.pcblist and similar lists: all sockets of a kind on the host,
 * between a head and a tail. The list of TCP has more (tcp_pcb.h). */
#pragma once

#include "os/bsd/source.h"

enum socket_list {
	SOCKET_LIST_LOCAL, /* struct xunpcb */
	SOCKET_LIST_INET,  /* struct xinpcb */
};

/* The least bytes of struct xinpcb behind the members that are read: a head is 32 bytes long. */
#define SOCKET_LIST_REST 128

/* Decodes the next socket. False: the end, or (then the cursor has failed) a cut record. */
bool socket_list_next(struct bsd_socket_at *out, struct cursor *c, enum socket_list list);
