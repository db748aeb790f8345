/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults of agents that a later version fixed, by the lists of changes that the agents publish. */
#ifndef SOOTH_ANALYZE_KNOWN_FAULTS_H
#define SOOTH_ANALYZE_KNOWN_FAULTS_H

#include "analyze/diagnosis/check.h"

/* Adds to the open finding the faults of the running version that explain it. */
void known_faults_of_finding(const struct check *e, struct check_result *out);
/* Adds to the open finding the faults that the newer version no longer has. */
void known_faults_between(struct check_result *out, const struct agent *agent, struct span running,
	struct span newer);

#endif
