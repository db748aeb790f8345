/* SPDX-License-Identifier: BSD-2-Clause */
/* The row of one process, from its records and verdicts. */
#pragma once

#include "analyze/process_table/container.h"
#include "analyze/processes/process_list.h"
#include "base/cursor.h"

#define FLAGS_SIZE 96

/* Appends a struct process_row with its texts. */
void process_emit(const struct host_state *h, struct listed *l, struct buffer *rows);
/* Writes the flags of a process: "ORPHANED OUTDATED"; "": none. Flags of the activity are there
 * only if the row has the activity. */
const char *process_flags(const struct listed *l, char out[FLAGS_SIZE]);
