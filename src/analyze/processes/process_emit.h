/* SPDX-License-Identifier: BSD-2-Clause */
/* The row of one process, from its records and verdicts. */
#ifndef SOOTH_ANALYZE_PROCESS_EMIT_H
#define SOOTH_ANALYZE_PROCESS_EMIT_H

#include "analyze/processes/process_list.h"

#define FLAGS_SIZE 96

/* Appends a struct process_row with its texts. */
void process_emit(const struct host_state *h, const struct listed *l, struct buffer *rows);
/* "ORPHANED OUTDATED"; "": none. */
const char *process_flags(const struct listed *l, char out[FLAGS_SIZE]);

#endif
