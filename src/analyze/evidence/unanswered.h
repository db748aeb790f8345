/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connection attempts of a process that nothing answers, from snapshots of its sockets: they show
 * a connect that began before the observation and has not returned, which no call shows.
 */
#ifndef SOOTH_ANALYZE_UNANSWERED_H
#define SOOTH_ANALYZE_UNANSWERED_H

#include "analyze/diagnosis/check.h"

struct unanswered {
	uint32_t sockets;     /* in SYN_SENT at the last sample */
	uint32_t retransmits; /* retransmitted SYNs of the socket with most of these */
	uint32_t fd;	      /* descriptor of that socket */
	uint32_t is_again; /* another socket was in SYN_SENT at the first sample; none connected */
	uint64_t for_ns;   /* time without answer, at least; 0: the SYN may be new */
};

/* Fills `out` with struct call_path (the address) -> struct unanswered. Call map_fini() afterwards.
 */
void unanswered_read(struct map *out, const struct check *e);

#endif
