/* SPDX-License-Identifier: BSD-2-Clause */
/* The records that the collector itself writes into a stream: what it is, when, at which cost. */
#ifndef SOOTH_COLLECT_COLLECTOR_H
#define SOOTH_COLLECT_COLLECTOR_H

#include "recognize/agent_set.h"
#include "model/field.h"
#include "os/os.h"

/* Each appends to `out`, the stream's source STREAM_COLLECTOR, and returns the record's time. */
uint64_t collector_segment(const struct os *os, struct buffer *out);
uint64_t collector_schema(
	const struct os *os, struct buffer *out, const struct sooth_schema *schema);
uint64_t collector_source(const struct os *os, struct buffer *out, unsigned source,
	const struct backend *backend, const char *refusals);
uint64_t collector_begin(const struct os *os, struct buffer *out);
uint64_t collector_tick(const struct os *os, struct buffer *out);
uint64_t collector_end(const struct os *os, struct buffer *out, uint32_t reason, int child_status,
	uint64_t end_ns);
/* A limit of one process; NULL: of all. */
uint64_t collector_limit(const struct os *os, struct buffer *out, const struct process_id *process,
	const char *what, const char *reason, const char *remedy);
/* On request; `what` is an enum stream_mark_what. */
uint64_t collector_mark(const struct os *os, struct buffer *out, uint32_t what, const char *name);
/* The definitions of those that are not built in. */
void collector_agents(const struct os *os, struct buffer *out, const struct agent_set *agents);
/* The amount collected so far, and its cost. */
uint64_t collector_self(const struct os *os, struct buffer *out, uint64_t records, uint64_t bytes);

#endif
