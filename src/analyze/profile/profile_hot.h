/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions in which one process spends CPU time, by sampled stacks. */
#ifndef SOOTH_ANALYZE_PROFILE_HOT_H
#define SOOTH_ANALYZE_PROFILE_HOT_H

#include "analyze/profile/profile_sums.h"

enum profile_place {
	PROFILE_ON_TOP,	 /* the innermost function, in user space or in the kernel */
	PROFILE_IN_USER, /* the innermost function of user space: it called the kernel */
	/* The innermost function of a script, with what its interpreter does for it; in a stack
	 * without one as PROFILE_IN_USER. A regular expression counts for its caller. */
	PROFILE_IN_SCRIPT,
};

struct profile_hot {
	struct span name, file; /* borrowed */
	uint64_t samples;
	uint64_t kernel_samples; /* of these: in the kernel on its behalf */
	uint64_t regexp_samples; /* of these: in a regular expression that it matches with */
	bool is_named;
};

/* Returns whether most samples of the hot code are in a regular expression. */
bool profile_hot_is_regexp(const struct profile_hot *hot);

/* Appends struct profile_hot, the most samples first. Returns the samples of the process, also
 * those without such a function. */
uint64_t profile_hot_functions(const struct profile_sums *s, const struct process_id *id,
	enum profile_place place, struct buffer *out);
/*
 * Which functions a process spends its time in, in words; each empty when there is nothing to say.
 * `within` matters where the time is in many functions below one that loops, or in those of a
 * runtime below one of a script.
 */
struct profile_spots {
	/* "spin (server)", "a regular expression called by check (a.js:3)" */
	struct buffer hottest;
	struct buffer of_hottest; /* "98 % of 412 samples, 40 % in the kernel" */
	struct buffer next;	  /* "parse (server): 20 %, copy (server): 9 %" */
	/* The innermost function that nearly all whole stacks have; not if it is the hottest, and
	 * that has nearly all samples for itself. */
	struct buffer within;
	struct buffer of_within; /* "on 99 % of 380 whole stacks" */
	/* That is main() or the loop of a server, which has this place whatever it does. */
	bool is_within_loop;
	bool is_regexp;		 /* the hottest function is in a regular expression */
};

void profile_spots(
	const struct profile_sums *s, const struct process_id *id, struct profile_spots *out);
void profile_spots_fini(struct profile_spots *spots);

#endif
