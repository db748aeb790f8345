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

ROW_FIELDS(memory_fields, MEMORY_ROW, memory_row);
OPERATION_SCHEMAS(memory, memory_row);
