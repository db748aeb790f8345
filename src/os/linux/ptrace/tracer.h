/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process of sooth that traces system calls by ptrace(2), for callers without privilege. The
 * target may be stopped at each call until this process lets it continue, so this process waits for
 * nothing else: it has a session of its own (Ctrl-Z does not reach it), and a full ring costs
 * records and no time. It ends when sooth ends, for any reason; then the kernel detaches, and the
 * target runs on.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"
#include "bpf/syscalls.h"
#include "model/process_id.h"
#include "os/linux/ptrace/shared_ring.h"

/* Written by the tracer. */
struct tracer_state {
	uint64_t busy_since_ns; /* 0: it waits for the next stop */
	uint64_t event_ns;	/* time of the stop that it handles; 0: none */
	uint64_t hits;		/* calls that stopped the target */
	uint64_t calls;		/* records of calls without room */
	uint64_t lost_counts;	/* calls that were not counted, or whose count was lost */
	uint64_t lost_errors;	/* errors that were counted without their errno */
	uint64_t lost_events;	/* execs, begins and ends of processes without room */
	uint64_t threads;	/* threads that could not be followed */
	uint64_t silent;	/* threads that made no call */
	uint64_t released;	/* programs that gain privilege at their exec, and are not traced */
	uint64_t urings;	/* calls of io_uring_setup(2) and io_uring_enter(2) */
};

struct tracer {
	struct shared_ring ring;
	struct tracer_state *state;
	pid_t pid;
	int control; /* a socket for requests and their answers */
};

struct tracer_options {
	const struct syscalls_config *config; /* copied */
	uint64_t ring_bytes;
	/* Let the target wait at a call while the ring is full, unless sooth is stopped. */
	bool is_lossless;
	/* A filter lets only some calls stop the target. Such a call fails once it is no longer
	 * traced: so no thread is detached, and the target is killed when the tracer ends. */
	bool is_filtered;
};

int tracer_start(struct tracer *t, const struct tracer_options *options, struct sooth_error *err);
/*
 * The next functions return 0 or a negative errno; -EPIPE: the tracer has ended. Records that come
 * meanwhile go to `out`.
 */
/* Seizes the threads of a process, which may run on until tracer_begin(). -EPERM, -ESRCH; -EBUSY:
 * that may kill it (filtered_waits.h). */
int tracer_seize(
	struct tracer *t, const struct process_id *process, unsigned interest, struct buffer *out);
/* Records calls from now on. */
int tracer_begin(struct tracer *t, struct buffer *out);
/* Hands over the counts of a process, and detaches. */
int tracer_forget(struct tracer *t, const struct process_id *process, struct buffer *out);
/* Hands over all counts, and detaches from all processes. */
int tracer_stop(struct tracer *t, struct buffer *out);
/* Returns whether the tracer still runs. Ends it if it was stopped, or is stuck in a read: its
 * target may wait for it at a call. */
bool tracer_is_alive(struct tracer *t);
void tracer_close(struct tracer *t);
