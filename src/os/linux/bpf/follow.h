/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads of a target followed by BPF (bpf/follow.bpf.h), for any probe: loading, marking, muting
 * and flushing, listing, the ring and its losses.
 *
 * Order matters. Forks are watched before threads are marked, or a thread created in between would
 * be missed; the observed events are attached last. At the end threads are muted first; once every
 * running program has returned, their counts are flushed, and no program writes them any more.
 */
#pragma once

#include <pthread.h>

#include "bpf/follow.h"
#include "collect/backend.h"
#include "os/linux/bpf/bpf.h"
#include "os/linux/bpf/ring.h"

struct follow {
	struct bpf_code code;
	struct bpf_link *visit;
	pthread_mutex_t visiting; /* one visit at a time: *control has its task */
	struct ring ring;
	uint64_t ring_bytes;
	struct follow_control *control;
	struct follow_control reported; /* losses already reported */
	uint64_t reported_damaged;
	const char *losing; /* names what does not fit the ring */
};

struct follow_options {
	const struct bpf_image *image;
	const struct bpf_image *image_hash; /* image for kernels without task storage */
	uint64_t ring_bytes;		    /* unless the user requested another size */
	const char *losing; /* "calls did not fit the ring; a larger one: --buffer" */
};

/* Opens the object, up to the point where the probe can set its constants:
 * bpf_code_constants(&f->code, ...). */
int follow_open(struct follow *f, const struct backend_run *run,
	const struct follow_options *options, struct sooth_error *err);
/* Loads the object, opens the ring, follows forks, execs and exits. On failure call
 * follow_close(). */
int follow_load(struct follow *f, struct sooth_error *err);
/* Makes a process join or leave, as backend.set does. Checks whether the caller may watch it. */
int follow_set_interest(struct follow *f, struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err);
/* Marks every thread of a whole host or user, for programs that cannot make the memory of a thread
 * when they meet the thread. Other targets: nothing is marked. */
int follow_all(struct follow *f, struct backend_run *run, struct sooth_error *err);
/* Reports what is not followed of a whole host or user; follow_all() does so, too. */
void follow_limit(struct backend_run *run);
/* Marks the threads of a followed process (FOLLOW_MARK). From any thread. */
int follow_mark(struct follow *f, const struct process_id *process, unsigned interest,
	struct sooth_error *err);
/* CPU time that the threads of a followed process used until now counts as not observed. */
int follow_begin(struct follow *f, const struct process_id *process, struct sooth_error *err);
/* Appends a struct follow_listed for each followed thread. From any thread. */
int follow_list(struct follow *f, struct buffer *out, struct sooth_error *err);
/* Appends the ring's contents, and reports losses. */
void follow_read(struct follow *f, struct backend_run *run, struct buffer *out);
/* Mutes all threads: no more is counted. The probes that call the programs may be removed before
 * follow_stop(), which waits for the kernel. */
int follow_mute(struct follow *f, struct sooth_error *err);
/* Mutes, flushes, detaches, and reads to the end; includes the probe's own programs in f->code. */
int follow_stop(struct follow *f, struct backend_run *run, struct sooth_error *err);
void follow_close(struct follow *f);
