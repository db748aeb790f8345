/* SPDX-License-Identifier: BSD-2-Clause */
/* The common part of both backends of the signals probe: masks and queues from procfs, and, if a
 * backend has the handlers, the file and function of each. */
#pragma once

#include "os/linux/bpf/members.h"
#include "os/linux/files/timeout.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/task_files.h"
#include "probes/signals.h"

struct signals_place {
	uint64_t address, flags, blocked;
	uint32_t signal;
};

/* Fills in the handlers of a process; returns their state. */
typedef uint8_t (*signals_handlers)(struct backend_run *run, const struct process_id *process,
	struct signals_place places[SIGNALS_MAX], size_t *count);

/* The first member of a backend's state. */
struct signals_reader {
	struct members members;
	struct timeout timeout;
	struct buffer tids, bytes, maps;
	signals_handlers handlers; /* NULL: handlers are not available */
	uint8_t handlers_state;	   /* why they are not available */
};

int signals_reader_open(struct backend_run *run, struct sooth_error *err);
int signals_reader_sample(struct backend_run *run, struct sooth_error *err);
void signals_reader_joined(struct backend_run *run, const struct process_id *process);
void signals_reader_close(struct backend_run *run);
