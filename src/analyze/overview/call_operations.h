/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single calls that read, write, open or communicate: the slowest of each process, with the file or
 * connection of their descriptor. Descriptors come from the last snapshot: a descriptor that was
 * closed before is missing, and one that was reused shows the newer file.
 */
#ifndef SOOTH_ANALYZE_CALL_OPERATIONS_H
#define SOOTH_ANALYZE_CALL_OPERATIONS_H

#include "analyze/diagnosis/diagnosis_input.h"
#include "base/map.h"
#include "explain/output.h"

#define CALL_OPERATIONS_KEPT 2000 /* per process and kind */

enum call_operation_kind { CALL_OPERATION_IO, CALL_OPERATION_NETWORK, CALL_OPERATION_KINDS };

struct call_operations {
	struct map lists; /* pid -> struct operation_list */
};

struct call_operation_row {
	struct sooth_record record; /* pid, tid */
	double latency_us;
	int64_t bytes;
	int32_t fd;
	uint32_t error;
	uint32_t port;
	uint8_t fd_state, path_state, bytes_state, address_state, port_state, error_state;
	uint8_t unused[6];
	struct sooth_text syscall, path, address;
};

extern const struct sooth_schema io_operation_schema, network_operation_schema;

void call_operations_init(struct call_operations *o);
void call_operations_fini(struct call_operations *o);
/* Records of other probes are ignored. */
void call_operations_take(struct call_operations *o, const struct sooth_record *r);
/* Reports that a process made more calls than are kept, of which `count` says how many. */
void call_operations_note(struct output *output, uint64_t count);
/*
 * struct call_operation_row of a process, the slowest first, at most CALL_OPERATIONS_KEPT of the
 * kind. Returns the number of calls of its category.
 */
uint64_t call_operations_list(const struct call_operations *o, const struct diagnosis_input *input,
	const struct process_id *id, enum call_operation_kind kind, struct buffer *out);

#endif
