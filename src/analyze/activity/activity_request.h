/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The current request of a process, by its connections. Requests inside TLS all look alike: a
 * connection waits for an answer if its last data was sent, and not in reaction to received data. A
 * connection that is quiet after received data was answered, or its answer stopped: the two look
 * alike.
 */
#pragma once

#include "analyze/process_table/host_state.h"
#include "probes/sockets.h"

enum activity_request_state {
	ACTIVITY_REQUEST_UNSEEN,   /* no sockets were sampled; `state` says why */
	ACTIVITY_REQUEST_NONE,	   /* no connection, or all are quiet */
	ACTIVITY_REQUEST_ANSWERED, /* data came moments ago */
	ACTIVITY_REQUEST_SENT,	   /* a request was sent, and nothing received since */
};

struct activity_request {
	enum activity_request_state is;
	uint8_t state;	 /* why the sockets were not measured, if UNSEEN */
	uint64_t for_ns; /* time since the request was sent; NONE: time since data last moved */
	bool has_for;
	uint64_t silence_ns; /* time since data last came on that connection */
	bool has_answer;  /* the last received data is of an answer: it came well after the request
			   */
	bool has_no_data; /* no data came since the request was sent */
	const struct sockets_socket *socket; /* connection of the request; NULL: none */
};

/* Finds the request of `worker`, the process with the connections. Connections to its own session
 * do not count. */
void activity_request_find(struct activity_request *request, const struct host_state *host,
	const struct process_entry *worker);
