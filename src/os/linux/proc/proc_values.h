/* SPDX-License-Identifier: BSD-2-Clause */
/* Values that every backend of the probe proc reads of every process at low cost: procfs from
 * /proc/PID/stat, an iterator from the kernel itself. proc_reader.h reads the rest, for both. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/process_id.h"

/* PF_KTHREAD of linux/sched.h, which no user-space header has; in stat since 2.6.27. */
#define PROC_IS_KERNEL_THREAD 0x00200000

/* Kernel threads have names of up to 63 bytes (fs/proc/array.c, proc_task_name()). */
#define PROC_NAME_MAX 63

/* Whether the parent of a process is one to which ended processes leave their children: only such a
 * parent can have a child that was started by another process. */
enum proc_parent {
	PROC_PARENT_UNKNOWN, /* procfs does not have it */
	PROC_PARENT_REAPER,
	PROC_PARENT_OTHER,
};

/* Whether the standard input of a process is a pipe without a name, or a socket. */
enum proc_stdin {
	PROC_STDIN_UNKNOWN, /* not read yet */
	PROC_STDIN_OPEN,
	PROC_STDIN_OTHER,
};

struct proc_values {
	struct process_id id;
	uint64_t time_ns; /* time of reading */
	uint64_t cpu_ns;
	uint64_t rss_bytes;
	uint64_t vsz_bytes;
	/* Addresses of the environment; both 0: unknown. They change at an exec. */
	uint64_t environment_from, environment_to;
	uint64_t code_from, code_to; /* the same for the program */
	/* The same for processes whose executable is one file by one path; 0: not known. */
	uint64_t executable_key;
	uint32_t ppid;
	uint32_t process_group;
	uint32_t session;
	uint32_t terminal; /* device number in the form of stat(5), PROC_NO_TERMINAL */
	uint32_t flags;	   /* PF_* */
	uint32_t threads;
	uint32_t uid;	 /* effective */
	uint32_t living; /* 0, or if only the first thread has ended: a living thread */
	char state;
	bool is_foreground;
	bool cpu_is_ticks;
	uint8_t parent; /* enum proc_parent */
	uint8_t input;	/* enum proc_stdin */
	uint8_t term;	/* enum proc_term */
	uint8_t name_size;
	char name[PROC_NAME_MAX];
};
