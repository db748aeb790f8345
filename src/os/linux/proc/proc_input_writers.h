/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who holds the other end of standard inputs: of sockets by what the kernel's sock_diag(7)
 * says, of all of them by looking at the descriptors of processes (fd_ends.h). For all
 * processes of a sample at once.
 */
#ifndef SOOTH_OS_LINUX_PROC_INPUT_WRITERS_H
#define SOOTH_OS_LINUX_PROC_INPUT_WRITERS_H

#include "os/linux/fds/fd_ends.h"
#include "os/linux/proc/proc_stream.h"

/* One standard input that is a pipe or a socket. */
struct proc_input {
	const struct proc_stream_answer *stream;
	struct process_id reader;
	bool is_selected;     /* who holds it, not only whether */
	bool is_detached;     /* and that only if the reader, or who it started, does */
	uint8_t writer_state; /* of has_writer; pipes come with theirs */
	bool has_writer;
	/* The answer. */
	uint8_t writers_state;
	struct buffer writers; /* uint32_t pids, ascending */
};

struct proc_input_writers {
	struct fd_ends ends;
	struct buffer held; /* records of holders */
};

void proc_input_writers_init(struct proc_input_writers *w);
void proc_input_writers_fini(struct proc_input_writers *w);
/* Who else may hold them: processes (pid_t) that are likely to, and which of all belong to the
 * reader itself. */
struct proc_neighbours {
	struct buffer pids;
	bool (*is_own)(const void *user, const struct process_id *reader, uint32_t pid);
	const void *user;
};

/*
 * Fills the answers. Where one of the neighbours holds an end, others are not looked for,
 * and the list is told as cut; else every process is looked at. That takes long, so it is
 * not done for a stray when its own processes hold none: then others do, whoever they are,
 * and the list is told as not asked for.
 */
void proc_input_writers_find(struct proc_input_writers *w, struct backend_run *run,
	struct proc_input *inputs, size_t count, const struct proc_neighbours *neighbours);

#endif
