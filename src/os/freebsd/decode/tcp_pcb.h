/* SPDX-License-Identifier: BSD-2-Clause */
/* net.inet.tcp.pcblist: all TCP connections of the host, between a head and a tail. */
#pragma once

#include "base/cursor.h"
#include "probes/sockets.h"

struct tcp_pcb {
	uint64_t pcb;		       /* so_pcb of its socket, as in struct kinfo_file */
	uint64_t socket;	       /* kernel address of the socket */
	uint32_t waiting, waiting_max; /* for a listening socket: connections to accept */
	uint32_t retransmits;
	uint8_t state; /* enum sockets_state */
};

/* Decodes the next connection. False: the end, or (then the cursor has failed) a cut record. */
bool tcp_pcb_next(struct tcp_pcb *out, struct cursor *c);
