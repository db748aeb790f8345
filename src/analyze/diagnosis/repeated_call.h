/* SPDX-License-Identifier: BSD-2-Clause */
/* The call that a thread makes over and over without getting anywhere. */
#ifndef SOOTH_ANALYZE_REPEATED_CALL_H
#define SOOTH_ANALYZE_REPEATED_CALL_H

#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/check.h"

enum repeated_kind {
	REPEATED_NOTHING,     /* no call is repeated, or calls were not recorded */
	REPEATED_SAME,	      /* the same call, with the same kind of result */
	REPEATED_FAILURE,     /* it fails each time */
	REPEATED_NO_CHILD,    /* WNOHANG, and no child has ended */
	REPEATED_NO_EVENT,    /* a poll that ends without an event */
	REPEATED_READY,	      /* a poll whose event is never taken */
	REPEATED_NO_DATA,     /* EAGAIN */
	REPEATED_END_OF_DATA, /* end of file, or of a connection */
};

struct repeated_call {
	enum repeated_kind kind;
	const struct call_repeat_key *key;
	const struct call_repeat *repeat;
	double per_s;
	const char *least;   /* before per_s, in a sentence */
	double share;	     /* of the calls of the thread, in percent */
	bool is_peer_closed; /* of the connection that it is about */
	bool is_pipe;	     /* its end: no process has the other end open */
	bool is_sampled;
};

/* tid 0: of all threads together the most repeated one. */
void repeated_call_of(struct repeated_call *out, const struct check *e, uint32_t tid);
/* The enum syscall_category of a chosen call. */
unsigned repeated_call_category(const struct repeated_call *c);
/* Returns whether no program gets anything done by the call. */
bool repeated_call_is_pointless(const struct repeated_call *c);
/* Returns whether the input of the call is a pipe or connection whose other end is closed: no
 * client of a server. */
bool repeated_call_is_cut_off(const struct repeated_call *c);
/* "read returns end of file on fd 3 (/var/log/a), 410,000 times a second"; not escaped. */
void repeated_call_put(struct buffer *out, const struct repeated_call *c);
/* The change to make in the program; only for a pointless call. */
const char *repeated_call_remedy(const struct repeated_call *c);

#endif
