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
	uint32_t retransmits; /* of SYN, of the socket with most */
	uint32_t fd;	      /* of that socket */
	uint32_t is_again; /* another was in SYN_SENT at the first sample, and none got through */
	uint64_t for_ns;   /* at least this long; 0: perhaps only just sent */
};

/* Fills `out` with struct call_path (the address) -> struct unanswered. Call map_fini() afterwards.
 */
void unanswered_read(struct map *out, const struct check *e);

#endif
