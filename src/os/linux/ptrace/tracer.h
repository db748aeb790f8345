/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process of sooth that traces system calls by ptrace(2), for callers without privilege. The
 * target may be stopped at each call until this process lets it continue, so this process waits for
 * nothing else: it has a session of its own (Ctrl-Z does not reach it), and a full ring costs
 * records and no time. It ends when sooth ends, for any reason; then the kernel detaches, and the
 * target runs on.
 */
#ifndef SOOTH_OS_LINUX_TRACER_H
#define SOOTH_OS_LINUX_TRACER_H

#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"
#include "bpf/syscalls.h"
#include "model/process_id.h"
#include "os/linux/ptrace/shared_ring.h"

/* Written by the tracer. */
struct tracer_losses {
	uint64_t calls;	   /* records of calls without room */
	uint64_t threads;  /* threads that could not be followed */
	uint64_t silent;   /* threads that made no call */
	uint64_t released; /* programs that gain privilege at their exec, and are not traced */
	uint64_t urings;   /* calls of io_uring_setup(2) and io_uring_enter(2) */
};

struct tracer {
	struct shared_ring ring;
	struct tracer_losses *losses;
	pid_t pid;
	int control; /* a socket for requests and their answers */
};

/* Starts the process. The config is copied; `interest` is that of new processes. */
int tracer_start(struct tracer *t, const struct syscalls_config *config, uint64_t ring_bytes,
	struct sooth_error *err);
/* Seizes the threads of a process, which may run on until tracer_begin(). Returns 0 or a negative
 * errno: -EPERM, -ESRCH. */
int tracer_seize(struct tracer *t, const struct process_id *process, unsigned interest);
/* Records calls from now on. */
int tracer_begin(struct tracer *t);
/* Hands over the counts of a process, and detaches. */
int tracer_forget(struct tracer *t, const struct process_id *process);
/* Hands over all counts, and detaches from all processes. Records go to `out`. Returns a negative
 * errno if the tracer has ended before. */
int tracer_stop(struct tracer *t, struct buffer *out);
/* Returns whether the tracer still runs. A stopped one is ended, because its target may be stopped
 * at a call. */
bool tracer_is_alive(struct tracer *t);
void tracer_close(struct tracer *t);

#endif
