/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows that the views "bundle" and "overview" share. */
#pragma once

#include "analyze/fds/fd_sums.h"
#include "analyze/process_table/host_state.h"
#include "explain/output.h"
#include "model/row_list.h"

#define BUNDLE_HEAD_ROW(F, S)                                                                      \
	F(S, TEXT, timestamp, ALWAYS, "time of the report, RFC 3339 UTC")                          \
	F(S, TEXT, sooth_version, ALWAYS, "version of sooth that recorded the data")               \
	F(S, TEXT, hostname, ALWAYS, "name of the host", .placeholder = "host")                    \
	F(S, TEXT, os, ALWAYS, "operating system of the host")                                     \
	F(S, TEXT, os_version, ALWAYS, "kernel release of the host")                               \
	F(S, TEXT, architecture, ALWAYS, "machine type of the host, for example x86_64")           \
	F(S, U32, cpus, ALWAYS, "number of online CPUs of the host")                               \
	F(S, U64, memory_bytes, ALWAYS, "total memory of the host", .unit = SOOTH_UNIT_BYTES)

ROW_STRUCT(bundle_head_row, BUNDLE_HEAD_ROW, uint32_t process_count;);

#define BUNDLE_COUNT_ROW(F, S)                                                                     \
	F(S, TEXT, what, ALWAYS, "type of the counted file descriptors or name of the peer")       \
	F(S, U64, count, ALWAYS, "number of file descriptors or connections")

ROW_STRUCT(bundle_count_row, BUNDLE_COUNT_ROW);

/* These append to a list in a row: a count by name (bundle_count_schema), unless it is 0; all types
 * of descriptors; a text (TEXTS), unless the list has it, or has `most` texts. */
void bundle_count(struct span what, uint64_t count, struct buffer *out);
void bundle_count_types(const struct fd_sums *sums, struct buffer *out);
void bundle_text(struct buffer *texts, struct span text, size_t most);

/* Emits a row of struct bundle_head_row in that section. */
int bundle_emit_head(struct output *output, const struct section *section,
	const struct host_state *h, uint32_t processes, struct sooth_error *err);

extern const struct sooth_schema bundle_count_schema;
