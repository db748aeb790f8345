/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads of a target followed by BPF (bpf/follow.bpf.h), whatever is observed of them: loading,
 * marking, muting and flushing, listing, the ring and its losses.
 *
 * Order matters. Forks are watched before threads are marked, or a thread created in between would
 * be missed; the observed events are attached last. At the end threads are muted first; once every
 * running program has returned, their counts are flushed, and nothing writes them any more.
 */
#ifndef SOOTH_OS_LINUX_FOLLOW_H
#define SOOTH_OS_LINUX_FOLLOW_H

#include <pthread.h>

#include "bpf/follow.h"
#include "collect/backend.h"
#include "os/linux/bpf/bpf.h"
#include "os/linux/bpf/ring.h"

struct follow {
	struct bpf_code code;
	struct bpf_link *visit;
	pthread_mutex_t visiting; /* one at a time: *control says what a visit does */
	struct ring ring;
	uint64_t ring_bytes;
	struct follow_control *control;
	struct follow_control reported; /* losses already reported */
	uint64_t reported_damaged;
	const char *losing; /* names what does not fit the ring */
};

struct follow_options {
	const struct bpf_image *image;
	const struct bpf_image *image_hash; /* the same for kernels without task storage */
	uint64_t ring_bytes;		    /* unless the user requested another size */
	const char *losing; /* "calls did not fit the ring; a larger one: --buffer" */
};

/* Opens it, up to the point where the probe can set its own constants:
 * bpf_code_constants(&f->code, ...). */
int follow_open(struct follow *f, const struct backend_run *run,
	const struct follow_options *options, struct sooth_error *err);
/* Load, open the ring, follow forks, execs and exits. On failure call follow_close(). */
int follow_load(struct follow *f, struct sooth_error *err);
/* A process joins or leaves, as backend.set says; checks whether the caller may watch it. */
int follow_set_interest(struct follow *f, struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err);
/* Marks every thread of a whole host or user, for programs that cannot make memory for a thread
 * where they meet it. Other targets: nothing is marked. */
int follow_all(struct follow *f, struct backend_run *run, struct sooth_error *err);
/* Marks the threads of a followed process (FOLLOW_MARK). From any thread. */
int follow_mark(struct follow *f, const struct process_id *process, unsigned interest,
	struct sooth_error *err);
/* CPU time that the threads of a followed process used until now counts as not observed. */
int follow_begin(struct follow *f, const struct process_id *process, struct sooth_error *err);
/* Followed threads: struct follow_listed, appended. From any thread. */
int follow_list(struct follow *f, struct buffer *out, struct sooth_error *err);
/* Append the ring's contents, and report what did not fit. */
void follow_read(struct follow *f, struct backend_run *run, struct buffer *out);
/* Nothing more is counted: what calls the programs may be taken away before follow_stop(), which
 * waits for the kernel. */
int follow_mute(struct follow *f, struct sooth_error *err);
/* Mute, flush, detach, and read to the end; includes the probe's own programs in f->code. */
int follow_stop(struct follow *f, struct backend_run *run, struct sooth_error *err);
void follow_close(struct follow *f);

#endif
