/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lanes of an observation as its records make them: of each process what it used, held, moved
 * and called, and of all together. Bounded: a process that has ended gives its place to one that
 * came, those that used least first; what it did stays in the lanes of all.
 */
#ifndef SOOTH_ANALYZE_TIMELINE_TRACKER_H
#define SOOTH_ANALYZE_TIMELINE_TRACKER_H

#include "analyze/timeline/track.h"
#include "analyze/maps/map_classes.h"
#include "analyze/records.h"
#include "analyze/threads/thread_roles.h"
#include "analyze/timeline/timeline_rows.h"
#include "base/map.h"
#include "model/stream_records.h"
#include "probes/syscall_names.h"

#define TIMELINE_PROCESSES_MAX 64
#define TIMELINE_TRACKS_MAX    1024 /* of 8 KB each */
#define TIMELINE_EVENTS_MAX    5000
#define TIMELINE_THREADS_MAX   4096 /* of a process */
#define TIMELINE_SPANS_MAX     64

/* What a lane is of, beside its group: 0 is the whole, roles and classes begin at 1. */
#define TIMELINE_WHOLE	 0
#define TIMELINE_READ	 0
#define TIMELINE_WRITTEN 1
#define TIMELINE_FAILED	 SYSCALL_CATEGORY_COUNT /* behind the categories */

/* When and what a state was read last; time 0: never. */
struct timeline_snapshot {
	uint64_t time_ns, usual_ns; /* usual: the time between two, as it has been of late */
	double value;
};

struct timeline_threads {
	struct map known;	    /* struct of timeline_threads.c */
	uint64_t first_ns, time_ns; /* of the first and the last whole reading */
	uint32_t round;
	bool is_partial; /* more came than are kept */
	/* Of the reading that is under way: */
	double cpu_ns[THREAD_ROLES];
	bool has_role[THREAD_ROLES], had_role[THREAD_ROLES], is_reported[THREAD_ROLES];
	double read_bytes, written_bytes;
	bool has_io, has_cpu;
};

struct timeline_process {
	struct process_id id; /* 0, 0: all of them */
	char name[PROCESS_NAME_SIZE];
	uint64_t first_ns, last_ns; /* when it was told of */
	uint64_t started_ns;	    /* 0: before the observation */
	uint64_t end_ns;	    /* 0: it was not seen to end */
	uint32_t status;
	bool has_status, was_launched;
	uint64_t cpu_time_ns, cpu_ns;
	double cpu_total_ns;
	struct timeline_snapshot rss;
	double held_rss;    /* what of it is in book.held_rss */
	uint64_t rss_round; /* of the last sample that had it */
	struct timeline_snapshot classes[MAP_CLASSES];
	uint64_t maps_ns; /* of the first reading of these; 0: none yet */
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
	struct sooth_text detail; /* in book.texts */
};

struct timeline_tracker {
	struct track_axis axis;
	bool has_begun;
	struct timeline_span observed[TIMELINE_SPANS_MAX];
	size_t observed_count;
	struct stream_segment segment; /* its fixed part; time 0: none came */
	struct timeline_process all;
	struct map processes; /* process_id -> struct timeline_process * */
	size_t track_count;
	struct snapshots maps;
	/* Of all processes as each was read last: */
	double held_rss;
	size_t holders;
	uint64_t rss_round;    /* counts samples */
	uint64_t first_rss_ns; /* of the first sample; 0: none yet */
	uint64_t sampled_ns;   /* of the last one */
	bool is_whole;	       /* a whole sample has come: before, the sum lacks some */
	bool has_calls;	       /* calls are followed one by one */
	bool has_aggregates;
	struct buffer events; /* struct timeline_event_kept */
	struct buffer texts;
	uint64_t refused_tracks, refused_processes, refused_events, given_up;
};

void timeline_tracker_init(struct timeline_tracker *b);
void timeline_tracker_fini(struct timeline_tracker *b);
void timeline_tracker_take(struct timeline_tracker *b, const struct sooth_record *r);
/* After the last record: what counts were looked for in. */
void timeline_tracker_resolve(struct timeline_tracker *b);

/* The one it is, made when it is new; NULL: there are too many. Of the record of a process. */
struct timeline_process *timeline_process_of(
	struct timeline_tracker *b, const struct sooth_record *r);
/* NULL: there are too many. */
struct lane *timeline_track(struct timeline_tracker *b, struct timeline_process *p,
	enum timeline_group group, uint32_t what, enum track_kind kind);
/* The lane of all that one like this is a part of; NULL: there is none. */
struct lane *timeline_sum(
	const struct timeline_tracker *b, enum timeline_group group, uint32_t what);
/* The sums were measured wherever the lanes of this process were. */
void timeline_cover_sums(struct timeline_tracker *b, struct timeline_process *p);
/* The next lane of a process in the order they came; *position starts at 0. */
struct lane *timeline_track_next(const struct timeline_process *p, size_t *position,
	enum timeline_group *group, uint32_t *what);
/* A rate of one process, and of all. */
void timeline_rate(struct timeline_tracker *b, struct timeline_process *p,
	enum timeline_group group, uint32_t what, const struct timeline_span *span, double amount);
/* A state was read: it was the one before until now, unless that is too long ago (false). */
bool timeline_state(struct timeline_tracker *b, struct timeline_process *p,
	struct timeline_snapshot *reading, uint32_t what, uint64_t now_ns, double value);
/* Whether it was the one before until now. */
bool timeline_is_held(const struct timeline_snapshot *reading, uint64_t now_ns);
void timeline_note_usual(struct timeline_snapshot *reading, uint64_t ns);
void timeline_event(struct timeline_tracker *b, const struct sooth_record *r, uint64_t at_ns,
	enum timeline_event what, struct span name, struct span detail);

/* What all hold together, in timeline_total.c: after a reading, a sample, an end. */
void timeline_total_read(struct timeline_tracker *b, struct timeline_process *p, uint64_t now_ns,
	double bytes, bool was_held);
void timeline_total_sampled(struct timeline_tracker *b, uint64_t now_ns);
void timeline_total_end(struct timeline_tracker *b, struct timeline_process *p, uint64_t now_ns);
void timeline_total_forget(struct timeline_tracker *b);

/* Records of the probe threads, in timeline_threads.c. */
void timeline_threads_take(struct timeline_tracker *b, const struct sooth_record *r);
void timeline_threads_fini(struct timeline_threads *t);

#endif
