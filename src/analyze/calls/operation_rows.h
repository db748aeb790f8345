/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the view "operations". */
#ifndef SOOTH_ANALYZE_OPERATION_ROWS_H
#define SOOTH_ANALYZE_OPERATION_ROWS_H

#include "model/field.h"

struct io_row {
	struct sooth_record record;
	uint64_t read_bytes, written_bytes;
	uint64_t reads, writes, opens, rewrites, errors;
	uint64_t total_ns, mean_ns, max_ns;
	uint8_t times_state, process_state;
	uint8_t unused[6];
	struct sooth_text path, kind, process;
};

struct network_row {
	struct sooth_record record;
	uint64_t sent_bytes, received_bytes;
	uint64_t sends, receives, connects, errors;
	uint64_t total_ns, mean_ns, max_ns;
	uint8_t times_state, label_state, process_state;
	uint8_t unused[5];
	struct sooth_text connection, label, process;
};

struct lineage_row {
	struct sooth_record record; /* the process */
	uint64_t lived_ns;
	uint32_t parent, status;
	uint8_t parent_state, lived_state, end_state, command_state;
	uint8_t unused[4];
	struct sooth_text name, command, end;
};

struct memory_row {
	struct sooth_record record;
	uint64_t calls, errors, bytes, total_ns, max_ns;
	uint8_t process_state, bytes_state, times_state;
	uint8_t unused[5];
	struct sooth_text operation, process;
};

extern const struct sooth_schema io_schema, network_schema, lineage_schema, memory_schema;
/* Of each process by itself. */
extern const struct sooth_schema io_process_schema, network_process_schema, memory_process_schema;

#endif
