/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads of a target followed by BPF (bpf/follow.bpf.h), whatever is observed of
 * them: loading, marking, muting and flushing, listing, the ring and its losses.
 *
 * Order matters. Forks are watched before threads are marked, or a thread made in
 * between would be missed; what is observed is attached last. At the end threads are
 * muted first; once every program that ran meanwhile is through, what they counted is
 * flushed, and nobody is writing it any more.
 */
#ifndef SOOTH_OS_LINUX_FOLLOW_H
#define SOOTH_OS_LINUX_FOLLOW_H

#include <pthread.h>

#include "bpf/follow.h"
#include "core/backend.h"
#include "os/linux/bpf/bpf.h"
#include "os/linux/bpf/ring.h"

struct follow {
	struct bpf_code code;
	struct bpf_link *visit;
	pthread_mutex_t visiting; /* one at a time: what a visit does stands in *control */
	struct ring ring;
	uint64_t ring_bytes;
	struct follow_control *control;
	struct follow_control told; /* losses already reported */
	const char *losing;	    /* what does not fit the ring, in words */
};

struct follow_options {
	const struct bpf_image *image;
	const struct bpf_image *image_hash; /* the same for kernels without task storage */
	uint64_t ring_bytes;		    /* unless the user asked for another size */
	const char *losing; /* "calls did not fit the ring; a larger one: --buffer" */
};

/* Up to where constants of the probe's own can be set: bpf_code_constants(&f->code, ...). */
int follow_open(struct follow *f, const struct backend_run *run,
	const struct follow_options *options, struct sooth_error *err);
/* Load, open the ring, follow forks, execs and exits. On failure follow_close() is due. */
int follow_load(struct follow *f, struct sooth_error *err);
/* A process joins or leaves, as backend.set says; asks whether the caller may watch it. */
int follow_set(struct follow *f, struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err);
/* Threads that are followed: struct follow_listed, appended. From any thread. */
int follow_list(struct follow *f, struct buffer *out, struct sooth_error *err);
/* Append what is in the ring, and tell what did not fit. */
void follow_read(struct follow *f, struct backend_run *run, struct buffer *out);
/* Mute, flush, detach, and read to the end; programs of the probe's own in f->code as well. */
int follow_stop(struct follow *f, struct backend_run *run, struct sooth_error *err);
void follow_close(struct follow *f);

#endif
