/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes at the other end of standard inputs: for sockets by the kernel's sock_diag(7), for all
 * kinds by reading the descriptors of processes (fd_ends.h). For all processes of a sample
 * together.
 */
#ifndef SOOTH_OS_LINUX_PROC_INPUT_WRITERS_H
#define SOOTH_OS_LINUX_PROC_INPUT_WRITERS_H

#include "os/linux/fds/fd_ends.h"
#include "os/linux/proc/proc_stream.h"

/* One standard input that is a pipe or a socket. */
struct proc_input {
	const struct proc_stream_info *stream;
	struct process_id reader;
	bool is_selected;     /* find the processes, not only whether there are any */
	bool is_detached;     /* only if the reader, or a child of it, has the other end */
	uint8_t writer_state; /* of has_writer; set already for pipes */
	bool has_writer;
	/* The result. */
	uint8_t writers_state;
	struct buffer writers; /* uint32_t pids, ascending */
};

struct proc_input_writers {
	struct fd_ends ends;
	struct buffer holders_found; /* records of holders */
};

void proc_input_writers_init(struct proc_input_writers *w);
void proc_input_writers_fini(struct proc_input_writers *w);
/* Processes that may have the other end: those likely to (pid_t), and a test for those that belong
 * to the reader itself. */
struct proc_neighbours {
	struct buffer pids;
	bool (*is_own)(const void *user, const struct process_id *reader, uint32_t pid);
	const void *user;
};

/*
 * Fills in the results. If one of the neighbors has an end, other processes are not searched, and
 * the list is reported as cut; else every process is searched. That takes long, so it is not done
 * for a detached process when its own processes have no end: then other processes do, and the list
 * is reported as not requested.
 */
void proc_input_writers_find(struct proc_input_writers *w, struct backend_run *run,
	struct proc_input *inputs, size_t count, const struct proc_neighbours *neighbours);

#endif
