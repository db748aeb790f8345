/* SPDX-License-Identifier: BSD-2-Clause */
/* The row of one process, from its records and verdicts. */
#ifndef SOOTH_ANALYZE_PROCESS_EMIT_H
#define SOOTH_ANALYZE_PROCESS_EMIT_H

#include "analyze/processes/process_list.h"
#include "base/cursor.h"

#define CONTAINER_SIZE 80 /* runtime, and the name or the shortened id */

/* Writes the container of a control group: "docker 0123456789ab"; false: no known container. */
bool container_of_group(struct span control_group, char out[CONTAINER_SIZE]);

#define FLAGS_SIZE 96

/* Appends a struct process_row with its texts. */
void process_emit(const struct host_state *h, struct listed *l, struct buffer *rows);
/* Writes the flags of a process: "ORPHANED OUTDATED"; "": none. Flags of the activity are there
 * only if the row has the activity. */
const char *process_flags(const struct listed *l, char out[FLAGS_SIZE]);

#endif
