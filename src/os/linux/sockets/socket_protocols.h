/* SPDX-License-Identifier: BSD-2-Clause */
/* Protocols of sockets by the names the kernel gives them, and where their sockets are told. */
#ifndef SOOTH_OS_LINUX_SOCKET_PROTOCOLS_H
#define SOOTH_OS_LINUX_SOCKET_PROTOCOLS_H

#include "os/linux/sock_diag/socket_messages.h"
#include "os/linux/sockets/socket_tables.h"

struct socket_protocol {
	const char *kernel_name;	/* as in /proc/net/protocols */
	const char *text;		/* as records say it; NULL: each socket has its own */
	uint8_t family;			/* enum sockets_family */
	struct socket_request question; /* family 0: there is no sock_diag for it */
	const char *table;		/* below /proc/PID; NULL: there is none */
};

#define SOCKET_PROTOCOLS_MAX 24

extern const struct socket_protocol socket_protocols[];
extern const unsigned socket_protocols_count;

/* NULL: one that sooth knows no way to ask about. */
const struct socket_protocol *socket_protocol_by_name(struct span name);
/* "stream", "route", ...: of a protocol whose sockets have their own. NULL: unknown. */
const char *socket_protocol_text(const struct socket_fact *f);

#endif
