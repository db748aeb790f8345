/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the view "api-calls". */
#pragma once

#include "analyze/api/api_tracker.h"
#include "explain/output.h"
#include "model/row_list.h"

extern const struct sooth_names api_event_names, api_outcome_names, api_end_names,
	api_protocol_names;

#define API_ROW(F, S)                                                                              \
	F(S, RECORD, U64, time_ns, time_ns, ALWAYS, "time of the event (CLOCK_MONOTONIC)",         \
		.unit = SOOTH_UNIT_TIME_NS)                                                        \
	F(S, U64, utc_ns, MAYBE(utc_state), "time of the event, ns since 1970",                    \
		.unit = SOOTH_UNIT_UTC_NS)                                                         \
	F(S, TEXT, time, ALWAYS, "time of day of the event, or seconds if that is unknown")        \
	F(S, PID)                                                                                  \
	F(S, TEXT, process, ALWAYS, "name of the process; empty: unknown")                         \
	F(S, U32, tid, ALWAYS, "thread id of the thread that began the request")                   \
	F(S, ENUM8, event, ALWAYS,                                                                 \
		"request: its start; answer: first byte of the answer; end: end of the answer",    \
		.names = &api_event_names)                                                         \
	F(S, TEXT, endpoint, ALWAYS, "name of the server in the TLS hello, or its address",        \
		.placeholder = "server")                                                           \
	F(S, TEXT, peer, ALWAYS, "address and port of the server")                                 \
	F(S, TEXT, label, MAYBE(label_state), "known name of the service at the address")          \
	F(S, ENUM8, protocol, ALWAYS, "HTTP, TLS, or TLS with HTTP/2 offered",                     \
		.names = &api_protocol_names)                                                      \
	F(S, TEXT, method, MAYBE(method_state), "method of a plain request")                       \
	F(S, TEXT, path, WITH(method_state), "path of a plain request, without its query")         \
	F(S, TEXT, what, ALWAYS, "what happened, in words", .is_hidden = true)                     \
	F(S, ENUM8, outcome, MAYBE(outcome_state), "what became of the request",                   \
		.names = &api_outcome_names)                                                       \
	F(S, ENUM8, ended_by, MAYBE(ended_state), "what showed that the call was over",            \
		.names = &api_end_names)                                                           \
	F(S, U32, http_status, MAYBE(status_state), "HTTP status of a plain answer")               \
	F(S, ERRNO32, error, ALWAYS, "errno name if the connection failed")                        \
	F(S, U64, begin_ns, ALWAYS, "time the request began (CLOCK_MONOTONIC)",                    \
		.unit = SOOTH_UNIT_TIME_NS)                                                        \
	F(S, U64, sent_bytes, MAYBE(sent_state),                                                   \
		"bytes of the request, with the heads of TLS records", .unit = SOOTH_UNIT_BYTES)   \
	F(S, U64, send_ns, WITH(sent_state),                                                       \
		"time from the first byte of the request to its last", .unit = SOOTH_UNIT_NS)      \
	F(S, U64, first_byte_ns, MAYBE(answer_state),                                              \
		"time from the begin of the request to the first byte of the answer",              \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, received_bytes, MAYBE(received_state),                                           \
		"bytes of the answer, with the heads of TLS records", .unit = SOOTH_UNIT_BYTES)    \
	F(S, U64, chunks, WITH(received_state), "reads that brought the answer")                   \
	F(S, U64, gap_ns, MAYBE(gap_state), "longest time between two of these reads",             \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, total_ns, WITH(received_state),                                                  \
		"time from the begin of the request to the last byte of the answer",               \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, silent_ns, MAYBE(silent_state), "of a call under way: time since the last byte", \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U32, number, ALWAYS, "number of the call on its connection, from 1")                  \
	F(S, U32, attempt, ALWAYS, "number of the attempt: failed ones came right before")         \
	F(S, U64, since_first_ns, MAYBE(attempt_state),                                            \
		"of a repeated request: time from the begin of the first attempt to the end of "   \
		"this one",                                                                        \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U32, retransmits, MAYBE(retransmits_state),                                           \
		"segments that were sent again, between the samples around the call")              \
	F(S, BOOL, is_exact, ALWAYS,                                                               \
		"false: HTTP/2 is possible, and this is all that the connection moved")            \
	F(S, U32, fd, ALWAYS, "file descriptor of the connection")                                 \
	F(S, TEXT, local, ALWAYS, "own address and port of the connection")

ROW_STRUCT(api_row, API_ROW);

extern const struct sooth_schema api_schema;
extern const struct section api_section;

/* Values of a row that the call itself does not have. */
struct api_row_context {
	struct span label; /* empty: none */
	int64_t realtime_offset_ns;
	bool has_clock;
};

int api_row_emit(struct output *output, const struct api_seen *seen,
	const struct api_row_context *context, struct sooth_error *err);
