/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes of agents that one backend found among all processes, for the other backends of its
 * hub: a search takes longer than a whole sample of a few processes.
 */
#pragma once

#include "base/buffer.h"
#include "model/process_id.h"

struct agents_found {
	struct buffer processes; /* struct process_id */
	/* struct process_id: main processes without a status or log that shows their activity, and
	 * those that are at work. */
	struct buffer silent;
	uint64_t found_ns; /* time of the search, on the system's clock; 0: never */
	bool has_uid;	   /* only processes of user `uid` were searched */
	uint32_t uid;
	/* Number of samples with new processes of agents, or new possible leftovers, compared with
	 * the previous sample; 0: not counted. */
	uint64_t arrivals;
};
