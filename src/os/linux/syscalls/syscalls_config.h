/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts that the backends of system calls share. */
#pragma once

#include "base/error.h"
#include "bpf/syscalls.h"
#include "collect/backend.h"

/* Sets which calls are recorded, and which of their arguments are read. The config is zeroed. */
int syscalls_config_set(struct syscalls_config *config, const struct probe_options *options,
	struct sooth_error *err);
/* Checks that the target makes calls: a report only about a kernel thread would wait forever. */
int syscalls_target_check(
	const struct backend_run *run, const struct process_id *process, struct sooth_error *err);
/* Reports threads whose activity was not seen. */
void syscalls_target_silent(struct backend_run *run, uint64_t threads);
