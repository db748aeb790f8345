/* SPDX-License-Identifier: BSD-2-Clause */
/* All findings in a box, the most severe first; Enter diagnoses the process of one. */
#ifndef SOOTH_CLI_TOP_FINDINGS_LIST_H
#define SOOTH_CLI_TOP_FINDINGS_LIST_H

#include "cli/top/state.h"

/* The most severe first, in the order in which they came. How many. */
size_t top_findings_sorted(const struct top *t, const struct top_finding *all[FINDINGS_MAX]);
void top_findings_open(struct top *t);
void top_findings_take_key(struct top *t, int key);
void top_findings_draw(struct top *t);

#endif
