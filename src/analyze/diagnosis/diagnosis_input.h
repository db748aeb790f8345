/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input of the detectors, read from a recording: the process table, how the values of each
 * process developed, its first and last snapshot from each probe, and what each of its threads did.
 * It takes records and knows nothing about findings.
 */
#pragma once

#include "analyze/api/api_history.h"
#include "analyze/calls/call_history.h"
#include "analyze/diagnosis/endings.h"
#include "analyze/diagnosis/memory_use.h"
#include "analyze/diagnosis/message_logs.h"
#include "analyze/process_table/host_state.h"
#include "analyze/profile/profile_sums.h"
#include "analyze/sockets/peer_labels.h"
#include "analyze/snapshots.h"
#include "analyze/threads/thread_history.h"
#include "probes/host.h"

/* The first and the last whole snapshot of each process; they are equal if there was only one. */
struct snapshot_pair {
	struct snapshots first, last;
};

/* The values of a process at one sample. */
struct sample_point {
	uint64_t time_ns;
	uint64_t cpu_ns;
	uint64_t rss_bytes, vsz_bytes;
	uint32_t descriptors;
	uint32_t threads;
	uint8_t descriptors_state;
	char state;
	uint8_t unused[2];
	uint32_t ppid;
};

struct diagnosis_input {
	struct snapshots_room room; /* room for the snapshots of all pairs */
	struct host_state host;
	struct map points; /* process_id -> struct buffer of struct sample_point */
	struct snapshot_pair fds, sockets, maps, limits, waits, logs, malloc_heaps;
	struct thread_histories threads;
	struct call_histories calls;
	struct api_history api;
	struct profile_sums profile;
	struct snapshots stacks; /* stacks of the threads at the first sample */
	struct profile_sums stacks_sums;
	struct endings endings;
	struct heap_use heap;
	struct message_logs messages;
	struct page_touches touches;
	struct peer_labels labels;
	struct host_load load; /* last load; time 0: none was recorded */
	struct host_load first_load;
	struct host_memory memory;		       /* last values; time 0: none were recorded */
	struct host_limit host_limits[HOST_RESOURCES]; /* last limits; time 0: none were recorded */
	struct buffer probes;	   /* names of the recorded probes, NUL after each */
	bool has_begun;		   /* the segment has its begin: what comes now is no head */
	uint64_t begin_ns, end_ns; /* times of the recording; end: the last record */
	struct map calls_refused;  /* set of process_id: observed, except for their calls */
	bool are_calls_refused;	   /* the calls of all processes were requested, but not recorded */
	bool are_samples_refused;  /* stacks of threads that run were requested, but not sampled */
	bool has_sessions;	   /* a selected main process selects its session */
	bool has_failed;	   /* out of memory */
};

void diagnosis_input_init(struct diagnosis_input *r);
void diagnosis_input_fini(struct diagnosis_input *r);
void diagnosis_input_add_batch(struct diagnosis_input *r, const struct batch *batch);
/* To be called after the last record, before any diagnosis. */
int diagnosis_input_resolve(struct diagnosis_input *r, struct sooth_error *err);
/* Starts another interval: the last snapshots become the first. */
void diagnosis_input_next_interval(struct diagnosis_input *r);

bool diagnosis_input_has_probe(const struct diagnosis_input *r, const char *probe);

struct sample_series {
	const struct sample_point *points;
	size_t count;
};

/* Returns the samples of a process in order of time, including points without a value. */
struct sample_series diagnosis_input_series(
	const struct diagnosis_input *r, const struct process_id *id);
/* Returns whether the process is selected for diagnosis. */
bool diagnosis_input_is_selected(const struct diagnosis_input *r, const struct process_entry *p);
/* Returns the time between the first and the last point; 0: fewer than two points. */
uint64_t sample_series_ns(const struct sample_series *s);
