/* SPDX-License-Identifier: BSD-2-Clause */
/* Records proc.ties, which link a process to its session. They are gathered one by one, and
 * completed and written together, because the other ends of all standard inputs are searched
 * together. */
#pragma once

#include "collect/backend.h"
#include "os/linux/fds/fd_ends.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/proc/proc_slow_reads.h"
#include "os/linux/proc/proc_stream.h"
#include "probes/proc.h"

/* One standard input that is a pipe or a socket. */
struct proc_input {
	const struct proc_stream_info *stream;
	struct process_id reader;
	bool is_selected;     /* find the processes, not only whether there are any */
	bool is_detached;     /* only if the reader, or a child of it, has the other end */
	uint8_t writer_state; /* state of has_writer; set already for pipes */
	bool has_writer;
	/* The result. */
	uint8_t writers_state;
	struct buffer writers; /* uint32_t pids, ascending */
};

struct proc_input_writers {
	struct fd_ends ends;
	struct buffer holders_found; /* records of holders */
};

/* Processes that may have the other end: a list of likely ones (pid_t), and a test for processes
 * that belong to the reader itself. */
struct proc_neighbours {
	struct buffer pids;
	bool (*is_own)(const void *user, const struct process_id *reader, uint32_t pid);
	const void *user;
};

struct proc_links_reader {
	struct proc_input_writers writers;
	struct buffer pending; /* struct proc_links_pending */
	struct buffer scratch;
};

/* Whether a process may be a server that lost its client: then the other end of its standard input
 * matters. */
enum proc_candidate {
	PROC_CANDIDATE_NOT,	 /* the process is an agent */
	PROC_CANDIDATE_DETACHED, /* no relation to an agent is known */
	PROC_CANDIDATE,
};

struct proc_links_pending {
	struct proc_ties links;
	struct proc_slow_read result; /* owned */
	enum proc_candidate candidate;
};

void proc_links_init(struct proc_links_reader *r);
void proc_links_fini(struct proc_links_reader *r);
/* Takes over the contents of the result. */
void proc_links_add(struct proc_links_reader *r, const struct backend_run *run,
	const struct process_snapshot *snapshot, struct proc_slow_read *result,
	enum proc_candidate candidate);
/* Writes and removes the gathered records. */
void proc_links_write(struct proc_links_reader *r, struct backend_run *run,
	const struct proc_neighbours *neighbours);
