/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What repeated samples need not read each time: identity, program, working directory. It is read
 * again once in a while, after an exec, when parent or name change, and, if it depends on other
 * processes, also as soon as one of them has ended. Values and states are always those of the
 * sample.
 */
#ifndef SOOTH_OS_LINUX_PROC_REFRESH_H
#define SOOTH_OS_LINUX_PROC_REFRESH_H

#include "base/map.h"
#include "collect/backend.h"
#include "os/linux/proc/proc_selection.h"

#define PROC_REFRESH_NS (10 * (uint64_t)1000000000) /* no reported data is older */

struct proc_refresh {
	struct map known; /* process_id -> struct refresh_known */
	bool is_on;	  /* samples are repeated */
	uint64_t now_ns;
	uint32_t sample;
};

void proc_refresh_init(struct proc_refresh *r);
void proc_refresh_fini(struct proc_refresh *r);
void proc_refresh_begin(struct proc_refresh *r, const struct backend_run *run, bool is_on);
/* Restores the agent and role found before; false: they have to be determined. The token is set. */
bool proc_refresh_recall(struct proc_refresh *r, struct proc_entry *e);
/* When the close processes are known: whether one of them has ended since the last sample. */
bool proc_refresh_has_ended(struct proc_refresh *r);
/* Whether the kept data is still valid. */
bool proc_refresh_is_fresh(struct proc_refresh *r, const struct proc_entry *e, bool has_ended);
/* Writes the kept record, with the values of this sample. */
void proc_refresh_write(
	const struct proc_refresh *r, struct backend_run *run, const struct proc_entry *e);
/* Keeps the record that was written. has_input: its data depends on other processes too. */
void proc_refresh_keep(struct proc_refresh *r, const struct proc_entry *e, const void *record,
	size_t size, bool has_input);

#endif
