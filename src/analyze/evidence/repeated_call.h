/* SPDX-License-Identifier: BSD-2-Clause */
/* The call that a thread makes over and over without getting anywhere. */
#pragma once

#include "analyze/diagnosis/check.h"

enum repeated_kind {
	REPEATED_NOTHING,     /* no call is repeated, or calls were not recorded */
	REPEATED_SAME,	      /* the same call, with the same kind of result */
	REPEATED_FAILURE,     /* the call fails each time */
	REPEATED_STATE,	      /* a read of a file that the kernel makes up, such as /proc/stat */
	REPEATED_NO_CHILD,    /* a wait with WNOHANG while no child has ended */
	REPEATED_NO_EVENT,    /* a poll that ends without an event */
	REPEATED_READY,	      /* a poll whose event is never taken */
	REPEATED_NO_DATA,     /* a read that fails with EAGAIN */
	REPEATED_END_OF_DATA, /* a read at the end of a file or connection */
};

struct repeated_call {
	enum repeated_kind kind;
	const struct call_repeat_key *key;
	const struct call_repeat *repeat;
	double per_s;
	const char *least;	 /* words before per_s in a sentence: "at least ", or "" */
	double share;		 /* percent of the thread's calls */
	bool is_peer_closed;	 /* the peer of the connection has closed it */
	bool is_pipe;		 /* the descriptor is a pipe whose other end no process has open */
	bool is_closed_terminal; /* the descriptor is a pseudo terminal that was closed */
};

/* tid 0: the most repeated call of any thread. */
void repeated_call_of(struct repeated_call *out, const struct check *e, uint32_t tid);
/* Returns the enum syscall_category of the repeated call. */
unsigned repeated_call_category(const struct repeated_call *c);
/* Returns whether no program gets anything done by the call. */
bool repeated_call_is_pointless(const struct repeated_call *c);
/* Returns whether the call reads a pipe whose other end is closed, or a closed connection on
 * standard input, output or error: not a client of a server. */
bool repeated_call_is_cut_off(const struct repeated_call *c);
/* Appends "read returns end of file on fd 3 (/var/log/a), 410,000 times a second"; not escaped. */
void repeated_call_put(struct buffer *out, const struct repeated_call *c);
/* Returns the change to make in the program; only for a pointless call. */
const char *repeated_call_remedy(const struct repeated_call *c);
