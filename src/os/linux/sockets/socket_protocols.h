/* SPDX-License-Identifier: BSD-2-Clause */
/* Protocols of sockets by the kernel's names for them, and where to read their sockets. */
#ifndef SOOTH_OS_LINUX_SOCKET_PROTOCOLS_H
#define SOOTH_OS_LINUX_SOCKET_PROTOCOLS_H

#include "os/linux/sock_diag/socket_messages.h"
#include "os/linux/sockets/socket_tables.h"

struct socket_protocol {
	const char *kernel_name;       /* as in /proc/net/protocols */
	const char *text;	       /* as in records; NULL: each socket has its own */
	uint8_t family;		       /* enum sockets_family */
	struct socket_request request; /* family 0: no sock_diag for it */
	const char *table;	       /* below /proc/PID; NULL: none */
};

#define SOCKET_PROTOCOLS_MAX 24

extern const struct socket_protocol socket_protocols[];
extern const unsigned socket_protocols_count;

/* NULL: unknown. */
const struct socket_protocol *socket_protocol_by_name(struct span name);

#endif
