/* SPDX-License-Identifier: BSD-2-Clause */
/* The claim and the remedy of a finding about processes or threads that wait for each other, by the
 * kind of circle. */
#ifndef SOOTH_ANALYZE_CIRCLE_CLAIMS_H
#define SOOTH_ANALYZE_CIRCLE_CLAIMS_H

#include "analyze/diagnosis/check_waits.h"

/* Returns the link that waits for a mutex of a thread that has ended, reached through threads of
 * the process; NULL: none. */
const struct wait_link *circle_abandoned(
	const struct check *e, const struct wait_graph *g, const struct wait_chain *chain);
/* Adds the claim, what was not seen, and the remedy. */
void circle_claim(const struct check *e, struct check_result *out, const struct wait_graph *g,
	const struct wait_chain *chain);

#endif
