/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of many places it is: each place gets a vote for each different object that fits there. The
 * right one fits everywhere, others by chance.
 */
#ifndef SOOTH_OS_LINUX_JSC_VOTES_H
#define SOOTH_OS_LINUX_JSC_VOTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

#define JSC_VOTES_LEAST 20 /* different objects: fewer decide nothing */
#define JSC_VOTES_TIMES 5  /* the best has to have so many times those of the next one */

struct jsc_votes {
	struct buffer all; /* struct jsc_vote */
};

struct jsc_result {
	uint32_t best; /* the place */
	uint32_t votes, next;
};

void jsc_votes_put(struct jsc_votes *v, uint32_t place, uint64_t object);
/* Empties v. False: nothing is decided; *out has the numbers all the same. */
bool jsc_votes_decide(struct jsc_votes *v, struct jsc_result *out);
void jsc_votes_fini(struct jsc_votes *v);

#endif
