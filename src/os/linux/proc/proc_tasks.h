/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the output of an iteration over tasks in the kernel (bpf/tasks.h). */
#pragma once

#include "base/cursor.h"
#include "os/linux/proc/proc_values.h"

#define PROC_TASKS_REST_MAX 256

struct proc_tasks {
	struct cursor cursor; /* of the current piece */
	/* The end of the previous piece: a part of one process. */
	unsigned char rest[PROC_TASKS_REST_MAX];
	size_t rest_size;
	uint64_t time_ns; /* time of the iteration */
	uint64_t page_bytes;
	uint64_t tick_ns;
};

/* Data that struct proc_values does not have. */
struct proc_task {
	struct proc_values values;
	bool needs_clock; /* its CPU time here is incomplete, or still grows */
	bool is_worker;	  /* a kernel worker, whose name has its current work */
};

/* Sets the next piece to read; the previous piece must be finished. */
void proc_tasks_piece(struct proc_tasks *t, const void *data, size_t size);
/* Reads the next process; false: no complete one is left. */
bool proc_tasks_next(struct proc_tasks *t, struct proc_task *out);
