/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the rows of operations. */
#include "analyze/calls/operation_rows.h"

#include "analyze/calls/process_fields.h"

/* Defines one schema for each process by itself, and one for all processes together. */
#define OPERATION_SCHEMAS(id_, LIST, struct_)                                                      \
	ROW_SCHEMA(id_##_process, LIST, "operation." #id_, struct_);                               \
	const struct sooth_schema id_##_schema =                                                   \
		ROW_SCHEMA_OF(LIST, "operation." #id_, struct_, PROCESS_FIELD_COUNT)

OPERATION_SCHEMAS(io, IO_ROW, io_row);
OPERATION_SCHEMAS(network, NETWORK_ROW, network_row);
ROW_SCHEMA(lineage, LINEAGE_ROW, "operation.lineage", lineage_row);

OPERATION_SCHEMAS(memory, MEMORY_ROW, memory_row);
