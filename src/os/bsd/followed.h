/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of processes that are followed by their events, whichever tracer has these. */
#ifndef SOOTH_OS_BSD_FOLLOWED_H
#define SOOTH_OS_BSD_FOLLOWED_H

#include "collect/backend.h"

/* `name` ends with NUL, or is as long as the record's. */
void bsd_write_join(struct backend_run *run, const struct process_id *id,
	const struct process_id *parent, const char *name, uint64_t time_ns);
void bsd_write_exec(
	struct backend_run *run, const struct process_id *id, const char *name, uint64_t time_ns);
/* `status` as of wait(2) in the system's numbers; NULL: it is not known. */
void bsd_write_leave(struct backend_run *run, const struct process_id *id, const char *name,
	uint64_t time_ns, const uint32_t *status);

#endif
