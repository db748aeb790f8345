/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether threads of a process wait for data on a descriptor: blocked in a call that reads it
 * alone, or in poll or select on it and on no other source of work. That is more than the
 * state of a connection shows: a pool at rest is watched by an event loop together with others.
 */
#ifndef SOOTH_ANALYZE_AWAITED_H
#define SOOTH_ANALYZE_AWAITED_H

#include "analyze/diagnosis/check.h"
#include "probes/waits.h"

struct awaited {
	bool is_blocked; /* in a read of it in every sample; false for one that polls it */
	bool is_polled;	 /* at the last sample, in poll or select */
	uint32_t tid;	 /* the thread */
	bool has_run;	 /* several times meanwhile: it waits again and again */
	uint64_t for_ns; /* since it last ran, or over the observation; 0: unknown */
	const struct waits_party *peer; /* the process at the other end; NULL: unknown */
};

struct awaited awaited_of(const struct check *e, uint32_t fd);
/* Reports that a silence which lasts is too short for the option `silence`; false: it is not worth
 * that. */
bool awaited_is_short(const struct check *e, struct check_result *out, uint64_t silence_ns);
/* "python3 (4711) on ", or nothing when the process at the other end is unknown. */
void awaited_put_peer(struct buffer *out, const struct awaited *a);

#endif
