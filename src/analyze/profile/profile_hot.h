/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions in which one process spends CPU time, by sampled stacks. */
#pragma once

#include "analyze/profile/profile_sums.h"

enum profile_place {
	PROFILE_ON_TOP,	 /* the innermost function, in user space or in the kernel */
	PROFILE_IN_USER, /* the innermost function of user space, even if the kernel is on top */
	/* The innermost function of a script, including the interpreter's work for it; without a
	 * script as PROFILE_IN_USER. A regular expression counts for its caller. */
	PROFILE_IN_SCRIPT,
};

struct profile_hot {
	struct span name, file; /* borrowed */
	uint64_t samples;
	uint64_t kernel_samples; /* part of `samples`: in the kernel, below this function */
	uint64_t regexp_samples; /* part of `samples`: in a regular expression that this function
				    uses */
	bool is_named;
};

/* Returns whether most samples of the hot code are in a regular expression. */
bool profile_hot_is_regexp(const struct profile_hot *hot);

/* Appends one struct profile_hot to `out` for each function of `place`, most samples first. Returns
 * the number of all samples of the process, including those without a function of `place`. */
uint64_t profile_hot_functions(const struct profile_sums *s, const struct process_id *id,
	enum profile_place place, struct buffer *out);
/*
 * The functions in which a process spends its time, as texts; empty: nothing to say. `within` helps
 * if the time is spread over many functions called by one that loops, or over functions of a
 * runtime called by a function of a script.
 */
struct profile_spots {
	/* "spin (server)", "a regular expression called by check (a.js:3)" */
	struct buffer hottest;
	struct buffer of_hottest; /* "98 % of 412 samples, 40 % in the kernel" */
	struct buffer next;	  /* "parse (server): 20 %, copy (server): 9 %" */
	/* The innermost function that nearly all whole stacks have; empty if it is also the hottest
	 * and has nearly all samples itself. */
	struct buffer within;
	struct buffer of_within; /* "on 99 % of 380 whole stacks" */
	/* `within` is main() or a server's event loop, which is in every stack. */
	bool is_within_loop;
	bool is_regexp; /* the hottest function is in a regular expression */
};

void profile_spots(
	const struct profile_sums *s, const struct process_id *id, struct profile_spots *out);
void profile_spots_fini(struct profile_spots *spots);
