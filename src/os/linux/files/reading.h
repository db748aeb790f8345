/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One reading of one process by a backend that samples: it is opened once, named
 * by what it is then, and the records of the reading bear that name.
 */
#ifndef SOOTH_OS_LINUX_READING_H
#define SOOTH_OS_LINUX_READING_H

#include <sys/types.h>

#include "core/backend.h"
#include "os/linux/files/procfs.h"

struct reading {
	int process; /* descriptor of /proc/PID, negative: none */
	uid_t uid;   /* effective: the directory's owner (fs/proc/base.c) */
	struct process_id id;
};

/*
 * 0 when it is open. A negative errno when it cannot be read (-ESRCH: it has ended)
 * and `id` says who it would have been. 1: it is none of the target, tell nothing.
 */
int reading_open(struct reading *r, const struct backend_run *run, pid_t pid,
	const struct process_id *expected);
/* And what its stat file says; the name is borrowed from the buffer. */
int reading_open_stat(struct reading *r, const struct backend_run *run, pid_t pid,
	const struct process_id *expected, struct procfs_stat *stat, struct buffer *bytes);
void reading_close(struct reading *r);
#define _cleanup_reading_ __attribute__((cleanup(reading_close)))

struct sooth_record reading_head(
	const struct reading *r, const struct backend_run *run, uint32_t tid, uint16_t kind);
/* Missing files of a process that has ended are -ESRCH, whatever reading them said. */
int reading_status(const struct reading *r, int status);
/* A file of a thread, replacing the buffer's contents: 0, or a negative errno. Only for files that
 * the kernel makes and hands out whole in one read. */
int reading_file(const struct reading *r, uint32_t tid, const char *name, struct buffer *out);
/* A field's state after that: a file that a living thread does not have the kernel does not tell.
 */
uint8_t reading_state(const struct reading *r, uint32_t tid, int status);
/* uint32_t of each thread; 0, 1 when there are more than `limit`, or a negative errno. */
int reading_threads(const struct reading *r, struct buffer *tids, size_t limit);

#endif
