/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS 1.3 encrypts record types after the hello. Some records are still known by length and place:
 * the client's Finished message, alerts and tickets. Servers send tickets, mostly two of equal
 * length, right after the client's Finished message, when the first answer may come too. So a first
 * record of that size stays uncertain until the next record. */
#include "analyze/api/api_tls.h"

#include <string.h>

#define HEAD		 5
#define TYPE_CIPHER	 20
#define TYPE_HANDSHAKE	 22
#define TYPE_DATA	 23
#define FINISHED_SHA256	 53
#define FINISHED_SHA384	 69
#define SHORTEST_REQUEST 26 /* shorter records are alerts and key updates */
#define ALERT		 19
/* Length of "0" and two line ends, plus the overhead of TLS 1.3 or 1.2. Other chunks are longer. */
#define LAST_CHUNK_1_3	  22
#define LAST_CHUNK_1_2	  29
#define TICKET_LEAST	  60
#define TICKET_MOST	  1024
#define TICKETS		  4
#define ROUND_TRIP_MARGIN 2 /* the round trip measured in the handshake includes computing time */

void api_tls_resume(struct api_tls *t)
{
	t->is_finished = t->tickets_are_over = t->is_lost = true;
}

void api_tls_hello(struct api_tls *t, struct span offers_and_name, uint64_t now_ns)
{
	size_t size = offers_and_name.size ? offers_and_name.size - 1 : 0;

	*t = (struct api_tls){ .has_hello = true, .hello_ns = now_ns };
	if (!offers_and_name.size)
		return;
	t->offers = (uint8_t)offers_and_name.data[0];
	if (size > sizeof(t->server) - 1)
		size = sizeof(t->server) - 1;
	memcpy(t->server, offers_and_name.data + 1, size);
}

static bool read_next_record(struct span records, size_t *at, struct syscalls_tls_record *r)
{
	if (*at + sizeof(*r) > records.size)
		return false;
	memcpy(r, records.data + *at, sizeof(*r));
	*at += sizeof(*r);
	return true;
}

/* --- sent --- */

static void finish_handshake(struct api_tls *t, uint64_t now_ns)
{
	t->is_finished = true;
	t->finished_ns = now_ns;
}

static bool sends_data(struct api_tls *t, const struct syscalls_tls_record *r, uint64_t now_ns)
{
	if (r->type == TYPE_CIPHER) {
		t->has_cipher_change = true;
		return false;
	}
	if (r->type == TYPE_HANDSHAKE && t->has_cipher_change && !t->is_finished) {
		finish_handshake(t, now_ns);
		t->tickets_are_over = true; /* In TLS 1.2 the tickets are part of the handshake. */
	}
	if (r->type != TYPE_DATA)
		return false;
	if (!t->is_finished) {
		finish_handshake(t, now_ns);
		if (r->length == FINISHED_SHA256 || r->length == FINISHED_SHA384)
			return false;
	}
	return r->length >= SHORTEST_REQUEST;
}

uint64_t api_tls_sent(struct api_tls *t, struct span records, uint64_t bytes, uint64_t now_ns)
{
	struct syscalls_tls_record r;
	uint64_t data = 0;
	size_t at = 0;

	if (!records.size)
		return t->is_finished ? bytes : 0;
	while (bytes && read_next_record(records, &at, &r)) {
		uint64_t size = HEAD + (uint64_t)r.length;
		uint64_t taken = size < bytes ? size : bytes;

		data += sends_data(t, &r, now_ns) ? taken : 0;
		bytes -= taken;
	}
	return data + (t->is_finished ? bytes : 0);
}

/* --- received --- */

static bool has_ticket_size(const struct syscalls_tls_record *r)
{
	return r->length >= TICKET_LEAST && r->length <= TICKET_MOST;
}

/* Classifies the uncertain record by the next one: two tickets have the same length. */
static uint8_t resolve_maybe(struct api_tls *t, const struct syscalls_tls_record *r,
	struct api_tls_bytes *out, bool has_request)
{
	bool is_soon = t->maybe_ns - t->finished_ns <= ROUND_TRIP_MARGIN * t->round_trip_ns;

	t->has_maybe = false;
	if (r->length == t->maybe_length) {
		out->maybe_is_none = true;
		return API_TLS_NO_DATA;
	}
	t->tickets_are_over = true;
	out->maybe_is_none = !has_request || is_soon;
	out->maybe_is_data = !out->maybe_is_none;
	return API_TLS_DATA;
}

static uint8_t classify_record(struct api_tls *t, const struct syscalls_tls_record *r,
	uint64_t now_ns, struct api_tls_bytes *out, bool has_request)
{
	if (r->type != TYPE_DATA || !t->is_finished || r->length == ALERT)
		return API_TLS_NO_DATA;
	if (t->tickets_are_over)
		return API_TLS_DATA;
	t->received++;
	if (t->has_maybe)
		return resolve_maybe(t, r, out, has_request);
	if (t->received == 1 && has_ticket_size(r)) {
		t->has_maybe = true;
		t->maybe_length = r->length;
		t->maybe_ns = now_ns;
		return API_TLS_MAYBE;
	}
	if (t->received <= TICKETS && r->length == t->maybe_length)
		return API_TLS_NO_DATA;
	t->tickets_are_over = true;
	return API_TLS_DATA;
}

static void add_bytes(struct api_tls_bytes *out, uint8_t class_, uint64_t bytes)
{
	if (class_ == API_TLS_DATA)
		out->data += bytes;
	else if (class_ == API_TLS_MAYBE)
		out->maybe += bytes;
}

struct api_tls_bytes api_tls_received(
	struct api_tls *t, struct span records, uint64_t bytes, uint64_t now_ns, bool has_request)
{
	struct api_tls_bytes out = { 0 };
	uint64_t of_rest = t->rest < bytes ? t->rest : bytes;
	struct syscalls_tls_record r;
	size_t at = 0;

	if (t->hello_ns && !t->round_trip_ns)
		t->round_trip_ns = now_ns - t->hello_ns;
	if (t->is_lost && records.size)
		t->is_lost = false;
	add_bytes(&out, t->rest_class, of_rest);
	t->rest -= of_rest;
	bytes -= of_rest;
	/* Record headers were recorded only if the call begins with one. */
	while (bytes && !of_rest && read_next_record(records, &at, &r)) {
		uint64_t size = HEAD + (uint64_t)r.length;
		uint64_t taken = size < bytes ? size : bytes;

		t->rest_class = classify_record(t, &r, now_ns, &out, has_request);
		t->ends_chunked = r.type == TYPE_DATA &&
				  (r.length == LAST_CHUNK_1_3 || r.length == LAST_CHUNK_1_2);
		add_bytes(&out, t->rest_class, taken);
		t->rest = size - taken;
		bytes -= taken;
	}
	if (bytes) {
		t->is_lost = true;
		t->ends_chunked = false;
		t->rest = 0;
		out.data += t->is_finished ? bytes : 0;
	}
	return out;
}
