/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tracks of a run, built from its records: per process and in total. Bounded: new processes
 * replace ended ones, the least active first, whose activity stays in the total.
 */
#pragma once

#include "analyze/timeline/track.h"
#include "analyze/maps/map_classes.h"
#include "analyze/records.h"
#include "analyze/threads/thread_roles.h"
#include "analyze/timeline/timeline_rows.h"
#include "base/map.h"
#include "model/stream_records.h"
#include "probes/resident.h"
#include "probes/syscall_names.h"

#define TIMELINE_PROCESSES_MAX 64
#define TIMELINE_TRACKS_MAX    1024 /* 8 KB each */
#define TIMELINE_EVENTS_MAX    5000
#define TIMELINE_THREADS_MAX   4096 /* per process */
#define TIMELINE_SPANS_MAX     64

/* The subject of a track within its group: 0 is the whole; roles and classes begin at 1. */
#define TIMELINE_WHOLE	     0
#define TIMELINE_ALLOCATED   0
#define TIMELINE_FREED	     1
#define TIMELINE_SHORT_LIVED 2
#define TIMELINE_READ	     0
#define TIMELINE_WRITTEN     1
#define TIMELINE_FAILED	     SYSCALL_CATEGORY_COUNT /* after the categories */

/* Time and value of the last snapshot of a state; time 0: none. */
struct timeline_snapshot {
	uint64_t time_ns, usual_ns; /* usual: the recent time between two snapshots */
	double value;
	bool is_complete; /* each change has a snapshot: the value holds until the next one */
};

struct timeline_threads {
	struct map known;	    /* struct of timeline_tracker.c */
	uint64_t first_ns, time_ns; /* time of the first and the last whole snapshot */
	uint32_t round;
	bool is_partial; /* some threads are beyond the bound */
	/* sums of the unfinished snapshot */
	double cpu_ns[THREAD_ROLES];
	bool has_role[THREAD_ROLES], had_role[THREAD_ROLES], is_reported[THREAD_ROLES];
	double read_bytes, written_bytes;
	bool has_io, has_cpu;
};

struct timeline_process {
	struct process_id id; /* 0, 0: the total */
	char name[PROCESS_NAME_SIZE];
	uint64_t first_ns, last_ns; /* time of the process's first and last record */
	uint64_t started_ns;	    /* 0: before the run */
	uint64_t end_ns;	    /* 0: not seen to end */
	uint32_t status;
	bool has_status, was_launched;
	uint64_t cpu_time_ns, cpu_ns;
	double cpu_total_ns;
	struct timeline_snapshot rss;
	double held_rss;    /* part of timeline_tracker.held_rss */
	uint64_t rss_round; /* number of the last sample with this process */
	struct timeline_snapshot classes[MAP_CLASSES];
	struct timeline_snapshot kinds[RESIDENT_MEMBERS];
	struct timeline_snapshot heap, fds;
	uint32_t heap_program; /* number of the program: an exec raises it, and frees the heap */
	uint64_t maps_ns;      /* time of its first map snapshot; 0: none yet */
	struct timeline_threads threads;
	struct map tracks; /* struct of timeline_tracker.c -> struct lane * */
	bool is_in_sample;
};

struct timeline_span {
	uint64_t from_ns, to_ns;
};

struct timeline_event_kept {
	struct process_id id;
	uint64_t at_ns;
	enum timeline_event what;
	char name[PROCESS_NAME_SIZE];
	struct sooth_text detail; /* detail, in timeline_tracker.texts */
};

struct timeline_tracker {
	struct track_axis axis;
	bool has_begun;
	struct timeline_span observed[TIMELINE_SPANS_MAX];
	size_t observed_count;
	struct stream_segment segment; /* fixed part of the record; time 0: none came */
	struct timeline_process all;
	struct map processes; /* process_id -> struct timeline_process * */
	size_t track_count;
	struct snapshots maps;
	/* sums over the last snapshot of every process */
	double held_rss;
	size_t holders;
	uint64_t rss_round;    /* number of the current sample */
	uint64_t first_rss_ns; /* time of the first sample; 0: none yet */
	uint64_t sampled_ns;   /* time of the last sample */
	bool is_whole;	       /* a whole sample has come; until then the sum lacks processes */
	bool has_calls;	       /* calls are recorded one by one */
	bool has_aggregates, has_fds;
	bool has_levels;  /* changes of resident memory are recorded */
	bool is_launched; /* the target is a command: all processes are known from their start */
	struct buffer events; /* struct timeline_event_kept */
	struct buffer texts;
	uint64_t refused_tracks, refused_processes, refused_events, given_up;
};

void timeline_tracker_init(struct timeline_tracker *b);
void timeline_tracker_fini(struct timeline_tracker *b);
void timeline_tracker_add_record(struct timeline_tracker *b, const struct sooth_record *r);
/* Marks the time that counts cover. Called after the last record. */
void timeline_tracker_resolve(struct timeline_tracker *b);

/* Returns the process of a record, added if it is new; NULL: too many. */
struct timeline_process *timeline_process_of(
	struct timeline_tracker *b, const struct sooth_record *r);
/* Returns the track of a value of a process, and makes it if needed; NULL: too many tracks. */
struct track *timeline_track(struct timeline_tracker *b, struct timeline_process *p,
	enum timeline_group group, uint32_t what, enum track_kind kind);
/* Returns the track of the total for a process's track; NULL: none. */
struct track *timeline_sum(
	const struct timeline_tracker *b, enum timeline_group group, uint32_t what);
/* Marks the total as measured in the times in which the tracks of this process are. */
void timeline_cover_sums(struct timeline_tracker *b, struct timeline_process *p);
/* Returns the next track of a process in the order they were added; *position starts at 0. */
struct track *timeline_track_next(const struct timeline_process *p, size_t *position,
	enum timeline_group *group, uint32_t *what);
/* Adds a rate to one process and to the total. */
void timeline_rate(struct timeline_tracker *b, struct timeline_process *p,
	enum timeline_group group, uint32_t what, const struct timeline_span *span, double amount);
/* Adds a new snapshot of a state. The previous value counts until now; false: it is too old for
 * that. */
bool timeline_state(struct timeline_tracker *b, struct timeline_process *p,
	enum timeline_group group, struct timeline_snapshot *snapshot, uint32_t what,
	uint64_t now_ns, double value);
void timeline_event(struct timeline_tracker *b, const struct sooth_record *r, uint64_t at_ns,
	enum timeline_event what, struct span name, struct span detail);

/* Adds the total memory after a snapshot, a sample or an end. */
void timeline_total_read(struct timeline_tracker *b, struct timeline_process *p, uint64_t now_ns,
	double bytes, bool was_valid);
void timeline_total_sampled(struct timeline_tracker *b, uint64_t now_ns);
void timeline_total_end(struct timeline_tracker *b, struct timeline_process *p, uint64_t now_ns);
void timeline_total_forget(struct timeline_tracker *b);

/* Handles a record of the probe threads. */
void timeline_threads_add_record(struct timeline_tracker *b, const struct sooth_record *r);
