/* SPDX-License-Identifier: BSD-2-Clause */
/* How a process has ended, as /proc and a descriptor of it still tell. */
#ifndef SOOTH_OS_LINUX_EXIT_REASONS_STATUS_H
#define SOOTH_OS_LINUX_EXIT_REASONS_STATUS_H

#include "core/backend.h"
#include "probes/exit_reasons.h"

/*
 * False: it goes on. `descriptor` is a pidfd that was opened while it lived, -1: none; with one
 * the status is known after it was waited for, too (Linux 6.15). What only watching tells is not
 * measured in it.
 */
bool exit_reasons_status_look(const struct backend_run *run, const struct process_id *process,
	int descriptor, struct exit_reasons_end *end);

#endif
