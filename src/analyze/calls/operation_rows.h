/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the view "operations". */
#pragma once

#include "model/row_list.h"

#define IO_ROW(F, S)                                                                               \
	F(S, RECORD, U64, pid, pid, MAYBE(process_state),                                          \
		"process id in the pid namespace of sooth")                                         \
	F(S, TEXT, process, WITH(process_state), "name of the process")                            \
	F(S, TEXT, path, ALWAYS, "path of the file, or what the file descriptor refers to",        \
		.may_shrink = true)                                                                \
	F(S, TEXT, kind, ALWAYS, "type of the file: file, directory, pipe, terminal, other")       \
	F(S, U64, read_bytes, ALWAYS, "bytes read from the file", .unit = SOOTH_UNIT_BYTES,        \
		.label = "READ")                                                                   \
	F(S, U64, written_bytes, ALWAYS, "bytes written to the file", .unit = SOOTH_UNIT_BYTES,    \
		.label = "WRITTEN")                                                                \
	F(S, U64, reads, ALWAYS, "system calls that read from the file")                           \
	F(S, U64, writes, ALWAYS, "system calls that wrote to the file")                           \
	F(S, U64, opens, ALWAYS, "times the file was opened")                                      \
	F(S, U64, rewrites, ALWAYS, "times the file was truncated after a write")                  \
	F(S, U64, errors, ALWAYS, "failed system calls on the file")                               \
	F(S, U64, total_ns, MAYBE(times_state), "total time in system calls on the file",          \
		.unit = SOOTH_UNIT_NS, .label = "TOTAL")                                           \
	F(S, U64, mean_ns, WITH(times_state), "mean time of one system call",                      \
		.unit = SOOTH_UNIT_NS, .label = "MEAN")                                            \
	F(S, U64, max_ns, WITH(times_state), "time of the longest system call",                    \
		.unit = SOOTH_UNIT_NS, .label = "MAX")

ROW_STRUCT(io_row, IO_ROW);

#define NETWORK_ROW(F, S)                                                                          \
	F(S, RECORD, U64, pid, pid, MAYBE(process_state),                                          \
		"process id in the pid namespace of sooth")                                         \
	F(S, TEXT, process, WITH(process_state), "name of the process")                            \
	F(S, TEXT, connection, ALWAYS,                                                             \
		"protocol, local address and peer address of the connection", .may_shrink = true)  \
	F(S, TEXT, label, MAYBE(label_state), "known name of the service at the peer address")     \
	F(S, U64, sent_bytes, ALWAYS, "bytes sent on the connection", .unit = SOOTH_UNIT_BYTES,    \
		.label = "SENT")                                                                   \
	F(S, U64, received_bytes, ALWAYS, "bytes received on the connection",                      \
		.unit = SOOTH_UNIT_BYTES, .label = "RECEIVED")                                     \
	F(S, U64, sends, ALWAYS, "system calls that sent data")                                    \
	F(S, U64, receives, ALWAYS, "system calls that received data")                             \
	F(S, U64, connects, ALWAYS, "attempts to connect, including failed ones")                  \
	F(S, U64, errors, ALWAYS,                                                                  \
		"failed system calls except EAGAIN, and errors read with SO_ERROR")                \
	F(S, U64, total_ns, MAYBE(times_state),                                                    \
		"total time in these system calls, including waiting", .unit = SOOTH_UNIT_NS,      \
		.label = "TOTAL")                                                                  \
	F(S, U64, mean_ns, WITH(times_state), "mean time of one system call",                      \
		.unit = SOOTH_UNIT_NS, .label = "MEAN")                                            \
	F(S, U64, max_ns, WITH(times_state), "time of the longest system call",                    \
		.unit = SOOTH_UNIT_NS, .label = "MAX")

ROW_STRUCT(network_row, NETWORK_ROW);

#define LINEAGE_ROW(F, S)                                                                          \
	F(S, PID)                                                                                  \
	F(S, U32, parent, MAYBE(parent_state), "process id of the parent")                         \
	F(S, TEXT, name, ALWAYS, "last name of the process")                                       \
	F(S, TEXT, end, MAYBE(end_state), "how the process ended: exit status or signal")          \
	F(S, NAMED, U64, lived_ns, lifetime_ns, MAYBE(lived_state),                                \
		"time from the start of the process (or of the recording) to its end",             \
		.unit = SOOTH_UNIT_NS, .label = "LIVED")                                           \
	F(S, NAMED, U32, status, wait_status, WITH(end_state),                                     \
		"exit status of the process as wait(2) encodes it", .is_hidden = true)             \
	F(S, ARGS, command, MAYBE(command_state),                                                  \
		"command line of the process when sooth last read it")

ROW_STRUCT(lineage_row, LINEAGE_ROW);

#define MEMORY_ROW(F, S)                                                                           \
	F(S, RECORD, U64, pid, pid, MAYBE(process_state),                                          \
		"process id in the pid namespace of sooth")                                         \
	F(S, TEXT, process, WITH(process_state), "name of the process")                            \
	F(S, TEXT, operation, ALWAYS, "type of memory system call, for example mmap of a file")    \
	F(S, U64, calls, ALWAYS, "number of memory system calls")                                  \
	F(S, U64, errors, ALWAYS, "number of failed memory system calls")                          \
	F(S, U64, bytes, MAYBE(bytes_state),                                                       \
		"address space mapped or unmapped by successful calls; brk: change of the heap's " \
		"end",                                                                             \
		.unit = SOOTH_UNIT_BYTES, .label = "SIZE")                                         \
	F(S, U64, total_ns, MAYBE(times_state), "total time in these system calls",                \
		.unit = SOOTH_UNIT_NS, .label = "TOTAL")                                           \
	F(S, U64, max_ns, WITH(times_state), "time of the longest system call",                    \
		.unit = SOOTH_UNIT_NS, .label = "MAX")

ROW_STRUCT(memory_row, MEMORY_ROW);

extern const struct sooth_schema io_schema, network_schema, lineage_schema, memory_schema;
/* rows of each process by itself */
extern const struct sooth_schema io_process_schema, network_process_schema, memory_process_schema;
