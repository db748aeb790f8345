/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sockets a process holds: found by its descriptors, filled in with what the
 * kernel tells about the inode, written as records. Tables of the whole namespace pass
 * by; what is kept is the process's own.
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
	bool is_twice; /* in a table that says different things of one inode */
	bool is_gone;  /* closed meanwhile */
	struct held_text name, local, peer;
};

struct socket_holdings {
	struct map sockets; /* inode (uint64_t) -> struct held_socket, by the lowest descriptor */
	struct map names;   /* inode of a unix peer -> struct held_text */
	struct buffer texts;
	uint8_t state;	       /* of the list of descriptors */
	uint32_t wanted;       /* bits by protocol */
	uint32_t refused;      /* bits by protocol: it could not be asked about */
	bool is_all;	       /* a protocol is unknown: ask about every one */
	bool has_closed_links; /* descriptors are listed, but what they are may not be read */
	/* Of TCP over version 4 and 6: ports on which anybody of the namespace listens, as bits. */
	uint64_t listened[2][65536 / 64];
	/* Of what is being told now. */
	bool is_from_tables;
	bool wants_detail;
	int netlink; /* -1: none; tells the names of interfaces */
};

void socket_holdings_init(struct socket_holdings *h);
void socket_holdings_fini(struct socket_holdings *h);
/* Find the sockets among the descriptors of the process. */
void socket_holdings_list(struct socket_holdings *h, int process);
/* What is told of one; of others nothing is kept. */
void socket_holdings_take(void *user, const struct socket_fact *fact);
/* Names of the unix sockets at the other end, from the same table once more. */
bool socket_holdings_want_names(struct socket_holdings *h);
void socket_holdings_take_name(void *user, const struct socket_fact *fact);
/* Forget what was closed meanwhile; say what stands in no table. */
void socket_holdings_resolve(struct socket_holdings *h, int process);
/* A record each; how many. `like` has the header and the namespace. */
uint32_t socket_holdings_write(
	struct socket_holdings *h, struct buffer *out, const struct sockets_socket *like);

#endif
