/* SPDX-License-Identifier: BSD-2-Clause */
/* What listing processes takes by each backend of the probe proc, so that the cheaper one for
 * the size at hand is chosen. Figures of bench/scan. */
#ifndef SOOTH_OS_LINUX_PROC_COST_H
#define SOOTH_OS_LINUX_PROC_COST_H

#include "core/backend.h"

uint64_t proc_cost_procfs(
	const struct os *os, const struct probe_options *options, const struct buffer *processes);
uint64_t proc_cost_bpf(
	const struct os *os, const struct probe_options *options, const struct buffer *processes);

/* The same for so many processes. */
uint64_t proc_cost_of_procfs(const struct probe_options *options, uint64_t processes);
uint64_t proc_cost_of_bpf(const struct probe_options *options, uint64_t processes);

#endif
