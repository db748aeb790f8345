/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions in which one process spends CPU time, by sampled stacks. */
#ifndef SOOTH_ANALYZE_PROFILE_HOT_H
#define SOOTH_ANALYZE_PROFILE_HOT_H

#include "analyze/profile/profile_sums.h"

enum profile_place {
	PROFILE_ON_TOP,	 /* the innermost function, in user space or in the kernel */
	PROFILE_IN_USER, /* the innermost function of user space: it called the kernel */
};

struct profile_hot {
	struct span name, file; /* borrowed */
	uint64_t samples;
	uint64_t kernel_samples; /* of these: in the kernel on its behalf */
	bool is_named;
};

/* Appends struct profile_hot, the most samples first. Returns the samples of the process, also
 * those without such a function. */
uint64_t profile_hot_functions(const struct profile_sums *s, const struct process_id *id,
	enum profile_place place, struct buffer *out);
/* The hottest function of user space, in words: "spin (server): 98 % of 412 samples, 40 % in the
 * kernel". Nothing without samples. */
void profile_hottest(
	const struct profile_sums *s, const struct process_id *id, struct buffer *text);

#endif
