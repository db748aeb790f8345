/* SPDX-License-Identifier: BSD-2-Clause */
/* How a process ended, from /proc and a pidfd. */
#ifndef SOOTH_OS_LINUX_EXIT_REASONS_STATUS_H
#define SOOTH_OS_LINUX_EXIT_REASONS_STATUS_H

#include "collect/backend.h"
#include "probes/exit_reasons.h"

/*
 * False: it is still running. `descriptor` is a pidfd that was opened while it lived, -1: none;
 * with one the status is known even after it was waited for (Linux 6.15). Values that need
 * watching are marked as not measured.
 */
bool exit_reasons_status_read(const struct backend_run *run, const struct process_id *process,
	int descriptor, struct exit_reasons_end *end);

#endif
