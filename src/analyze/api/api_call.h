/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An API call as it shows from outside: a request on a connection and the answer to it, by
 * direction, size and time. Nothing is decrypted.
 */
#ifndef SOOTH_ANALYZE_API_CALL_H
#define SOOTH_ANALYZE_API_CALL_H

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
	API_TLS,   /* HTTP/1.1 in it, as far as that shows */
	API_TLS_2, /* HTTP/2 is offered: which of the two it became is encrypted */
	API_HTTP_2,
	API_UPGRADED, /* a websocket: no requests and answers any more */
	API_PROTOCOLS,
};

enum api_outcome {
	API_ANSWERED,
	API_REFUSED,   /* by the status of a plain answer */
	API_CLOSED,    /* the server closed the connection before it answered */
	API_RESET,     /* the connection failed before an answer */
	API_CUT,       /* it failed while the answer came */
	API_GIVEN_UP,  /* the client closed it before an answer */
	API_WAITING,   /* no answer by the end of the recording */
	API_OPEN,      /* by then the answer had begun; whether it was over does not show */
	API_UNCERTAIN, /* HTTP/2: several calls at a time */
	API_OUTCOMES,
};

/* evidence that the call is over */
enum api_end {
	API_END_NONE,	    /* nothing */
	API_END_LAST_CHUNK, /* of a plain answer in chunks */
	API_END_NEXT,	    /* the next request on the connection */
	API_END_SERVER,	    /* the server closed the connection */
	API_END_CLIENT,	    /* the client did */
	API_END_ERROR,	    /* of the connection */
	API_END_PROCESS,    /* the process ended */
	API_END_UPGRADE,    /* to another protocol */
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
	bool is_exact; /* false: there may be more calls in it, or it may be a part of one */
	uint32_t tid;
	uint32_t number;  /* on its connection, from 1; only of those that were seen */
	uint32_t attempt; /* from 1: how often the request was made by then */
	uint32_t status;  /* of a plain answer; 0: not known */
	uint32_t error;	  /* errno that ended it; 0: none */
	uint64_t begin_ns;
	uint64_t sent_ns;  /* the last byte of the request */
	uint64_t first_ns; /* the first byte of the answer */
	uint64_t last_ns;  /* the last byte of either */
	uint64_t since_ns; /* when the first attempt began */
	uint64_t bytes_out, bytes_in;
	uint64_t chunks; /* reads that brought the answer */
	uint64_t gap_ns; /* the longest time between two of these */
	uint64_t turns;	 /* uncertain: how often the direction changed to the client's */
	uint32_t retransmits_before;
	bool has_retransmits_before;
	char method[API_METHOD]; /* empty: encrypted */
	char path[API_PATH];
};

#endif
