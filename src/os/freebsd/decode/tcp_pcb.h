/* SPDX-License-Identifier: BSD-2-Clause */
/* net.inet.tcp.pcblist: all TCP connections of the host, between a head and a tail of their own. */
#ifndef SOOTH_OS_FREEBSD_TCP_PCB_H
#define SOOTH_OS_FREEBSD_TCP_PCB_H

#include "base/cursor.h"
#include "probes/sockets.h"

struct tcp_pcb {
	uint64_t pcb;		       /* so_pcb of its socket, as struct kinfo_file has it too */
	uint64_t socket;	       /* its address in the kernel */
	uint32_t waiting, waiting_max; /* of a listening one: connections to accept */
	uint32_t retransmits;
	uint8_t state; /* enum sockets_state */
};

/* The next one. False: the end, or (the cursor has failed then) no whole record. */
bool tcp_pcb_next(struct tcp_pcb *out, struct cursor *c);

#endif
