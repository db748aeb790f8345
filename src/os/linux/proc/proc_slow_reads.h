/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads of a process that may never return. Its arguments and environment are in its own memory,
 * which may be backed by a file that does not answer; its directory and standard streams may be on
 * a dead mount. All are read in batches with a timeout. */
#pragma once

#include <sys/types.h>

#include "base/buffer.h"
#include "base/map.h"
#include "model/process_id.h"
#include "os/linux/files/timeout.h"
#include "os/linux/proc/proc_stream.h"

#define PROC_STANDARD_STREAMS 3

struct timed_batch;

enum proc_read {
	PROC_READ_ARGUMENTS = 1,
	PROC_READ_MARKERS = 2,
	PROC_READ_ROOT = 4, /* the git working tree */
	PROC_READ_STREAMS = 8,
	PROC_READ_SERVER_NAME = 16, /* whether its name may be that of a server (proc_detached.h) */
	PROC_READ_PROXIES = 32,	    /* from the environment (proc_proxies.h) */
};

struct proc_slow_read {
	struct process_id id;
	uint32_t living;		/* 0, or the thread whose files to read instead */
	uint64_t environment_bytes;	/* 0: unknown */
	uint8_t reads;			/* enum proc_read */
	const struct agent_set *agents; /* the agents whose markers to find */
	/* The result. */
	uint8_t arguments_state, markers_state, root_state, proxies_state;
	uint8_t writer_state; /* state of has_writer; absent: not requested, or a socket */
	bool has_writer;      /* of the pipe at standard input */
	bool may_be_server;   /* true if unknown */
	struct buffer arguments, markers, root; /* root: the path, without a NUL */
	struct buffer proxies;
	uint8_t written_state;
	uint64_t written_bytes, read_bytes, io_calls; /* from /proc/PID/io */
	uint64_t disk_read_bytes, disk_written_bytes;
	struct proc_stream_info streams[PROC_STANDARD_STREAMS];
};

/*
 * Runs the requests and gives each result to `take` with its index. `take` has to check whether the
 * process is still the same: if so, it was the same during the read. A request that timed out has
 * states that say so, and its process is put into `blocked` (process_id -> nothing). Returns
 * -ENOMEM, or the error of opening /proc.
 */
int proc_slow_reads_run(const struct proc_slow_read *requests, size_t count, struct timeout *p,
	struct map *blocked, void (*take)(void *user, size_t i, struct proc_slow_read *result),
	void *user);

/* The same, while other work goes on: requests are started in batches as they are added, and
 * results are taken, in any order, when the next batch is full or at the end. Zero the struct and
 * set its first members. */
struct proc_slow_queue {
	struct timeout *timeout; /* used only by this queue */
	struct map *blocked;
	void (*take)(void *user, size_t i, struct proc_slow_read *result);
	void *user;
	/* Private. */
	struct timed_batch *batch;	 /* the running one; NULL: none */
	struct buffer running, gathered; /* struct proc_slow_read */
	size_t number;			 /* number of the first running request */
	int proc;			 /* /proc, open */
	int status;
};

/* Begins. Returns 0 or a negative errno; call proc_slow_queue_end() in both cases. */
int proc_slow_queue_begin(struct proc_slow_queue *s);
void proc_slow_queue_add(struct proc_slow_queue *s, const struct proc_slow_read *request);
int proc_slow_queue_finish_reads(struct proc_slow_queue *s);
void proc_slow_queue_fini(struct proc_slow_queue *s);
