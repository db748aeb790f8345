/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One reading of one process by a backend that samples: it is opened once, named
 * by what it is then, and the records of the reading bear that name.
 */
#ifndef SOOTH_OS_LINUX_PROCESS_SNAPSHOT_H
#define SOOTH_OS_LINUX_PROCESS_SNAPSHOT_H

#include <sys/types.h>

#include "core/backend.h"
#include "os/linux/files/procfs.h"

struct process_snapshot {
	int process; /* descriptor of /proc/PID, negative: none */
	uid_t uid;   /* effective: the directory's owner (fs/proc/base.c) */
	struct process_id id;
};

/*
 * 0 when it is open. A negative errno when it cannot be read (-ESRCH: it has ended)
 * and `id` says who it would have been. 1: it is none of the target, tell nothing.
 */
int process_snapshot_open(struct process_snapshot *r, const struct backend_run *run, pid_t pid,
	const struct process_id *expected);
/* And what its stat file says; the name is borrowed from the buffer. */
int process_snapshot_open_stat(struct process_snapshot *r, const struct backend_run *run, pid_t pid,
	const struct process_id *expected, struct procfs_stat *stat, struct buffer *bytes);
void process_snapshot_close(struct process_snapshot *r);
#define _cleanup_process_snapshot_ __attribute__((cleanup(process_snapshot_close)))

struct sooth_record process_snapshot_head(const struct process_snapshot *r,
	const struct backend_run *run, uint32_t tid, uint16_t kind);
/* Missing files of a process that has ended are -ESRCH, whatever reading them said. */
int process_snapshot_status(const struct process_snapshot *r, int status);
/* A file of a thread, replacing the buffer's contents: 0, or a negative errno. Only for files that
 * the kernel makes and hands out whole in one read. */
int process_snapshot_file(
	const struct process_snapshot *r, uint32_t tid, const char *name, struct buffer *out);
/* A field's state after that: a file that a living thread does not have the kernel does not tell.
 */
uint8_t process_snapshot_state(const struct process_snapshot *r, uint32_t tid, int status);
/* uint32_t of each thread; 0, 1 when there are more than `limit`, or a negative errno. */
int process_snapshot_threads(const struct process_snapshot *r, struct buffer *tids, size_t limit);

#endif
