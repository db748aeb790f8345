/* SPDX-License-Identifier: BSD-2-Clause */
/* Protocols of sockets by the kernel's names for them, and where to read their sockets: the tables
 * in /proc/PID/net, of that process's namespace. */
#pragma once

#include "os/linux/sock_diag/socket_fact.h"
#include "os/linux/sock_diag/socket_messages.h"

struct socket_protocol {
	const char *kernel_name;       /* as in /proc/net/protocols */
	const char *text;	       /* as in records; NULL: each socket has its own */
	uint8_t family;		       /* enum sockets_family */
	struct socket_request request; /* family 0: no sock_diag for it */
	const char *table;	       /* below /proc/PID; NULL: none */
};

extern const struct socket_protocol socket_protocols[];
extern const unsigned socket_protocols_count;

struct socket_table {
	const char *file; /* below /proc/PID */
	int family;	  /* AF_* */
	int protocol;	  /* IPPROTO_* */
};

/* Parses the lines of `data`; returns how many bytes are done. A socket is reported once the next
 * one has begun, or with `is_last`. The heading before the first socket is skipped. */
size_t socket_tables_parse(const struct socket_table *table, const void *data, size_t size,
	bool is_last, socket_fact_consumer take, void *user);
/* Reads the whole table of a process, in pieces. Returns a negative errno, or 1 when it was too
 * long. */
int socket_tables_read(
	int process, const struct socket_table *table, socket_fact_consumer take, void *user);

/* Returns the protocol with a name; NULL: unknown. */
const struct socket_protocol *socket_protocol_by_name(struct span name);
