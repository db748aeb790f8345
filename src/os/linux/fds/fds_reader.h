/* SPDX-License-Identifier: BSD-2-Clause */
/* A snapshot of a process's descriptors, shared by the backends that list them: a backend begins
 * the snapshot, adds every descriptor, and ends it. The reader adds details of special kinds,
 * watches and processes at the other ends. */
#pragma once

#include "collect/backend.h"
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

#define DESCRIPTORS_MAX 1000000 /* per process; a larger number is reported as cut */

struct fds_reader {
	struct members members;
	struct timeout timeout;
	struct map blocked; /* uint32_t mount id -> uint8_t: timed out */
	struct map written; /* uint32_t mount id -> uint8_t: the process has files open there to
			       write to */
	uint64_t lookups;   /* lookups of names that end in " (deleted)" */
	/* The current process. */
	uint32_t successors; /* lookups of names that another file may have now */
	struct process_snapshot snapshot;
	int table; /* /proc/PID/fd, -1: it could not be opened */
	struct fd_tables tables;
	uint32_t tid; /* owner of the table: the first thread while that lives */
	struct fds_process summary;
	struct mounts mounts;
	uint64_t mounts_of, mounts_ns; /* mount namespace of `mounts`, 0: none; time of reading */
	struct map spaces;	       /* uint32_t mount id -> struct statvfs, of this sample */
	uint64_t spaces_ns;
	struct fd_watches watches;
	struct fd_ends ends;
	/* The current descriptor. */
	struct fdinfo info;
	struct buffer info_text;
	int64_t info_of; /* number of the descriptor in `info`; -1: none */
	int info_status;
	struct buffer detail, scratch;
};

/* Data that processes share is read once for all processes read within this time. */
#define FDS_SHARED_NS ((uint64_t)1000000000)

void fds_reader_init(struct fds_reader *r);
void fds_reader_fini(struct fds_reader *r);
/* Begins a process. False: there is nothing to list, and the record about the process has been
 * written. */
bool fds_reader_begin(struct fds_reader *r, struct backend_run *run, pid_t pid,
	const struct process_id *expected);
/* Reads the fdinfo of a descriptor into r->info; returns the status. */
int fds_reader_info(struct fds_reader *r, uint32_t fd);
/* Returns whether reading the file of a descriptor may block; the next two functions return, and
 * note, whether a mount has timed out. */
bool fds_reader_may_block(const struct fds_reader *r, const struct fd_raw *raw);
bool fds_reader_is_blocked(const struct fds_reader *r, uint32_t mount);
void fds_reader_note_blocked(struct fds_reader *r, uint32_t mount);
/* First member of a request to read below a folder on a mount that may hang. */
struct fds_call {
	int folder; /* descriptor of the folder */
	int status;
};
/* Runs `read` on a copy of `folder`, with a timeout, and not again after a timeout. Returns its
 * status, or -EBUSY, -ETIMEDOUT. */
int fds_reader_call(struct fds_reader *r, uint32_t mount, int folder, void (*read)(void *request),
	struct fds_call *request, size_t size);
void fds_reader_descriptor(struct fds_reader *r, struct backend_run *run, struct fd_raw *raw);
/* Ends a process. status: 0, 1: there are more descriptors than the limit, or a negative errno. */
void fds_reader_end(struct fds_reader *r, struct backend_run *run, int status);
