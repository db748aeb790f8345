/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single calls that read, write, open or communicate: the slowest of each process, with the file or
 * peer of the descriptor at the time of the call (call_fold.h).
 */
#pragma once

#include "analyze/calls/call_fold.h"
#include "base/map.h"
#include "explain/output.h"
#include "model/row_list.h"

#define CALL_OPERATIONS_KEPT 2000 /* per process and kind */

enum call_operation_kind { CALL_OPERATION_IO, CALL_OPERATION_NETWORK, CALL_OPERATION_KINDS };

struct call_operations {
	struct map lists; /* process_id -> struct operation_list */
	struct call_fold fold;
};

#define CALL_OPERATION_CALL(F, S)                                                                  \
	F(S, TEXT, syscall, ALWAYS, "name of the system call", .label = "CALL")                    \
	F(S, I32, fd, MAYBE(fd_state), "file descriptor of the call; absent: the call has none")
#define CALL_OPERATION_FILE(F, S)                                                                  \
	F(S, TEXT, path, MAYBE(path_state),                                                        \
		"path argument, or what the file descriptor refers to", .may_shrink = true)
#define CALL_OPERATION_PEER(F, S)                                                                  \
	F(S, TEXT, address, MAYBE(address_state), "address of the peer", .may_shrink = true)       \
	F(S, U32, port, MAYBE(port_state), "port of the peer")
#define CALL_OPERATION_RESULT(F, S)                                                                \
	F(S, I64, bytes, MAYBE(bytes_state),                                                       \
		"bytes read, written, sent or received; null: the call moves none, or "            \
		"failed",                                                                          \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, REAL, latency_us, ALWAYS, "time from the start of the call to its return",            \
		.label = "LATENCY us", .decimals = 1)                                              \
	F(S, ERRNO32, error, MAYBE(error_state), "errno name if the system call failed")           \
	F(S, TID)

#define IO_OPERATION_ROW(F, S)                                                                     \
	CALL_OPERATION_CALL(F, S) CALL_OPERATION_FILE(F, S) CALL_OPERATION_RESULT(F, S)
#define NETWORK_OPERATION_ROW(F, S)                                                                \
	CALL_OPERATION_CALL(F, S) CALL_OPERATION_PEER(F, S) CALL_OPERATION_RESULT(F, S)
/* One struct for I/O and network operations. */
#define CALL_OPERATION_ROW(F, S) IO_OPERATION_ROW(F, S) CALL_OPERATION_PEER(F, S)

struct call_operation_row {
	struct sooth_record record; /* pid, tid */
	ROW_MEMBERS(CALL_OPERATION_ROW, call_operation_row)
};

extern const struct sooth_schema io_operation_schema, network_operation_schema;

void call_operations_init(struct call_operations *o);
void call_operations_fini(struct call_operations *o);
/* Adds a record. Records of other probes are ignored. */
int call_operations_add_record(
	struct call_operations *o, const struct batch *batch, struct sooth_error *err);
/* Completes the lists. Called after the last record, before the lists are read. */
int call_operations_end(struct call_operations *o, struct sooth_error *err);
/* Notes that a process made more calls (`count`) than are kept. */
void call_operations_note(struct output *output, uint64_t count);
/* Appends the rows of a process (struct call_operation_row), the slowest first, at most
 * CALL_OPERATIONS_KEPT of the kind. Returns the number of all calls of the kind. */
uint64_t call_operations_copy_slowest(struct call_operations *o, const struct process_id *id,
	enum call_operation_kind kind, struct buffer *out);
