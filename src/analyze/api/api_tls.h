/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the HTTP data in the bytes of a TLS connection. Handshake records, alerts, and the tickets
 * that servers send after the handshake are no data. Only record headers are read, which are plain
 * text.
 */
#pragma once

#include "analyze/api/api_call.h"

enum api_tls_class {
	API_TLS_NO_DATA,
	API_TLS_DATA,
	API_TLS_MAYBE, /* a ticket, or the first record of an answer: a later record shows which */
};

struct api_tls {
	bool has_hello;
	uint8_t offers; /* enum syscalls_offer */
	bool has_cipher_change, is_finished;
	bool tickets_are_over;
	bool is_lost; /* the begin of the next record is unknown */
	bool has_maybe;
	bool ends_chunked;  /* the last record has the length of a last chunk */
	uint8_t rest_class; /* enum api_tls_class of the record that `rest` belongs to */
	uint16_t maybe_length;
	uint32_t received; /* data records received after the handshake */
	uint64_t hello_ns, round_trip_ns, finished_ns, maybe_ns;
	uint64_t rest; /* bytes of a received record that are still to come */
	char server[API_SERVER];
};

/* bytes received by one call */
struct api_tls_bytes {
	uint64_t data, maybe;
	/* the earlier `maybe` bytes were data of an answer, or no data */
	bool maybe_is_data, maybe_is_none;
};

/* Starts at a connection that began before the recording. */
void api_tls_resume(struct api_tls *t);
void api_tls_hello(struct api_tls *t, struct span offers_and_name, uint64_t now_ns);
/* Returns the bytes of data that a call sent. `records`: struct syscalls_tls_record; empty: the
 * call does not begin with a record. */
uint64_t api_tls_sent(struct api_tls *t, struct span records, uint64_t bytes, uint64_t now_ns);
struct api_tls_bytes api_tls_received(
	struct api_tls *t, struct span records, uint64_t bytes, uint64_t now_ns, bool has_request);
