/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the rows of operations. */
#include "analyze/calls/operation_rows.h"

#include "analyze/calls/process_fields.h"

/* Of each process by itself, or of all together. */
#define OPERATION_SCHEMAS(id_, struct_)                                                            \
	const struct sooth_schema id_##_schema =                                                   \
		SCHEMA_FROM("operation." #id_, struct_, id_##_fields, PROCESS_FIELD_COUNT);        \
	const struct sooth_schema id_##_process_schema =                                           \
		SCHEMA_FROM("operation." #id_, struct_, id_##_fields, 0)

static const struct sooth_field io_fields[] = {
	PROCESS_FIELDS(io_row, process_state),
	FIELD_STRING(io_row, path, "path of the file, or what the file descriptor refers to",
		.may_shrink = true),
	FIELD_STRING(io_row, kind, "type of the file: file, directory, pipe, terminal, other"),
	FIELD_NUMBER(io_row, read_bytes, "bytes read from the file", .unit = SOOTH_UNIT_BYTES,
		.label = "READ"),
	FIELD_NUMBER(io_row, written_bytes, "bytes written to the file", .unit = SOOTH_UNIT_BYTES,
		.label = "WRITTEN"),
	FIELD_NUMBER(io_row, reads, "system calls that read from the file"),
	FIELD_NUMBER(io_row, writes, "system calls that wrote to the file"),
	FIELD_NUMBER(io_row, opens, "times the file was opened"),
	FIELD_NUMBER(io_row, rewrites, "times the file was truncated after a write"),
	FIELD_NUMBER(io_row, errors, "failed system calls on the file"),
	FIELD_NUMBER(io_row, total_ns, "total time in system calls on the file",
		.unit = SOOTH_UNIT_NS, .label = "TOTAL", FIELD_STATE_AT(io_row, times_state)),
	FIELD_NUMBER(io_row, mean_ns, "mean time of one system call", .unit = SOOTH_UNIT_NS,
		.label = "MEAN", FIELD_STATE_AT(io_row, times_state)),
	FIELD_NUMBER(io_row, max_ns, "time of the longest system call", .unit = SOOTH_UNIT_NS,
		.label = "MAX", FIELD_STATE_AT(io_row, times_state)),
};
OPERATION_SCHEMAS(io, io_row);

static const struct sooth_field network_fields[] = {
	PROCESS_FIELDS(network_row, process_state),
	FIELD_STRING(network_row, connection,
		"protocol, local address and peer address of the connection", .may_shrink = true),
	FIELD_STRING(network_row, label, "known name of the service at the peer address",
		FIELD_STATE_AT(network_row, label_state)),
	FIELD_NUMBER(network_row, sent_bytes, "bytes sent on the connection",
		.unit = SOOTH_UNIT_BYTES, .label = "SENT"),
	FIELD_NUMBER(network_row, received_bytes, "bytes received on the connection",
		.unit = SOOTH_UNIT_BYTES, .label = "RECEIVED"),
	FIELD_NUMBER(network_row, sends, "system calls that sent data"),
	FIELD_NUMBER(network_row, receives, "system calls that received data"),
	FIELD_NUMBER(network_row, connects, "attempts to connect, including failed ones"),
	FIELD_NUMBER(network_row, errors,
		"failed system calls except EAGAIN, and errors read with SO_ERROR"),
	FIELD_NUMBER(network_row, total_ns, "total time in these system calls, including waiting",
		.unit = SOOTH_UNIT_NS, .label = "TOTAL", FIELD_STATE_AT(network_row, times_state)),
	FIELD_NUMBER(network_row, mean_ns, "mean time of one system call", .unit = SOOTH_UNIT_NS,
		.label = "MEAN", FIELD_STATE_AT(network_row, times_state)),
	FIELD_NUMBER(network_row, max_ns, "time of the longest system call", .unit = SOOTH_UNIT_NS,
		.label = "MAX", FIELD_STATE_AT(network_row, times_state)),
};
OPERATION_SCHEMAS(network, network_row);

static const struct sooth_field lineage_fields[] = {
	FIELD_PID(lineage_row),
	FIELD_NUMBER(lineage_row, parent, "process id of the parent",
		FIELD_STATE_AT(lineage_row, parent_state)),
	FIELD_STRING(lineage_row, name, "last name of the process"),
	FIELD_STRING(lineage_row, end, "how the process ended: exit status or signal",
		FIELD_STATE_AT(lineage_row, end_state)),
	FIELD_NUMBER_AS(lineage_row, lived_ns, lifetime_ns,
		"time from the start of the process (or of the recording) to its end",
		.unit = SOOTH_UNIT_NS, .label = "LIVED", FIELD_STATE_AT(lineage_row, lived_state)),
	{ .name = "wait_status",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(lineage_row, status),
		FIELD_STATE_AT(lineage_row, end_state),
		.is_hidden = true,
		.help = "exit status of the process as wait(2) encodes it" },
	{ .name = "command",
		.type = SOOTH_FIELD_ARGS,
		FIELD_AT(lineage_row, command),
		FIELD_STATE_AT(lineage_row, command_state),
		.help = "command line of the process when sooth last read it" },
};
const struct sooth_schema lineage_schema =
	SCHEMA_FROM("operation.lineage", lineage_row, lineage_fields, 0);

static const struct sooth_field memory_fields[] = {
	PROCESS_FIELDS(memory_row, process_state),
	FIELD_STRING(
		memory_row, operation, "type of memory system call, for example mmap of a file"),
	FIELD_NUMBER(memory_row, calls, "number of memory system calls"),
	FIELD_NUMBER(memory_row, errors, "number of failed memory system calls"),
	FIELD_NUMBER(memory_row, bytes,
		"address space mapped or unmapped by successful calls; brk: change of the heap's "
		"end",
		.unit = SOOTH_UNIT_BYTES, .label = "SIZE", FIELD_STATE_AT(memory_row, bytes_state)),
	FIELD_NUMBER(memory_row, total_ns, "total time in these system calls",
		.unit = SOOTH_UNIT_NS, .label = "TOTAL", FIELD_STATE_AT(memory_row, times_state)),
	FIELD_NUMBER(memory_row, max_ns, "time of the longest system call", .unit = SOOTH_UNIT_NS,
		.label = "MAX", FIELD_STATE_AT(memory_row, times_state)),
};
OPERATION_SCHEMAS(memory, memory_row);
