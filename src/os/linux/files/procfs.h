/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading /proc. A process is opened once, as a directory, and everything is read through that: if
 * the pid is reused meanwhile, the reads fail with ESRCH instead of mixing two processes.
 */
#pragma once

#include <sys/types.h>

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/error.h"
#include "model/process_id.h"
#include <sooth/field.h>

#define PROCFS_SMALL	 (64u << 10)  /* stat, status, cgroup */
#define PROCFS_STAT	 4096	      /* 52 numbers and a name */
#define PROCFS_ARGUMENTS (256u << 10) /* command lines can be 6 MB; longer ones are cut */
#define PROCFS_MAPS	 (32u << 20)
#define PROCFS_COUNT_MAX 1000000 /* descriptors of a process */

#define USER_NAMESPACE_INITIAL 0xeffffffdu /* PROC_USER_INIT_INO, include/linux/proc_ns.h */

struct procfs_stat {
	struct span name; /* comm, borrowed from the bytes parsed */
	char state;
	uint32_t living; /* 0, or if only the first thread has ended: a living thread */
	uint32_t pid, ppid, process_group, session, terminal;
	uint32_t terminal_group; /* the foreground process group of its terminal */
	uint32_t threads;
	uint32_t flags; /* PF_* of linux/sched.h */
	uint64_t cpu_ticks;
	uint64_t waited_ticks; /* of children that it has waited for */
	uint64_t start_ticks;
	uint64_t vsz_bytes;
	uint64_t rss_pages;
	uint64_t ignored, caught; /* signals 1 to 31, bit by bit from 0 */
	/* Addresses of its code and its environment; 0: hidden from readers without permission. */
	uint64_t code_from, code_to;
	uint64_t environment_from, environment_to;
};

/* Parses /proc/PID/stat. Returns false if the bytes are no such file. */
bool procfs_parse_stat(struct procfs_stat *stat, const void *data, size_t size);
/* Parses the last field of /proc/PID/stat, in the form of wait(2): also 0 for readers that may not
 * trace the process. */
bool procfs_parse_exit_code(uint32_t *status, const void *data, size_t size);

int procfs_open(pid_t pid); /* descriptor of /proc/PID, or a negative errno */
/* If the first thread has ended, which then has no memory or files, opens a living thread's folder
 * instead. */
void procfs_open_living(int *process, const struct procfs_stat *stat);
/* The id of the process, or if its first thread has ended, of a living thread: that has the memory,
 * the mappings and the descriptors of the process, but an identity of its own. */
pid_t procfs_living(pid_t pid);
/* Opens /proc/PID with O_PATH, below an open /proc; -1 and errno on failure. */
int procfs_open_place(int proc, pid_t pid);
/* The file replaces the buffer's contents; 0, 1 when it was cut at the limit, or a negative errno.
 */
int procfs_read_at(int process, const char *name, struct buffer *out, size_t limit);
int procfs_read(pid_t pid, const char *name, struct buffer *out, size_t limit);
/* Returns whether the process is in sooth's own namespace: "ns/pid", "ns/mnt" ...; false also if
 * that cannot be read. */
bool procfs_shares_namespace(int process, const char *name);
int procfs_link_at(int process, const char *name, struct buffer *out);
/* /proc/PID/stat; the name is borrowed from the buffer. 0 or a negative errno. */
int procfs_stat_at(int process, struct procfs_stat *stat, struct buffer *bytes);
int procfs_identify_at(int process, struct process_id *id);
int procfs_identify(pid_t pid, struct process_id *process);
/* Returns whether all threads of the process are zombies or dead. */
bool procfs_has_ended(const struct procfs_stat *stat);
/* Returns the number in the link of a descriptor: "pipe:[4711]", "socket:[4711]"; kind: "pipe:[".
 */
bool procfs_link_inode(struct span link, const char *kind, uint64_t *inode);
/* Returns a field's state after procfs_read_at() or procfs_link_at() returned that status. */
uint8_t procfs_state(int status);
/* The number of entries in a directory such as "fd": 0, 1 when there are more, or a negative
 * errno. */
int procfs_count(int process, const char *name, uint64_t *count);
/* Appends the pid_t of each child: each thread has those that it made. */
void procfs_children(pid_t pid, struct buffer *pids);
/* Appends the pid_t of every process there is. */
int procfs_list(struct buffer *pids);
