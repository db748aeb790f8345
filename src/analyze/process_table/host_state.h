/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * State that views of the host's processes collect from records: the process table, the host, the
 * clock, and the processes that were too short-lived for a sample. It takes batches and knows
 * nothing of rows.
 */
#pragma once

#include "analyze/process_table/process_table.h"
#include "analyze/snapshots.h"
#include "base/buffer.h"
#include "base/error.h"
#include "model/stream_records.h"
#include "probes/short_lived.h"
#include "probes/sockets.h"
#include "probes/waits.h"

struct short_lived_process {
	struct process_id parent;
	uint64_t end_ns, life_ns, cpu_ns;
	uint32_t status;
	uint32_t uid;
	char name[SHORT_LIVED_NAME_SIZE];
	/* The closest sampled ancestor, set by short_lived_resolve(); NULL: it ended before a
	 * sample. */
	const struct process_entry *starter;
};

struct short_lived_text {
	uint32_t at, size;
};

/* Short-lived processes with the same name, all of the same session, or all of no session. */
struct short_lived_group {
	uint64_t count, cpu_ns;
	uint64_t life_most_ns;
	uint64_t failed; /* processes ended by a signal, or with a status other than 0 */
};

struct short_lived_key {
	struct process_id main; /* zeros: no session */
	char name[SHORT_LIVED_NAME_SIZE];
};

struct short_lived {
	bool is_watched;
	uint64_t from_ns;     /* start of the interval; 0: not watched */
	struct map processes; /* process_id -> struct short_lived_process */
	/* process_id -> uint64_t, hash of the arguments of its last exec, if that was recorded
	 */
	struct map commands;
	struct map command_texts;    /* hash of the arguments -> struct short_lived_text */
	struct buffer command_bytes; /* Finds the owners of short-lived processes. The process table
					must be resolved. */
	/* Set by short_lived_resolve(). */
	struct map groups;   /* struct short_lived_key -> struct short_lived_group */
	struct map sessions; /* process_id of the main process -> struct short_lived_group */
	struct short_lived_group all;
	uint64_t in_sessions;
};

void short_lived_init(struct short_lived *b);
void short_lived_fini(struct short_lived *b);
void short_lived_add_record(struct short_lived *b, const struct sooth_record *r);
/* The process table must be resolved. */
void short_lived_resolve(struct short_lived *b, const struct process_table *c);
/* Returns the arguments with that hash, NUL-separated, masked and perhaps cut; empty: not kept.
 * Valid until the next record. */
struct span short_lived_command(const struct short_lived *b, uint64_t hash);
/* Starts the next interval at now_ns. */
void short_lived_next_interval(struct short_lived *b, uint64_t now_ns);

struct host_state {
	struct process_table process_table;
	struct short_lived short_lived;
	struct snapshots sockets;	/* empty if the probe sockets did not run */
	struct snapshots waits;		/* likewise */
	struct stream_segment *segment; /* owned; NULL: none yet */
	int64_t realtime_offset_ns;	/* the latest: the clock may be set during the run */
	uint64_t last_ns;
	bool is_named;	     /* the target is processes, not a host or a user */
	struct buffer asked; /* uint32_t: the selected pids */
};

void host_state_init(struct host_state *h);
void host_state_fini(struct host_state *h);
void host_state_add_batch(struct host_state *h, const struct batch *batch);
/* Resolves the process table. 0 or a negative errno with err filled. */
int host_state_resolve(struct host_state *h, struct sooth_error *err);
/* Starts the next interval of a repeated report. */
void host_state_next_interval(struct host_state *h);

/* Starts the next interval and forgets every process that ended: for a state that is used for
 * days. */
void host_state_drop_ended(struct host_state *h);

/* Returns whether the target is processes that include this one. */
bool host_state_is_asked(const struct host_state *h, uint64_t pid);
/* Returns a text of the host record; empty: no host record came. */
struct span host_state_text(const struct host_state *h, const struct sooth_text *text);
uint64_t host_state_memory(const struct host_state *h); /* bytes; 0: unknown */
uint64_t host_state_utc(const struct host_state *h);	/* ns since 1970; 0: unknown */
/* Returns the seconds from the start of a process until its last sample. */
uint64_t host_state_elapsed(const struct host_state *h, const struct process_entry *p);
