/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/api/api_rows.h"

#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "model/errno_names.h"

#define NAMES(table, ...)                                                                          \
	static const char *const table##_list[] = { __VA_ARGS__ };                                 \
	const struct sooth_names table = { ARRAY_SIZE(table##_list), table##_list }

NAMES(api_event_names, "request", "answer", "end");
NAMES(api_outcome_names, "answered", "refused", "closed", "reset", "cut", "given up", "waiting",
	"open", "uncertain");
NAMES(api_end_names, "nothing", "last chunk", "next request", "server closed", "client closed",
	"error", "process ended", "other protocol");
NAMES(api_protocol_names, "unknown", "HTTP", "TLS", "TLS, HTTP/2 offered", "HTTP/2", "other");

_Static_assert(ARRAY_SIZE(api_event_names_list) == API_EVENTS, "each has a name");
_Static_assert(ARRAY_SIZE(api_outcome_names_list) == API_OUTCOMES, "each has a name");
_Static_assert(ARRAY_SIZE(api_end_names_list) == API_ENDS, "each has a name");
_Static_assert(ARRAY_SIZE(api_protocol_names_list) == API_PROTOCOLS, "each has a name");

ROW_SCHEMA(api, API_ROW, "api_calls", api_row,
	.line = "{time} {pid} {process}: {endpoint}[ ({label})][ {method}][ {path}]: {what}"
		"[, {sent_bytes} out][, first byte after {first_byte_ns}][, {received_bytes} in]"
		"[, {total_ns} in all][, longest gap {gap_ns}][, silent for {silent_ns}]"
		"[, {since_first_ns} since the first attempt]");

const struct section api_section =
	SECTION_OF("api_call", api_schema, STREAM, .if_empty = "no API call ended meanwhile");

static const char *const outcome_words[] = { "answered", "refused",
	"closed by the server before an answer", "connection failed before an answer",
	"connection failed during the answer", "given up before an answer",
	"waiting for the first byte", "not known to be over",
	"HTTP/2 possible: calls not counted" };

_Static_assert(ARRAY_SIZE(outcome_words) == API_OUTCOMES, "each has words");

static void put_request_name(struct buffer *out, const struct api_seen *seen)
{
	const struct api_call *call = &seen->connection->call;

	if (seen->event == API_EVENT_REQUEST)
		buffer_string(out, "request");
	else if (seen->event == API_EVENT_ANSWER)
		buffer_string(out, "answer begins");
	else
		buffer_string(out, outcome_words[call->outcome]);
	if (seen->event != API_EVENT_REQUEST && call->status)
		buffer_format(out, " %u", call->status);
	if (seen->event == API_EVENT_END && call->error && errno_name(call->error))
		buffer_format(out, " (%s)", errno_name(call->error));
	if (call->attempt > 1)
		buffer_format(out, ", attempt %u", call->attempt);
}

static void put_time(struct buffer *out, uint64_t time_ns, const struct api_row_context *c)
{
	uint64_t utc_ns = time_ns + (uint64_t)c->realtime_offset_ns;
	time_t seconds = (time_t)(utc_ns / NS_PER_S);
	struct tm tm;
	char text[32];

	if (c->has_clock && localtime_r(&seconds, &tm) &&
		strftime(text, sizeof(text), "%H:%M:%S", &tm))
		buffer_format(out, "%s.%03u", text, (unsigned)(utc_ns % NS_PER_S / NS_PER_MS));
	else
		buffer_format(out, "%llu.%06llu", (unsigned long long)(time_ns / NS_PER_S),
			(unsigned long long)(time_ns % NS_PER_S / 1000));
}

static uint8_t retransmits_of(const struct api_seen *seen, uint32_t *out)
{
	if (seen->event == API_EVENT_END && api_tracker_retransmits(seen->connection, out))
		return SOOTH_STATE_VALUE;
	return seen->event != API_EVENT_END ? SOOTH_STATE_ABSENT
					    : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSEEN);
}

static struct api_row row_of(const struct api_seen *seen, const struct api_row_context *context)
{
	const struct api_connection *x = seen->connection;
	const struct api_call *call = &x->call;
	bool is_end = seen->event == API_EVENT_END;
	bool is_open = call->outcome == API_WAITING || call->outcome == API_OPEN;
	/* The end of an answer may be recognized much later than it came. */
	bool is_whole = is_end && (call->outcome == API_ANSWERED || call->outcome == API_REFUSED);
	struct api_row row = { .record = row_head(&seen->process),
		.utc_ns = seen->time_ns + (uint64_t)context->realtime_offset_ns,
		.utc_state = state_if(context->has_clock),
		.tid = call->tid,
		.event = (uint8_t)seen->event,
		.label_state = state_if(context->label.size),
		.protocol = x->protocol,
		.method_state = state_if(*call->method),
		.outcome = call->outcome,
		.outcome_state = state_if(is_end),
		.ended_by = call->ended_by,
		.ended_state = state_if(is_end && call->ended_by != API_END_NONE),
		.http_status = call->status,
		.status_state = state_if(call->status && seen->event != API_EVENT_REQUEST),
		.error = call->error,
		.begin_ns = call->begin_ns,
		.sent_bytes = call->bytes_out,
		.send_ns = call->sent_ns - call->begin_ns,
		.sent_state = state_if(seen->event != API_EVENT_REQUEST),
		.first_byte_ns = call->first_ns - call->begin_ns,
		.answer_state = state_if(call->has_answer),
		.received_bytes = call->bytes_in,
		.chunks = call->chunks,
		.received_state = state_if(is_end && call->has_answer),
		.gap_ns = call->gap_ns,
		.gap_state = state_if(is_end && call->chunks > 1),
		.total_ns = call->last_ns - call->begin_ns,
		.silent_ns = seen->time_ns - call->last_ns,
		.silent_state = state_if(is_end && is_open),
		.number = call->number,
		.attempt = call->attempt,
		.since_first_ns = (is_whole ? call->last_ns : seen->time_ns) - call->since_ns,
		.attempt_state = state_if(call->attempt > 1),
		.is_exact = call->is_exact,
		.fd = seen->fd };

	row.record.time_ns = seen->time_ns;
	row.retransmits_state = retransmits_of(seen, &row.retransmits);
	return row;
}

int api_row_emit(struct output *output, const struct api_seen *seen,
	const struct api_row_context *context, struct sooth_error *err)
{
	const struct api_connection *x = seen->connection;
	struct api_row row = row_of(seen, context);
	struct buffer time = { 0 }, what = { 0 };
	int status;

	put_time(&time, seen->time_ns, context);
	put_request_name(&what, seen);
	struct record_tail tail[] = { tail_buffer(&row.time, &time), tail_buffer(&row.what, &what),
		tail_span(
			&row.process, fd_follow_process(&seen->tracker->fold.fds, &seen->process)),
		tail_string(&row.endpoint, api_connection_endpoint(x)),
		tail_string(&row.peer, x->peer), tail_span(&row.label, context->label),
		tail_string(&row.method, x->call.method), tail_string(&row.path, x->call.path),
		tail_string(&row.local, x->local) };

	status = OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&time);
	buffer_fini(&what);
	return status;
}
