/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsers for the files of a thread in /proc/PID/task/TID: proc_pid_stat(5), _syscall(5),
 * _status(5). */
#pragma once

#include "base/cursor.h"
#include "os/linux/files/procfs.h"

/* stat: the values of a thread, not of its process. */
struct task_stat {
	struct procfs_stat shared;
	uint64_t faults; /* minor and major */
	uint64_t major_faults;
	uint64_t system_ticks; /* part of shared.cpu_ticks */
	int32_t nice;
	uint32_t processor, realtime_priority, policy;
};

/* Parses stat; false: the bytes are no such file. */
bool task_stat_parse(struct task_stat *stat, const void *data, size_t size);

/* Returns whether the process of a file /proc/PID/stat is stopped. It gets no memory, for a child
 * of a program with threads. */
bool task_is_stopped(const char *stat);

/* Returns the letter of the state in stat, from the numbers of the kernel's task. */
char task_state_letter(uint32_t state, uint32_t exit_state);

/* Parses schedstat: nanoseconds on a CPU and waiting for a CPU. */
bool task_schedstat_parse(uint64_t *cpu_ns, uint64_t *waited_ns, const void *data, size_t size);

struct task_call {
	bool is_running; /* the thread runs: the other members are unset */
	bool has_call;	 /* false: the thread waits outside of a call */
	uint32_t number; /* number as the kernel has it, with the bit of x32 */
	uint64_t arguments[6];
	uint64_t stack_pointer, program_counter; /* 0: the thread has no user memory */
};

bool task_call_parse(struct task_call *call, const void *data, size_t size);

/* io: bytes moved by read, write and similar calls, the number of these calls, and bytes moved from
 * and to storage (what is written to a page and removed before it gets there counts). */
struct task_io {
	uint64_t read_bytes, written_bytes, reads, writes;
	uint64_t disk_read_bytes, disk_written_bytes;
};

bool task_io_parse(struct task_io *io, const void *data, size_t size);

/* status: masks have bit n-1 for signal n. */
struct task_signals {
	uint64_t pending, shared_pending, blocked, ignored, caught;
	uint64_t queued, queued_max; /* queued signals of the user, and their limit */
};

bool task_signals_parse(struct task_signals *signals, const void *data, size_t size);

/* Finds the value of a line "name:\tvalue"; false: there is none. `name` has its colon. */
bool task_status_find(struct span *value, const char *name, const void *data, size_t size);
/* The same, if the value is a number. */
bool task_status_number(uint64_t *number, const char *name, const void *data, size_t size);
/* Returns the number of seccomp filters; UINT_MAX: unknown, as before Linux 5.9, or the strict
 * mode. */
unsigned task_status_filters(const void *data, size_t size);
/* Sets the PID that the process has for itself: the last number of NSpid is the innermost. Returns
 * how many PID namespaces number it: 1, only that of /proc. 0: not known; the line is missing
 * before Linux 4.1. */
unsigned task_status_inner_pid(uint32_t *pid, const void *data, size_t size);

/* Parses auxv: whether the program is a 32-bit one, by the width of its entries. False: unknown. */
bool task_auxv_parse(bool *is_32_bit, const void *data, size_t size);
