/* SPDX-License-Identifier: BSD-2-Clause */
/* Chooses one of many places: a place gets a vote for each different object that fits there. The
 * right place fits everywhere, the others only by chance. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

#define JSC_VOTES_LEAST 20 /* different objects: with fewer, nothing is decided */
#define JSC_VOTES_TIMES 5  /* the best must have so many times the votes of the next */

struct jsc_votes {
	struct buffer all; /* struct jsc_vote */
};

struct jsc_result {
	uint32_t best; /* the place with most votes */
	uint32_t votes, next;
};

void jsc_votes_put(struct jsc_votes *v, uint32_t place, uint64_t object);
/* Counts the votes and empties *v. False: nothing is decided, but *out has the numbers. */
bool jsc_votes_decide(struct jsc_votes *v, struct jsc_result *out);
void jsc_votes_fini(struct jsc_votes *v);
