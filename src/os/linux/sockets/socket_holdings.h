/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sockets of a process: found by its descriptors, completed with the kernel's data about the
 * inode, written as records. Tables of the whole namespace are read; only the process's own
 * sockets are kept.
 */
#ifndef SOOTH_OS_LINUX_SOCKET_HOLDINGS_H
#define SOOTH_OS_LINUX_SOCKET_HOLDINGS_H

#include "base/map.h"
#include "model/batch.h"
#include "os/linux/sock_diag/socket_fact.h"
#include "os/linux/sockets/socket_protocols.h"
#include "probes/sockets.h"

/* Bytes of a text, by their place in `texts`, which moves as it grows. */
struct held_text {
	uint32_t at;
	uint32_t size;
};

struct held_socket {
	struct sockets_socket record;
	const struct socket_protocol *protocol; /* NULL: unknown */
	bool is_reported;
	bool is_twice; /* in a table with two different lines for the same inode */
	bool is_gone;  /* closed meanwhile */
	struct held_text name, local, peer;
};

struct socket_holdings {
	struct map sockets; /* inode (uint64_t) -> struct held_socket, by the lowest descriptor */
	struct map names;   /* inode of the unix peer -> struct held_text */
	struct buffer texts;
	uint8_t state;	       /* of the list of descriptors */
	uint32_t selected;     /* bits by protocol */
	uint32_t refused;      /* bits by protocol: it could not be read */
	bool is_all;	       /* a protocol is unknown: read all of them */
	bool has_closed_links; /* descriptors can be listed, but their links may not be read */
	/* For TCP over IPv4 and IPv6: ports with any listening socket in the namespace, as bits. */
	uint64_t listened[2][65536 / 64];
	/* Of the current input. */
	bool is_from_tables;
	bool needs_detail;
	int netlink; /* -1: none; to look up names of interfaces */
};

void socket_holdings_init(struct socket_holdings *h);
void socket_holdings_fini(struct socket_holdings *h);
/* Find the sockets among the descriptors of the process. */
void socket_holdings_list(struct socket_holdings *h, int process);
/* Keeps the data if the socket belongs to the process. */
void socket_holdings_take(void *user, const struct socket_fact *fact);
/* Names of the unix sockets at the other end, from a second read of the same table. */
bool socket_holdings_needs_names(struct socket_holdings *h);
void socket_holdings_take_name(void *user, const struct socket_fact *fact);
/* Drop sockets that were closed meanwhile; mark those in no table. */
void socket_holdings_resolve(struct socket_holdings *h, int process);
/* A record for each; returns their number. `like` has the header and the namespace. */
uint32_t socket_holdings_write(
	struct socket_holdings *h, struct buffer *out, const struct sockets_socket *template);

#endif
