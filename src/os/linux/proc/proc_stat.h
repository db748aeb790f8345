/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The values of one process from /proc/PID/stat. CPU time comes from the process's CPU clock
 * (clock_getcpuclockid(3)), which counts nanoseconds where the file counts hundredths of a second.
 */
#pragma once

#include "os/linux/proc/proc_values.h"
#include "os/linux/files/process_snapshot.h"

struct proc_stat_reader {
	uint64_t page_bytes;
	uint64_t ticks_per_s;
	struct buffer stat; /* scratch, kept for its memory */
};

void proc_stat_init(struct proc_stat_reader *r);
void proc_stat_fini(struct proc_stat_reader *r);
/* Reads the values of a process, as process_snapshot_open() does. The caller closes the snapshot,
 * even after an error. */
int proc_stat_read(struct proc_stat_reader *r, const struct backend_run *run, pid_t pid,
	const struct process_id *expected, struct process_snapshot *snapshot,
	struct proc_values *values);
/* Sets the CPU time of all threads, including ended ones. False: the process is gone. */
bool proc_stat_cpu_clock(pid_t pid, uint64_t *cpu_ns);
