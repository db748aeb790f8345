/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is left of processes that have ended: their cores, and what the kernel's log says. Told
 * once, when the observation stops, also of those that ended long before it.
 *
 * Cannot be seen: cores of processes in another mount namespace or root; the log where only root
 * may read it.
 */
#ifndef SOOTH_OS_LINUX_ENDS_LEFT_H
#define SOOTH_OS_LINUX_ENDS_LEFT_H

#include "base/map.h"
#include "core/backend.h"
#include "probes/ends.h"

struct ends_left {
	struct map places;     /* process_id -> struct buffer: its directory, NUL-terminated */
	struct buffer dumped;  /* struct process_id, of those that left a core */
	struct buffer pattern; /* core_pattern; empty: not known */
	bool uses_pid;
	uint8_t pattern_state;
	int64_t since_s; /* older files are no cores of ours */
};

void ends_left_init(struct ends_left *l);
void ends_left_fini(struct ends_left *l);
/* Where it stands: a core would be written there. To be said again now and then. */
void ends_left_place(struct ends_left *l, const struct process_id *process);
/* Its end. */
void ends_left_note(struct ends_left *l, const struct ends_end *end);
/* Writes ENDS_CORE, ENDS_LOG, ENDS_HOST. */
void ends_left_tell(struct ends_left *l, struct backend_run *run);

#endif
