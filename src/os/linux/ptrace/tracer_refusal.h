/* SPDX-License-Identifier: BSD-2-Clause */
/* Why the kernel does not let sooth trace a process, and what helps. */
#pragma once

#include "base/error.h"
#include "collect/backend.h"
#include "model/process_id.h"

/* Fills the error of a failed tracer_seize(), and returns `status`. */
int tracer_refuse(const struct process_id *process, int status, struct sooth_error *err);
/* Refuses a process that may have to read sooth's output: with --lossless both would wait. */
int tracer_refuse_reader(const struct process_id *process, struct sooth_error *err);

extern const struct need need_ptrace;
