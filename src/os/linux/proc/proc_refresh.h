/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What samples again and again need not read again each time: whom a process is, what it runs,
 * where it works. It is read anew once in a while, after an exec, when it has another parent or
 * name, and what depends on others also as soon as one of them has ended. Figures and states are
 * those of the sample always.
 */
#ifndef SOOTH_OS_LINUX_PROC_REFRESH_H
#define SOOTH_OS_LINUX_PROC_REFRESH_H

#include "base/map.h"
#include "core/backend.h"
#include "os/linux/proc/proc_selection.h"

#define PROC_REFRESH_NS (10 * (uint64_t)1000000000) /* nothing told is older */

struct proc_refresh {
	struct map known; /* process_id -> struct refresh_known */
	bool is_on;	  /* samples come again and again */
	uint64_t now_ns;
	uint32_t sample;
};

void proc_refresh_init(struct proc_refresh *r);
void proc_refresh_fini(struct proc_refresh *r);
void proc_refresh_begin(struct proc_refresh *r, const struct backend_run *run, bool is_on);
/* Who it was found to be; false: it has to be found out. Its token is set. */
bool proc_refresh_recall(struct proc_refresh *r, struct proc_entry *e);
/* When it is known who is close: whether one of them has ended since the last sample. */
bool proc_refresh_has_ended(struct proc_refresh *r);
/* Whether what is kept of it will do. */
bool proc_refresh_is_fresh(struct proc_refresh *r, const struct proc_entry *e, bool has_ended);
/* Writes what is kept, with the figures of this sample. */
void proc_refresh_write(
	const struct proc_refresh *r, struct backend_run *run, const struct proc_entry *e);
/* Keeps the record that was written. has_input: what is told of it depends on others too. */
void proc_refresh_keep(struct proc_refresh *r, const struct proc_entry *e, const void *record,
	size_t size, bool has_input);

#endif
