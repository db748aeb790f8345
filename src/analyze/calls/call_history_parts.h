/* SPDX-License-Identifier: BSD-2-Clause */
/* The call at hand, shared by the parts of call_history.h. */
#ifndef SOOTH_ANALYZE_CALL_HISTORY_PARTS_H
#define SOOTH_ANALYZE_CALL_HISTORY_PARTS_H

#include "analyze/calls/call_history.h"

struct call_at_hand {
	struct call_histories *all;
	struct call_history *history;
	struct folded_call *folded; /* it has returned */
	uint64_t weight;	    /* calls that it stands for; 1: itself */
	struct span path; /* its first path, from the root where known; empty: none, or "" */
};

/* Where a descriptor stands in its file. */
struct call_position {
	uint64_t at;
	bool is_known;
	bool appends;
};

/* A connection that was begun and not yet made. */
struct call_pending {
	struct call_path peer;
	uint64_t since_ns;
	bool is_datagram; /* nothing is sent by a connect: only an answer or an error says more */
};

/* A connection that was made, and of which nothing was read yet. */
struct call_unused {
	struct call_path peer;
	uint64_t since_ns;
	bool has_sent;
};

/* A connection on which a TLS hello was sent, or came from a client, and no data yet. */
struct call_hello {
	struct call_path peer; /* of a server its listening socket */
	bool is_served;	       /* by the process: it is the server */
	bool is_refused_here, is_refused_there;
	bool is_met;	  /* the hello of the server came */
	bool is_plain;	  /* more of the handshake was sent in plain: TLS 1.2 */
	bool is_finished; /* a first encrypted record was sent: it ends the handshake of TLS 1.3 */
	char server[CALL_SERVER_NAME];
};

/* A connection that was accepted and not read yet. */
struct call_guest {
	struct call_path listener;
	uint64_t since_ns;
	uint64_t answers, bytes; /* written to it */
	bool is_peeked;		 /* what it sent was looked at, and left there */
	char log[CALL_PATH];	 /* a file that was written to since */
};

/* Where it failed, or how long it took. */
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

/* Makes a key of a path, padded with zeros. */
struct call_path call_path_key(struct span path);

#endif
