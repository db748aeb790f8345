/* SPDX-License-Identifier: BSD-2-Clause */
/* The records that the collector itself writes into a stream: definitions, times, sooth's cost. */
#pragma once

#include "recognize/agent_set.h"
#include "model/field.h"
#include "os/os.h"

/* Each function appends a record to `out` (source STREAM_COLLECTOR), and returns its time. */
uint64_t collector_segment(const struct os *os, struct buffer *out);
uint64_t collector_schema(
	const struct os *os, struct buffer *out, const struct sooth_schema *schema);
uint64_t collector_source(const struct os *os, struct buffer *out, unsigned source,
	const struct backend *backend, const char *refusals);
uint64_t collector_begin(const struct os *os, struct buffer *out);
uint64_t collector_tick(const struct os *os, struct buffer *out);
uint64_t collector_end(const struct os *os, struct buffer *out, uint32_t reason, int child_status,
	uint64_t end_ns);
/* Appends a limit of one process; NULL: of all processes. */
uint64_t collector_limit(const struct os *os, struct buffer *out, const struct process_id *process,
	const char *what, const char *reason, const char *remedy);
/* Appends a mark that the user requested; `what`: enum stream_mark_what. */
uint64_t collector_mark(const struct os *os, struct buffer *out, uint32_t what, const char *name);
/* Appends the definitions of agents that are not built in. */
void collector_agents(const struct os *os, struct buffer *out, const struct agent_set *agents);
/* Appends the number of records and bytes so far, and sooth's cost. */
uint64_t collector_self(const struct os *os, struct buffer *out, uint64_t records, uint64_t bytes);
