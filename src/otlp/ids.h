/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ids of traces and spans. They depend only on what the records say, so that each export of a
 * session has the same ones, on each host.
 */
#pragma once

#include "base/cursor.h"
#include "model/process_id.h"

#define OTLP_TRACE_BYTES 16
#define OTLP_SPAN_BYTES	 8

struct otlp_trace_id {
	unsigned char bytes[OTLP_TRACE_BYTES];
};

/* Returns the trace of a session: its id if that is a UUID, else a hash of it. Without an id the
 * trace is that of its main process. */
struct otlp_trace_id otlp_trace_of(
	struct span session, const struct process_id *main, uint64_t boot);
/* Returns the id of a span, never 0. `begin_ns` distinguishes spans of one kind. */
uint64_t otlp_span_of(const struct otlp_trace_id *trace, const char *kind,
	const struct process_id *process, uint64_t begin_ns);
