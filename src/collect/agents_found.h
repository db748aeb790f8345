/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes of agents, as one backend found them among all, for the other backends of its hub:
 * to search for them again takes longer than all else that a sample of a few processes reads.
 */
#ifndef SOOTH_COLLECT_AGENTS_FOUND_H
#define SOOTH_COLLECT_AGENTS_FOUND_H

#include "base/buffer.h"
#include "model/process_id.h"

struct agents_found {
	struct buffer processes; /* struct process_id */
	/* The same: main processes of which neither a status nor a log says what they do. */
	struct buffer silent;
	uint64_t found_ns; /* on the system's clock; 0: never */
	bool has_uid;	   /* of this user only */
	uint32_t uid;
	/* How often a sample had processes of agents, or such as may have been left behind by one,
	 * that the sample before had not; 0: not counted. */
	uint64_t arrivals;
};

#endif
