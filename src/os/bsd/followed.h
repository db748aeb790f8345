/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the records of processes that a tracer follows by their events. */
#pragma once

#include "collect/backend.h"

/* Writes the join of a process. `name` ends with NUL, or is as long as the member of the record. */
void bsd_write_join(struct backend_run *run, const struct process_id *id,
	const struct process_id *parent, const char *name, uint64_t time_ns);
void bsd_write_exec(
	struct backend_run *run, const struct process_id *id, const char *name, uint64_t time_ns);
/* Writes the end of a process. `status` as from wait(2), in the system's numbers; NULL: unknown. */
void bsd_write_leave(struct backend_run *run, const struct process_id *id, const char *name,
	uint64_t time_ns, const uint32_t *status);
