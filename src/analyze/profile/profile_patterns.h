/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds kinds of work that take too large a share of a process's CPU time, by the names of its
 * sampled functions: code without symbols shows nothing.
 */
#pragma once

#include "analyze/profile/profile_sums.h"
#include "explain/finding.h"

enum profile_work {
	PROFILE_WORK_WATCHING,
	PROFILE_WORK_EVENTS,
	PROFILE_WORK_POLLING,
	PROFILE_WORK_GC,
	PROFILE_WORK_CRYPTO,
	PROFILE_WORK_COMPILING,
	PROFILE_WORKS,
};

struct profile_pattern {
	const char *id;
	enum finding_severity severity;
	const char *role;	  /* all samples of threads with this role count; NULL: none */
	const char *const *names; /* parts of function names; NULL ends them */
	double least_share;	  /* minimum share of the process's samples */
	const char *text;	  /* follows the share: "of the CPU time is ..." */
	const char *remedy;
	/* Beginnings of file names, all of whose functions count; NULL: none. */
	const char *const *files;
};

struct profile_match {
	const struct profile_pattern *pattern;
	uint64_t samples;     /* all samples of the process */
	double share;	      /* share of these that matches */
	struct span function; /* matching one with most samples; borrowed. Empty: matched by role */
};

#define PROFILE_PATTERNS_MAX  PROFILE_WORKS
#define PROFILE_PATTERN_LEAST 20 /* samples of a process from which shares are judged */

/* Finds the patterns that a process matches, the largest share first. Returns how many. */
size_t profile_patterns_match(const struct profile_sums *s, const struct process_id *id,
	struct profile_match found[PROFILE_PATTERNS_MAX]);
/* Returns the match of one kind of work, however small its share. */
struct profile_match profile_work_of(
	const struct profile_sums *s, const struct process_id *id, enum profile_work work);
