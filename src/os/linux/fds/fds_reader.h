/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One reading of a process's descriptors, whoever lists them: a backend begins it,
 * gives every descriptor as it has it, and ends it. What special kinds say of
 * themselves, watches and holders of other ends are found out here.
 */
#ifndef SOOTH_OS_LINUX_FDS_READER_H
#define SOOTH_OS_LINUX_FDS_READER_H

#include "core/backend.h"
#include "os/linux/fds/fd_ends.h"
#include "os/linux/fds/fd_kind.h"
#include "os/linux/files/fd_tables.h"
#include "os/linux/fds/fd_watches.h"
#include "os/linux/fds/fdinfo.h"
#include "os/linux/bpf/members.h"
#include "os/linux/files/mounts.h"
#include "os/linux/files/timeout.h"
#include "os/linux/files/process_snapshot.h"
#include "probes/fds.h"

#define DESCRIPTORS_MAX 1000000 /* of a process; more are told as such */

struct fds_reader {
	struct members members;
	struct timeout timeout;
	struct map blocked; /* uint32_t mount id -> uint8_t: did not answer */
	/* Who holds the other ends; NULL: fd_ends_search(). */
	uint8_t (*search_ends)(struct fds_reader *r, struct backend_run *run);
	uint64_t lookups; /* of names that end in " (deleted)" */
	/* Of the process at hand. */
	struct process_snapshot who;
	int table; /* /proc/PID/fd, -1: it could not be opened */
	struct fd_tables tables;
	uint32_t tid; /* whose table it is: the first thread's while that lives */
	struct fds_process told;
	struct mounts mounts;
	struct fd_watches watches;
	struct fd_ends ends;
	/* Of the descriptor at hand. */
	struct fdinfo info;
	struct buffer info_text;
	int64_t info_of; /* its number; -1: none is read */
	int info_status;
	struct buffer detail, scratch;
};

/* About how many descriptors these (struct process_id) have; of unknown ones 0. */
uint64_t fds_count(const struct buffer *processes);
void fds_reader_init(struct fds_reader *r);
void fds_reader_fini(struct fds_reader *r);
/* False when there is nothing to list; what there is to say has been written. */
bool fds_reader_begin(struct fds_reader *r, struct backend_run *run, pid_t pid,
	const struct process_id *expected);
/* fdinfo of a descriptor, into r->info; its status. */
int fds_reader_info(struct fds_reader *r, uint32_t fd);
/* The state of a descriptor's file being asked: whether it may be, how, and that it did not
 * answer. */
bool fds_reader_may_block(const struct fds_reader *r, const struct fd_raw *raw);
bool fds_reader_is_blocked(const struct fds_reader *r, uint32_t mount);
void fds_reader_note_blocked(struct fds_reader *r, uint32_t mount);
void fds_reader_descriptor(struct fds_reader *r, struct backend_run *run, struct fd_raw *raw);
/* status: 0, 1 when there were more than are told, or a negative errno. */
void fds_reader_end(struct fds_reader *r, struct backend_run *run, int status);

#endif
