/* SPDX-License-Identifier: BSD-2-Clause */
/* The time that each backend of the probe proc needs to list processes, to choose the cheapest for
 * a number of processes. Measured by bench/scan. */
#pragma once

#include "collect/backend.h"

uint64_t proc_cost_procfs(const struct probe_options *options);
uint64_t proc_cost_bpf(const struct probe_options *options);

/* Returns the approximate time of one sample of that many processes, in ns. */
uint64_t proc_cost_of_procfs(const struct probe_options *options, uint64_t processes);
uint64_t proc_cost_of_bpf(const struct probe_options *options, uint64_t processes);
