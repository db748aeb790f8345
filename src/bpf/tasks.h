/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the program that lists processes and its loader. */
#pragma once

#include "probes/proc.h"

#define TASKS_NAME_SIZE 16

/* The file that a process runs. Together these members distinguish files, and detect that a file
 * was renamed or written. Inode 0: the process has no file. */
struct tasks_file {
	uint64_t entry, mount; /* addresses in the kernel: never shown outside sooth */
	uint64_t inode;
	uint64_t size_bytes;
	uint64_t changed_s;
	uint32_t changed_ns;
	uint32_t device;
	uint32_t mode;
	uint32_t links;
};

/* A process in the values of the kernel, which user space interprets. */
struct tasks_seen {
	uint64_t start_ns; /* after boot */
	uint64_t cpu_ns;   /* CPU time of exited threads and of the first thread */
	uint64_t code_from, code_to;
	uint64_t environment_from, environment_to;
	uint64_t vsz_pages;
	uint64_t term_handler; /* handler of SIGTERM: SIG_DFL, SIG_IGN or an address in the process
				*/
	int64_t rss_pages[3]; /* pages of files, anonymous and shared; briefly below the true values
			       */
	struct tasks_file file;
	uint32_t pid, ppid, process_group, session;
	uint32_t flags; /* PF_* */
	uint32_t state, exit_state;
	uint32_t threads;
	uint32_t uid; /* effective */
	uint32_t terminal_major, terminal_minor, terminal_group;
	uint32_t input_mode;  /* file mode of descriptor 0, only for detached processes; 0: no
				 descriptor 0 */
	uint32_t input_magic; /* magic number of the file system, if descriptor 0 is a pipe */
	uint8_t is_changing;  /* threads exited while their times were read */
	uint8_t parent_reaps; /* the parent adopts the children of other processes */
	uint8_t is_left;      /* the parent has ended, by the evidence of groups and sessions */
	uint8_t unused[5];
	char name[TASKS_NAME_SIZE];
};

_Static_assert(sizeof(struct tasks_seen) == 224, "the same for both sides");
