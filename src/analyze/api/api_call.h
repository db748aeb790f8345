/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An API call as seen from outside: a request on a connection and its answer, by direction, size
 * and time. Nothing is decrypted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "analyze/calls/fd_follow.h"
#include "model/process_id.h"
#include "probes/syscalls.h"

#define API_METHOD   8
#define API_PATH     240
#define API_SERVER   (SYSCALLS_NAME_MAX + 1)
#define API_ENDPOINT (API_SERVER + 8)

enum api_protocol {
	API_PROTOCOL_UNKNOWN,
	API_HTTP,
	API_TLS,   /* presumably HTTP/1.1 inside */
	API_TLS_2, /* HTTP/2 was offered: whether it was chosen is encrypted */
	API_HTTP_2,
	API_UPGRADED, /* a websocket: no requests and answers any more */
	API_PROTOCOLS,
};

enum api_outcome {
	API_ANSWERED,
	API_REFUSED,   /* a plain answer had an error status */
	API_CLOSED,    /* the server closed the connection before it answered */
	API_RESET,     /* the connection failed before an answer */
	API_CUT,       /* the connection failed while the answer came */
	API_GIVEN_UP,  /* the client closed the connection before an answer */
	API_WAITING,   /* no answer by the end of the recording */
	API_OPEN,      /* the answer had begun by then; whether it was complete is unknown */
	API_UNCERTAIN, /* HTTP/2: several calls at a time */
	API_OUTCOMES,
};

/* evidence that the call is over */
enum api_end {
	API_END_NONE,	    /* no evidence */
	API_END_LAST_CHUNK, /* the last chunk of a plain answer */
	API_END_NEXT,	    /* the next request on the connection */
	API_END_SERVER,	    /* the server closed the connection */
	API_END_CLIENT,	    /* the client closed it */
	API_END_ERROR,	    /* the connection failed */
	API_END_PROCESS,    /* the process ended */
	API_END_UPGRADE,    /* the connection changed to another protocol */
	API_ENDS,
};

enum api_event {
	API_EVENT_REQUEST, /* the request begins */
	API_EVENT_ANSWER,  /* the first byte of the answer */
	API_EVENT_END,
	API_EVENTS,
};

struct api_call {
	uint8_t outcome, ended_by;
	bool has_answer;
	bool is_exact; /* false: this may be several calls, or a part of one */
	uint32_t tid;
	uint32_t number;  /* number of the call on its connection, from 1; unseen calls do not count
			   */
	uint32_t attempt; /* how often the request was made so far, from 1 */
	uint32_t status;  /* HTTP status of a plain answer; 0: not known */
	uint32_t error;	  /* errno that ended it; 0: none */
	uint64_t begin_ns;
	uint64_t sent_ns;  /* the last byte of the request */
	uint64_t first_ns; /* the first byte of the answer */
	uint64_t last_ns;  /* the last byte sent or received */
	uint64_t since_ns; /* time at which the first attempt began */
	uint64_t bytes_out, bytes_in;
	uint64_t chunks; /* reads that brought the answer */
	uint64_t gap_ns; /* the longest time between two of these reads */
	uint64_t turns;	 /* if uncertain: how often the client sent after it had received */
	uint32_t retransmits_before;
	bool has_retransmits_before;
	char method[API_METHOD]; /* empty: encrypted */
	char path[API_PATH];
};
