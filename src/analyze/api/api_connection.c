/* SPDX-License-Identifier: BSD-2-Clause */
/* Divides the bytes of a connection into API calls. A request begins with the first data sent on an
 * idle connection, or after an answer; in plain HTTP, with a request line. Received data is the
 * answer. In HTTP/1.1 the next request ends the answer; in HTTP/2 calls overlap, so all bytes of
 * the connection form one uncertain call. */
#include "analyze/api/api_connection.h"

#include <string.h>

#define STATUS_CONTINUE 100
#define STATUS_SWITCH	101
#define STATUS_FINAL	200
#define STATUS_ERRORS	400
#define METHOD_2	"PRI"

const char *api_connection_endpoint(const struct api_connection *x)
{
	return *x->tls.server ? x->tls.server : x->peer;
}

/* --- the call --- */

static bool has_exact_times(const struct api_connection *x)
{
	return x->protocol == API_HTTP || x->protocol == API_TLS;
}

static void set_request_name(struct api_call *call, struct span line)
{
	const char *blank = line.size ? memchr(line.data, ' ', line.size) : NULL;
	size_t method = blank ? (size_t)(blank - line.data) : 0, path;

	if (!method || method >= sizeof(call->method))
		return;
	path = line.size - method - 1;
	if (path > sizeof(call->path) - 1)
		path = sizeof(call->path) - 1;
	memcpy(call->method, line.data, method);
	memcpy(call->path, blank + 1, path);
}

static int begin_call(struct api_connection *x, const struct api_bytes *b,
	const struct api_listener *l, struct sooth_error *err)
{
	x->stage = API_SENT;
	x->calls++;
	x->maybe_bytes = 0;
	x->call = (struct api_call){ .is_exact = has_exact_times(x),
		.tid = b->tid,
		.number = x->calls,
		.attempt = 1,
		.begin_ns = b->begin_ns,
		.since_ns = b->begin_ns,
		.retransmits_before = x->retransmits,
		.has_retransmits_before = x->has_retransmits || x->is_seen_from_connect };
	set_request_name(&x->call, b->request);
	return l->event(l->user, x, API_EVENT_REQUEST, b->begin_ns, err);
}

static int begin_answer(struct api_connection *x, uint64_t first_ns, const struct api_listener *l,
	struct sooth_error *err)
{
	x->stage = API_ANSWERING;
	x->call.has_answer = true;
	x->call.first_ns = first_ns;
	return l->event(l->user, x, API_EVENT_ANSWER, first_ns, err);
}

static void add_chunk(struct api_connection *x, uint64_t bytes, uint64_t now_ns)
{
	struct api_call *c = &x->call;
	uint64_t gap = c->chunks ? now_ns - c->last_ns : 0;

	c->gap_ns = gap > c->gap_ns ? gap : c->gap_ns;
	c->bytes_in += bytes;
	c->chunks++;
	c->last_ns = now_ns;
}

static uint8_t outcome_of(const struct api_connection *x, enum api_end by)
{
	const struct api_call *c = &x->call;

	if (!c->is_exact)
		return by == API_END_ERROR ? API_CUT : API_UNCERTAIN;
	if (c->has_answer && by == API_END_ERROR)
		return API_CUT;
	if (c->status >= STATUS_ERRORS)
		return API_REFUSED;
	if (c->has_answer)
		return by == API_END_NONE ? API_OPEN : API_ANSWERED;
	switch (by) {
	case API_END_SERVER:
		return API_CLOSED;
	case API_END_ERROR:
		return API_RESET;
	case API_END_NONE:
		return API_WAITING;
	default:
		return API_GIVEN_UP;
	}
}

/* Makes uncertain bytes the answer if no other bytes came. The caller skips this for a failed
 * connection: its server may have sent only a ticket. */
static int resolve_uncertain_bytes(
	struct api_connection *x, const struct api_listener *l, struct sooth_error *err)
{
	int status = 0;

	if (!x->maybe_bytes || x->stage != API_SENT || x->maybe_ns < x->call.sent_ns)
		return 0;
	status = begin_answer(x, x->maybe_ns, l, err);
	add_chunk(x, x->maybe_bytes, x->maybe_ns);
	x->maybe_bytes = 0;
	return status;
}

/* Returns whether only the last chunk shows that the answer was complete. */
static bool is_over_by_chunk(const struct api_connection *x, enum api_end by)
{
	bool is_doubtful = by == API_END_NONE || by == API_END_ERROR || by == API_END_CLIENT ||
			   by == API_END_PROCESS;

	return is_doubtful && x->protocol == API_TLS && x->call.has_answer && !x->tls.rest &&
	       x->tls.ends_chunked;
}

static int finish_call(struct api_connection *x, enum api_end by, uint32_t error, uint64_t now_ns,
	const struct api_listener *l, struct sooth_error *err)
{
	int status = 0;

	if (x->stage == API_IDLE)
		return 0;
	if (by != API_END_NONE && by != API_END_ERROR)
		status = resolve_uncertain_bytes(x, l, err);
	if (is_over_by_chunk(x, by))
		by = API_END_LAST_CHUNK;
	x->call.ended_by = (uint8_t)by;
	x->call.error = error;
	x->call.outcome = outcome_of(x, by);
	if (!status)
		status = l->event(l->user, x, API_EVENT_END, now_ns, err);
	x->stage = API_IDLE;
	return status;
}

/* --- sent --- */

static uint64_t data_sent(struct api_connection *x, const struct api_bytes *b)
{
	if (b->server.size) {
		api_tls_hello(&x->tls, b->server, b->end_ns);
		x->protocol = x->tls.offers & SYSCALLS_OFFERS_HTTP_2 ? API_TLS_2 : API_TLS;
	} else if (x->protocol == API_PROTOCOL_UNKNOWN && b->tls.size) {
		api_tls_resume(&x->tls);
		x->protocol = API_TLS;
	}
	if (x->protocol == API_TLS || x->protocol == API_TLS_2)
		return api_tls_sent(&x->tls, b->tls, b->bytes, b->end_ns);
	return b->bytes;
}

static bool is_http_request(const struct api_bytes *b, const char *method)
{
	size_t size = strlen(method);

	return b->request.size > size && !memcmp(b->request.data, method, size) &&
	       b->request.data[size] == ' ';
}

/* Returns whether the bytes begin a request: in plain HTTP by a request line, else after an
 * answer. */
static bool begins_request(const struct api_connection *x, const struct api_bytes *b)
{
	if (x->protocol == API_HTTP)
		return b->request.size && x->stage != API_SENT;
	if (!has_exact_times(x))
		return x->stage == API_IDLE;
	return x->stage != API_SENT;
}

int api_connection_sent(struct api_connection *x, const struct api_bytes *b,
	const struct api_listener *l, struct sooth_error *err)
{
	bool had_hello = x->tls.has_hello;
	uint64_t data;
	int status = 0;

	if (x->protocol == API_PROTOCOL_UNKNOWN && b->request.size)
		x->protocol = is_http_request(b, METHOD_2) ? API_HTTP_2 : API_HTTP;
	/* The connection becomes a tunnel of a proxy: the bytes that follow are separate calls. */
	if (b->server.size && x->stage != API_IDLE && !had_hello)
		status = finish_call(x, API_END_UPGRADE, 0, b->begin_ns, l, err);
	data = data_sent(x, b);
	if (status || !data || x->protocol == API_PROTOCOL_UNKNOWN || x->protocol == API_UPGRADED)
		return status;
	if (begins_request(x, b)) {
		status = finish_call(x, API_END_NEXT, 0, b->begin_ns, l, err);
		if (!status)
			status = begin_call(x, b, l, err);
	}
	if (status || x->stage == API_IDLE)
		return status;
	x->call.turns += !has_exact_times(x) && x->call.last_ns != x->call.sent_ns;
	x->call.bytes_out += data;
	x->call.sent_ns = x->call.last_ns = b->end_ns;
	return 0;
}

/* --- received --- */

static int add_answer(struct api_connection *x, uint64_t first_ns, uint64_t bytes, uint64_t now_ns,
	const struct api_listener *l, struct sooth_error *err)
{
	int status = 0;

	if (!x->call.has_answer)
		status = begin_answer(x, first_ns, l, err);
	x->stage = API_ANSWERING;
	add_chunk(x, bytes, now_ns);
	return status;
}

static int add_plain_received(struct api_connection *x, const struct api_bytes *b,
	const struct api_listener *l, struct sooth_error *err)
{
	int status;

	if (b->status >= STATUS_CONTINUE && b->status < STATUS_FINAL && b->status != STATUS_SWITCH)
		return 0;
	if (b->status && !x->call.has_answer)
		x->call.status = b->status;
	status = add_answer(x, b->end_ns, b->bytes, b->end_ns, l, err);
	if (!status && x->call.status == STATUS_SWITCH) {
		status = finish_call(x, API_END_UPGRADE, 0, b->end_ns, l, err);
		x->protocol = API_UPGRADED;
	} else if (!status && b->is_last_chunk && x->protocol == API_HTTP) {
		status = finish_call(x, API_END_LAST_CHUNK, 0, b->end_ns, l, err);
	}
	return status;
}

static int add_tls_received(struct api_connection *x, const struct api_bytes *b,
	const struct api_listener *l, struct sooth_error *err)
{
	struct api_tls_bytes in =
		api_tls_received(&x->tls, b->tls, b->bytes, b->end_ns, x->stage == API_SENT);
	uint64_t first_ns = b->end_ns, bytes = in.data;

	if (in.maybe_is_data && x->maybe_bytes) {
		first_ns = x->maybe_ns;
		bytes += x->maybe_bytes;
	}
	if (in.maybe_is_data || in.maybe_is_none)
		x->maybe_bytes = 0;
	if (in.maybe && !x->maybe_bytes)
		x->maybe_ns = b->end_ns;
	x->maybe_bytes += in.maybe;
	if (!bytes || x->stage == API_IDLE)
		return 0;
	return add_answer(x, first_ns, bytes, b->end_ns, l, err);
}

int api_connection_received(struct api_connection *x, const struct api_bytes *b,
	const struct api_listener *l, struct sooth_error *err)
{
	switch (x->protocol) {
	case API_TLS:
	case API_TLS_2:
		return add_tls_received(x, b, l, err);
	case API_HTTP:
	case API_HTTP_2:
		return x->stage == API_IDLE ? 0 : add_plain_received(x, b, l, err);
	default:
		return 0;
	}
}

int api_connection_ended(struct api_connection *x, enum api_end by, uint32_t error, uint64_t now_ns,
	const struct api_listener *l, struct sooth_error *err)
{
	return finish_call(x, by, error, now_ns, l, err);
}
