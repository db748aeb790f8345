/* SPDX-License-Identifier: BSD-2-Clause */
/* The current call, as the parts of call_history.h share it. */
#pragma once

#include "analyze/calls/call_history.h"

struct call_at_hand {
	struct call_histories *all;
	struct call_history *history;
	struct folded_call *folded; /* a call that has returned */
	uint64_t weight;	    /* number of calls that the record counts, itself included */
	struct span path;	    /* first path, from the root where known; empty: none, or "" */
};

/* The position of a descriptor in its file. */
struct call_position {
	uint64_t at;
	bool is_known;
	bool appends;
};

/* A connection that was begun and not yet made. */
struct call_pending {
	struct call_path peer;
	uint64_t since_ns;
	bool is_datagram; /* connect sends nothing: only an answer or an error shows the result */
};

/* A connection that was made, and that nothing was read from yet. */
struct call_unused {
	struct call_path peer;
	uint64_t since_ns;
	bool has_sent;
};

/* A connection with a TLS hello, sent or received, and no data yet. */
struct call_hello {
	struct call_path peer; /* address of the peer; for a server: its listening socket */
	bool is_served;	       /* the process is the server */
	bool is_refused_here, is_refused_there;
	bool is_met;	  /* the hello of the server came */
	bool is_plain;	  /* more of the handshake was sent in plain: TLS 1.2 */
	bool is_finished; /* the first encrypted record was sent, which ends a TLS 1.3 handshake */
	char server[CALL_SERVER_NAME];
};

/* A connection that was accepted and not read yet. */
struct call_guest {
	struct call_path listener;
	uint64_t since_ns;
	uint64_t answers, bytes; /* written to the client */
	bool is_peeked;		 /* the client's data was read with MSG_PEEK only */
	char log[CALL_PATH];	 /* last file written to since the accept */
};

/* Adds the call's failure, or its duration, to its path. */
void call_places_add_call(const struct call_at_hand *c);
/* Notes the files that the call reads, writes, empties or removes. */
void call_files_add_call(const struct call_at_hand *c);
void call_exchanges_add_call(const struct call_at_hand *c);
void call_answers_add_call(const struct call_at_hand *c);
void call_databases_add_call(const struct call_at_hand *c);
void call_handshakes_add_call(const struct call_at_hand *c);
void call_clients_add_call(const struct call_at_hand *c);
void call_peers_add_call(const struct call_at_hand *c);
void call_nesting_add_call(const struct call_at_hand *c);
/* Counts the connects that are under way when an interval ends. */
void call_peers_resolve(struct call_history *h);

/* Counts a failed call, whose record stands for `weight` calls. */
void call_failures_count(struct call_failures *f, uint64_t weight, uint64_t time_ns);
