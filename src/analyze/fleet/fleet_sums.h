/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sums of a host's agents over time. A session keeps its own row from the moment that it is first
 * seen, while there is room; later ones are summed together for as long as they run, so that no sum
 * ever falls.
 */
#pragma once

#include "analyze/activity/activity.h"
#include "analyze/fleet/fleet.h"
#include "base/map.h"
#include "model/answer_records.h"
#include "model/phase_records.h"

#define FLEET_TEXT    64
#define FLEET_SLOTS   64 /* of a histogram of ns */
#define FLEET_FINDING 48
#define FLEET_OTHER   "other"
#define FLEET_NO_USER UINT32_MAX /* a history does not have the user of a session */

/* Values of a group of processes at the last sample. */
struct fleet_now {
	uint64_t rss_bytes, anonymous_bytes, file_bytes, shared_bytes, swap_bytes, descriptors;
	uint32_t processes, threads, watches;
	/* Worst state of a process: SOOTH_STATE_VALUE if all have the value. */
	uint8_t memory_state, descriptors_state, watches_state;
};

/* Sums over spans. */
struct fleet_use {
	uint64_t cpu_ns, read_bytes, written_bytes, input_tokens, output_tokens, turns;
	uint64_t state_ns[ACTIVITY_STATES];
};

/* A session with a row of its own, or those that share one. */
struct fleet_session {
	struct process_id main; /* zeros: several */
	uint32_t user;
	char agent[FLEET_TEXT], id[FLEET_TEXT], project[FLEET_TEXT], model[FLEET_TEXT];
	struct fleet_use ended, current; /* by spans that ended, and that are under way */
	struct fleet_now now;
	uint64_t context_tokens, last_ns;
	uint64_t wait_ns; /* of the wait for the model under way */
	bool has_wait;	  /* a wait for the model is under way, and its begin was seen */
	bool is_running;  /* has not ended, as far as is known */
	bool has_state, has_tokens, has_io, has_written;
	uint8_t context_state, state;
};

struct fleet_role_key {
	char agent[FLEET_TEXT];
	uint32_t role; /* enum agent_role, or one of the two below */
};
#define FLEET_ROLE_UNKNOWN     100
#define FLEET_ROLE_SHORT_LIVED 101

struct fleet_role {
	struct fleet_now now;
	uint64_t cpu_ns;
};

struct fleet_member {
	uint64_t cpu_ns, sample;
	uint32_t user;
	struct process_id main; /* zeros: of no session that runs */
	struct fleet_role_key role;
};

struct fleet_raised {
	uint32_t user; /* first, as in each value that shares a table between users */
	char id[FLEET_FINDING], agent[FLEET_TEXT];
	struct process_id main;
	uint64_t round;
	uint8_t severity;
};

struct fleet_raised_key {
	char agent[FLEET_TEXT], id[FLEET_FINDING];
};

/* Key of waits for a model by samples, or of API calls by probes. */
struct fleet_wait_key {
	char agent[FLEET_TEXT], model[FLEET_TEXT], host[FLEET_TEXT], provider[FLEET_TEXT];
	uint32_t is_call, outcome; /* enum api_outcome */
};

struct fleet_waits {
	uint32_t user; /* of the first wait */
	uint32_t slots[FLEET_SLOTS];
	uint64_t total_ns;
};

struct fleet {
	struct fleet_options options;
	struct map sessions; /* process_id -> struct fleet_session */
	struct map folded;   /* process_id -> bool: a session without a row of its own */
	struct fleet_session others;
	struct map roles;    /* fleet_role_key -> struct fleet_role */
	struct map members;  /* process_id -> struct fleet_member */
	struct map findings; /* hash of a finding's key -> struct fleet_raised */
	struct map raised;   /* fleet_raised_key -> uint64_t, times */
	struct map waits;    /* fleet_wait_key -> struct fleet_waits */
	struct map watches;  /* process_id -> uint32_t, of inotify */
	struct fleet_self self;
	bool has_self;
	uint64_t samples, last_ns, last_utc_ns, lost_records;
	/* Number of the diagnosis that finds problems, and its first sample: a new
	 * one raises again what still holds, and never clears findings of its predecessor. */
	uint64_t round, round_ns;
	char host[FLEET_TEXT], version[FLEET_TEXT];
};

void fleet_init(struct fleet *f, const struct fleet_options *options);
void fleet_fini(struct fleet *f);
/* Adds spans of phases that ended. */
void fleet_add_spans(struct fleet *f, const struct batch *spans);
/* Sets the spans that are under way, instead of those before. */
void fleet_set_current(struct fleet *f, const struct batch *spans);
/* Says that a new diagnosis begins. */
void fleet_begin_round(struct fleet *f);
/* Adds a sample, whose process table must be resolved. */
void fleet_add_sample(struct fleet *f, const struct host_state *host);
