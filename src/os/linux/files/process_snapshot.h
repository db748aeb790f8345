/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot of one process by a backend that samples: its directory is opened once, its identity
 * read then, and all records of the snapshot have that identity.
 */
#pragma once

#include <sys/types.h>

#include "collect/backend.h"
#include "os/linux/files/procfs.h"

struct process_snapshot {
	int process; /* descriptor of /proc/PID, negative: none */
	uid_t uid;   /* effective uid: the directory's owner (fs/proc/base.c) */
	struct process_id id;
};

/*
 * Opens a process. Returns 0, or a negative errno if it cannot be read (-ESRCH: it has ended); `id`
 * is then the expected identity. 1: the process is not in the target, so report nothing.
 */
int process_snapshot_open(struct process_snapshot *r, const struct backend_run *run, pid_t pid,
	const struct process_id *expected);
/* Opens the folder of the process and reads its stat file; the name is borrowed from the buffer. */
int process_snapshot_open_stat(struct process_snapshot *r, const struct backend_run *run, pid_t pid,
	const struct process_id *expected, struct procfs_stat *stat, struct buffer *bytes);
void process_snapshot_close(struct process_snapshot *r);
#define _cleanup_process_snapshot_ __attribute__((cleanup(process_snapshot_close)))

struct sooth_record process_snapshot_head(const struct process_snapshot *r,
	const struct backend_run *run, uint32_t tid, uint16_t kind);
/* Returns -ESRCH for a process that has ended: its files are missing, whatever error reading them
 * returned. */
int process_snapshot_status(const struct process_snapshot *r, int status);
/* Reads a file of a thread into the buffer, replacing its contents. Returns 0 or a negative errno.
 * Only for files that the kernel returns whole in one read. */
int process_snapshot_file(
	const struct process_snapshot *r, uint32_t tid, const char *name, struct buffer *out);
/* Returns the state of a field from such a file, after reading it with `status`. A file that is
 * missing for a living thread is not supported by the kernel. */
uint8_t process_snapshot_state(const struct process_snapshot *r, uint32_t tid, int status);
/* Appends the tid of each thread, uint32_t. Returns 0, 1 if there are more than `limit`, or a
 * negative errno. */
int process_snapshot_threads(const struct process_snapshot *r, struct buffer *tids, size_t limit);
