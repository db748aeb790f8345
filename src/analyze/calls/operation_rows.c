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

ROW_FIELDS(io_fields, IO_ROW, io_row);
OPERATION_SCHEMAS(io, io_row);

ROW_FIELDS(network_fields, NETWORK_ROW, network_row);
OPERATION_SCHEMAS(network, network_row);

ROW_FIELDS(lineage_fields, LINEAGE_ROW, lineage_row);
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
