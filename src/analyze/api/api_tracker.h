/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The API calls of all processes in a stream: system calls on connections, taken as they come.
 *
 * Cannot be seen: what goes through io_uring, HTTP/3 (UDP), unix sockets, and answers to requests
 * that were sent before the recording.
 */
#pragma once

#include "analyze/api/api_connection.h"
#include "analyze/calls/call_fold.h"

struct api_tracker;

/* An event of an API call; the call is `connection->call`. */
struct api_seen {
	const struct api_tracker *tracker;
	const struct api_connection *connection;
	struct process_id process;
	uint32_t fd;
	enum api_event event;
	uint64_t time_ns;
};

typedef int (*api_take)(void *user, const struct api_seen *seen, struct sooth_error *err);

struct api_tracker {
	struct call_fold fold;
	struct map connections; /* process and descriptor -> struct api_connection */
	struct map sides;	/* process and descriptor -> uint8_t, enum sockets_side */
	struct map stories;	/* process and endpoint -> struct api_story */
	api_take take;
	void *user;
	struct api_seen seen; /* the current event */
	uint64_t last_ns;
	uint64_t uring;	     /* requests of io_uring to the network */
	bool has_calls;	     /* system calls were recorded */
	bool has_sends;	     /* data was sent on a connection */
	bool has_beginnings; /* the recorded bytes show where API calls begin */
};

void api_tracker_init(struct api_tracker *t, api_take take, void *user);
void api_tracker_fini(struct api_tracker *t);
int api_tracker_push(struct api_tracker *t, const struct batch *batch, struct sooth_error *err);
int api_tracker_record(
	struct api_tracker *t, const struct sooth_record *r, struct sooth_error *err);
/* Handles calls that still wait for a snapshot, without the snapshot. More calls may come. */
int api_tracker_flush(struct api_tracker *t, struct sooth_error *err);
/* Ends the recording: reports the calls that are still under way. */
int api_tracker_end(struct api_tracker *t, struct sooth_error *err);
/* Returns the connection of a descriptor; NULL: no API call was seen on it. */
const struct api_connection *api_tracker_connection(
	const struct api_tracker *t, const struct process_id *process, uint32_t fd);
/* Returns how many connections found no room in the table. */
uint64_t api_tracker_refused(const struct api_tracker *t);
/* Sets `out` to the segments retransmitted during the call. False: not measured. */
bool api_tracker_retransmits(const struct api_connection *x, uint32_t *out);
