/* SPDX-License-Identifier: BSD-2-Clause */
/* Outcomes of the API calls of each process, by endpoint, for findings. */
#pragma once

#include "analyze/api/api_story.h"
#include "analyze/api/api_tracker.h"

/* Calls of one process to one endpoint that ended in the interval. */
struct api_endpoint {
	uint64_t calls, answered, refused;
	/* Consecutive failed calls up to now: without an answer, or in the middle of one. Calls
	 * that fail at once (the connection failed) and calls that the client soon gives up (its
	 * own decision) are left out. */
	uint64_t failed;
	uint64_t failed_since_ns, failed_last_ns;
	uint64_t cut, closed, reset, given_up; /* calls of `failed`, by outcome */
	/* times of exact calls, from the request to the first byte */
	uint64_t waited, wait_ns, wait_max_ns;
	uint32_t fd;
	char peer[FD_FOLLOW_ADDRESS];
	char path[API_PATH]; /* path of the last plain request */
};

struct api_wait {
	uint64_t since_ns; /* time at which the first attempt began, maybe on another connection */
	uint32_t attempts;
};

struct api_history {
	struct api_tracker tracker;
	struct map endpoints; /* struct api_story_key -> struct api_endpoint */
	bool is_on;
};

void api_history_init(struct api_history *h);
void api_history_fini(struct api_history *h);
/* Starts taking records: the stream has calls. */
void api_history_begin(struct api_history *h);
void api_history_add_record(struct api_history *h, const struct sooth_record *r);
void api_history_resolve(struct api_history *h);
/* Finds an unanswered request on a connection. Returns false if there is none, if it cannot be
 * seen, or if calls are not in the stream. */
bool api_history_waits(const struct api_history *h, const struct process_id *process, uint32_t fd,
	struct api_wait *out);
void api_history_next_interval(struct api_history *h);
