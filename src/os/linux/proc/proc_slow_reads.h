/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a process may never be told: its arguments and its environment lie in its own
 * memory, which may be of a file that does not answer; its directory and its standard
 * streams may lie on a dead mount. All of that is asked in batches with patience.
 */
#ifndef SOOTH_OS_LINUX_PROC_SLOW_READS_H
#define SOOTH_OS_LINUX_PROC_SLOW_READS_H

#include <sys/types.h>

#include "base/buffer.h"
#include "base/map.h"
#include "model/process_id.h"
#include "os/linux/files/timeout.h"
#include "os/linux/proc/proc_stream.h"

#define PROC_STANDARD_STREAMS 3

struct timed_batch;

enum proc_want {
	PROC_WANT_ARGUMENTS = 1,
	PROC_WANT_MARKERS = 2,
	PROC_WANT_ROOT = 4, /* the git working tree */
	PROC_WANT_STREAMS = 8,
	PROC_WANT_CALLING = 16, /* whether it may be called as a server is (proc_detached.h) */
};

struct proc_slow_reads {
	struct process_id id;
	uint64_t environment_bytes;	/* 0: not told */
	uint8_t wants;			/* enum proc_want */
	const struct agent_set *agents; /* whose markers are looked for */
	/* The answer. */
	uint8_t arguments_state, markers_state, root_state;
	uint8_t writer_state; /* of has_writer; absent: there is no question, or a socket's */
	bool has_writer;      /* of the pipe that standard input is */
	bool may_be_server;   /* also where it cannot be told */
	struct buffer arguments, markers, root; /* root: the path, without a NUL */
	struct proc_stream_answer streams[PROC_STANDARD_STREAMS];
};

/*
 * Puts the questions and gives each answer to `take` with its number. Whether it was still that
 * process which answered is for the taker to see: it was, if it is afterwards. Of what did not
 * answer the states say so, and the process is put into `blocked` (process_id -> nothing). -ENOMEM,
 * or the error of opening /proc.
 */
int proc_questions_ask(const struct proc_slow_reads *questions, size_t count, struct timeout *p,
	struct map *blocked, void (*take)(void *user, size_t i, struct proc_slow_reads *answer),
	void *user);

/*
 * The same, while something else is done: questions are put in batches as they are gathered,
 * and answers taken when the next batch is full, or at the end, in any order. Zeroed, with the
 * first members set.
 */
struct proc_asking {
	struct timeout *timeout; /* for this alone */
	struct map *blocked;
	void (*take)(void *user, size_t i, struct proc_slow_reads *answer);
	void *user;
	/* Its own. */
	struct timed_batch *batch;     /* that is being asked; NULL: none */
	struct buffer asked, gathered; /* struct proc_slow_reads */
	size_t number;		       /* of the first that is asked */
	int proc;
	int status;
};

/* 0 or a negative errno; then it has to be ended all the same. */
int proc_asking_begin(struct proc_asking *s);
void proc_asking_add(struct proc_asking *s, const struct proc_slow_reads *question);
int proc_asking_end(struct proc_asking *s);
void proc_asking_fini(struct proc_asking *s);

#endif
