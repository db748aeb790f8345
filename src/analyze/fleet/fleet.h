/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The view "fleet": agents, sessions and findings of a host as values for monitoring systems. It
 * has few rows, however many sessions run: the rest is summed in rows named "other".
 */
#pragma once

#include "explain/output.h"
#include "model/process_id.h"
#include "secrets/name_hash.h"

#define FLEET_SESSIONS 200 /* sessions with rows of their own */

struct fleet;

/* Zeroed: the defaults. */
struct fleet_options {
	uint32_t sessions_most; /* 0: FLEET_SESSIONS */
	/* Key of the hashes that stand for names of projects and of the host; NULL: the names. */
	const struct name_key *names;
	/* Returns whether sessions with this main process are selected. NULL: all are. */
	bool (*is_selected)(const void *target, const struct process_id *id);
	const void *target;
	/* Sums over several reports, which the caller emits. NULL: the view emits its own at the
	 * end. */
	struct fleet *kept;
	/* Takes the phases that the view finds, as "phases" does (analyze/phases/phases.h). NULL:
	 * not needed. */
	int (*take)(void *user, const struct batch *spans, struct sooth_error *err);
	void *user;
};

/* The cost of sooth itself, and the results of its clients. */
struct fleet_self {
	uint64_t cpu_ns, rss_bytes;
	uint64_t answers, refused;  /* scrapes that were answered and refused */
	bool may_probe, is_probing; /* API calls are to be, and are measured by probes */
};

int fleet_new(struct fleet **out, const struct fleet_options *options, struct sooth_error *err);
void fleet_free(struct fleet *f);
/* Returns how many samples were added. */
uint64_t fleet_samples(const struct fleet *f);
/* Appends the PIDs (uint32_t) of agents and their processes at the last sample, `most` at most. */
void fleet_append_pids(const struct fleet *f, size_t most, struct buffer *out);
/* Appends those of the main processes. */
void fleet_append_mains(const struct fleet *f, struct buffer *out);
/* Adds a row of the view "api-calls" that a main process has; other rows are ignored. */
void fleet_add_call(
	struct fleet *f, const struct sooth_schema *schema, const struct sooth_record *row);
/* Adds a record that a sample of the view lacks, such as one of the probe fds. */
void fleet_add_record(struct fleet *f, const struct sooth_record *r);
/* Adds a row of the view "finding-changes"; rows of other schemas are ignored. */
void fleet_add_finding(
	struct fleet *f, const struct sooth_schema *schema, const struct sooth_record *row);
void fleet_set_self(struct fleet *f, const struct fleet_self *self);
int fleet_emit(struct fleet *f, struct output *o, struct sooth_error *err);
