/* SPDX-License-Identifier: BSD-2-Clause */
/* How a process has ended, as /proc and a descriptor of it still tell. */
#ifndef SOOTH_OS_LINUX_ENDS_STATUS_H
#define SOOTH_OS_LINUX_ENDS_STATUS_H

#include "core/backend.h"
#include "probes/ends.h"

/*
 * False: it goes on. `descriptor` is a pidfd that was opened while it lived, -1: none; with one
 * the status is known after it was waited for, too (Linux 6.15). What only watching tells is not
 * measured in it.
 */
bool ends_status_look(const struct backend_run *run, const struct process_id *process,
	int descriptor, struct ends_end *end);

#endif
