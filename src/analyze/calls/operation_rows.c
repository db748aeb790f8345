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
	FIELD_STRING(io_row, path, "the file, or what the descriptor is", .may_shrink = true),
	FIELD_STRING(io_row, kind, "file, directory, pipe, terminal, other"),
	FIELD_NUMBER(io_row, read_bytes, "bytes read", .unit = SOOTH_UNIT_BYTES, .label = "READ"),
	FIELD_NUMBER(io_row, written_bytes, "bytes written", .unit = SOOTH_UNIT_BYTES,
		.label = "WRITTEN"),
	FIELD_NUMBER(io_row, reads, "calls that read"),
	FIELD_NUMBER(io_row, writes, "calls that wrote"),
	FIELD_NUMBER(io_row, opens, "times it was opened"),
	FIELD_NUMBER(io_row, rewrites, "times it was truncated after a write"),
	FIELD_NUMBER(io_row, errors, "calls on it that failed"),
	FIELD_NUMBER(io_row, total_ns, "time in these calls", .unit = SOOTH_UNIT_NS,
		.label = "TOTAL", FIELD_STATE_AT(io_row, times_state)),
	FIELD_NUMBER(io_row, mean_ns, "mean time of a call", .unit = SOOTH_UNIT_NS, .label = "MEAN",
		FIELD_STATE_AT(io_row, times_state)),
	FIELD_NUMBER(io_row, max_ns, "longest call", .unit = SOOTH_UNIT_NS, .label = "MAX",
		FIELD_STATE_AT(io_row, times_state)),
};
OPERATION_SCHEMAS(io, io_row);

static const struct sooth_field network_fields[] = {
	PROCESS_FIELDS(network_row, process_state),
	FIELD_STRING(network_row, connection, "protocol and both ends", .may_shrink = true),
	FIELD_STRING(network_row, label, "service the peer is known as",
		FIELD_STATE_AT(network_row, label_state)),
	FIELD_NUMBER(
		network_row, sent_bytes, "bytes sent", .unit = SOOTH_UNIT_BYTES, .label = "SENT"),
	FIELD_NUMBER(network_row, received_bytes, "bytes received", .unit = SOOTH_UNIT_BYTES,
		.label = "RECEIVED"),
	FIELD_NUMBER(network_row, sends, "calls that sent"),
	FIELD_NUMBER(network_row, receives, "calls that received"),
	FIELD_NUMBER(network_row, connects, "connects, failed ones included"),
	FIELD_NUMBER(
		network_row, errors, "failed calls without EAGAIN, and errors read by SO_ERROR"),
	FIELD_NUMBER(network_row, total_ns, "time in these calls, waiting included",
		.unit = SOOTH_UNIT_NS, .label = "TOTAL", FIELD_STATE_AT(network_row, times_state)),
	FIELD_NUMBER(network_row, mean_ns, "mean time of a call", .unit = SOOTH_UNIT_NS,
		.label = "MEAN", FIELD_STATE_AT(network_row, times_state)),
	FIELD_NUMBER(network_row, max_ns, "longest call", .unit = SOOTH_UNIT_NS, .label = "MAX",
		FIELD_STATE_AT(network_row, times_state)),
};
OPERATION_SCHEMAS(network, network_row);

static const struct sooth_field lineage_fields[] = {
	FIELD_PID(lineage_row),
	FIELD_NUMBER(lineage_row, parent, "process id of the parent",
		FIELD_STATE_AT(lineage_row, parent_state)),
	FIELD_STRING(lineage_row, name, "its last name"),
	FIELD_STRING(lineage_row, end, "how it ended", FIELD_STATE_AT(lineage_row, end_state)),
	FIELD_NUMBER_AS(lineage_row, lived_ns, lifetime_ns,
		"from its start, or the start of the run, to its end", .unit = SOOTH_UNIT_NS,
		.label = "LIVED", FIELD_STATE_AT(lineage_row, lived_state)),
	{ .name = "wait_status",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(lineage_row, status),
		FIELD_STATE_AT(lineage_row, end_state),
		.is_hidden = true,
		.help = "wait status; wait(2)" },
	{ .name = "command",
		.type = SOOTH_FIELD_ARGS,
		FIELD_AT(lineage_row, command),
		FIELD_STATE_AT(lineage_row, command_state),
		.help = "its command line when it was last read" },
};
const struct sooth_schema lineage_schema =
	SCHEMA_FROM("operation.lineage", lineage_row, lineage_fields, 0);

static const struct sooth_field memory_fields[] = {
	PROCESS_FIELDS(memory_row, process_state),
	FIELD_STRING(memory_row, operation, "operation"),
	FIELD_NUMBER(memory_row, calls, "calls"),
	FIELD_NUMBER(memory_row, errors, "failures"),
	FIELD_NUMBER(memory_row, bytes,
		"address space, of the calls that worked; of brk the way from one to the next",
		.unit = SOOTH_UNIT_BYTES, .label = "SIZE", FIELD_STATE_AT(memory_row, bytes_state)),
	FIELD_NUMBER(memory_row, total_ns, "time in these calls", .unit = SOOTH_UNIT_NS,
		.label = "TOTAL", FIELD_STATE_AT(memory_row, times_state)),
	FIELD_NUMBER(memory_row, max_ns, "longest call", .unit = SOOTH_UNIT_NS, .label = "MAX",
		FIELD_STATE_AT(memory_row, times_state)),
};
OPERATION_SCHEMAS(memory, memory_row);
