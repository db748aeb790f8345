/* SPDX-License-Identifier: BSD-2-Clause */
/* One connection of a client: its calls one after the other. */
#pragma once

#include "analyze/api/api_tls.h"
#include "base/error.h"

enum api_stage { API_IDLE, API_SENT, API_ANSWERING };

struct api_connection {
	char local[FD_FOLLOW_ADDRESS], peer[FD_FOLLOW_ADDRESS];
	uint8_t protocol; /* enum api_protocol */
	uint8_t stage;	  /* enum api_stage */
	bool is_seen_from_connect;
	bool has_retransmits;
	uint32_t retransmits; /* TCP retransmissions up to the last sample */
	uint32_t calls;
	struct api_tls tls;
	struct api_call call; /* the current call; unset if the stage is API_IDLE */
	/* Bytes that may be the beginning of an answer (API_TLS_MAYBE). */
	uint64_t maybe_ns, maybe_bytes;
};

/* bytes moved by one system call of the process */
struct api_bytes {
	uint64_t begin_ns, end_ns, bytes;
	uint32_t tid;
	unsigned status;		  /* HTTP status in the bytes read; 0: none */
	bool is_last_chunk;		  /* the bytes read end an answer in chunks */
	struct span request, tls, server; /* recorded pieces; empty: none */
};

/* Called for each event of a call, which is the connection's current call. */
struct api_listener {
	void *user;
	int (*event)(void *user, struct api_connection *x, enum api_event event, uint64_t now_ns,
		struct sooth_error *err);
};

int api_connection_sent(struct api_connection *x, const struct api_bytes *b,
	const struct api_listener *l, struct sooth_error *err);
int api_connection_received(struct api_connection *x, const struct api_bytes *b,
	const struct api_listener *l, struct sooth_error *err);
/* Ends the connection for the reason `by`; API_END_NONE: only the recording is over. */
int api_connection_ended(struct api_connection *x, enum api_end by, uint32_t error, uint64_t now_ns,
	const struct api_listener *l, struct sooth_error *err);
/* Returns the name of the server, or its address. */
const char *api_connection_endpoint(const struct api_connection *x);
