/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading what a walk over tasks in the kernel (bpf/tasks.h) has written. */
#ifndef SOOTH_OS_LINUX_PROC_TASKS_H
#define SOOTH_OS_LINUX_PROC_TASKS_H

#include "base/cursor.h"
#include "os/linux/proc/proc_values.h"

#define PROC_TASKS_BEGUN_MAX 256

struct proc_tasks {
	struct cursor cursor; /* of the piece at hand */
	/* What the piece before ended with, which is less than one process. */
	unsigned char begun[PROC_TASKS_BEGUN_MAX];
	size_t begun_size;
	uint64_t time_ns; /* when they were seen */
	uint64_t page_bytes;
	uint64_t tick_ns;
};

/* What the figures do not have. */
struct proc_task {
	struct proc_values figures;
	bool needs_clock; /* its CPU time is not all, or still running */
	bool is_worker;	  /* a kernel thread whose name tells what it works on */
};

/* Set what is read next; what the piece before had is gone through by then. */
void proc_tasks_piece(struct proc_tasks *t, const void *data, size_t size);
/* The next one; false: there is no whole one more. */
bool proc_tasks_next(struct proc_tasks *t, struct proc_task *out);

#endif
