/* SPDX-License-Identifier: BSD-2-Clause */
/* "Last hour, 2 sessions: 61 % waited for the model, 22 % ran tools (npm test 9 min), ..." */
#ifndef SOOTH_ANALYZE_PHASE_ANSWER_H
#define SOOTH_ANALYZE_PHASE_ANSWER_H

#include "analyze/phases/phase_sums.h"

void phase_answer_write(
	struct buffer *out, const struct phase_sums *s, const struct phase_history *h);

#endif
