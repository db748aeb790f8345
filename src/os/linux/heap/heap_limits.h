/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits of the report: allocations that probes on allocators do not see. */
#pragma once

#include "os/linux/heap/heap_attach.h"

/* Emits a limit for processes in which no allocator is found. `path` is the path of their program;
 * "": not known. */
void heap_limits_emit_opaque(struct backend_run *run, const char *path, uint32_t programs);
/* Emits all other limits, at the end. is_blind: no allocator was found in the command. */
void heap_limits_emit(struct backend_run *run, struct heap_attach *attach, bool is_blind);
/* Emits a limit for the number of samples in processes whose returns were not probed yet. */
void heap_limits_emit_unfollowed(struct backend_run *run, uint64_t samples);
