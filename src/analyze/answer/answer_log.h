/* SPDX-License-Identifier: BSD-2-Clause */
/* The last error in a process's log, unless a finding has it. */
#ifndef SOOTH_ANALYZE_ANSWER_LOG_H
#define SOOTH_ANALYZE_ANSWER_LOG_H

#include "analyze/diagnosis/diagnosis.h"

/* Appends `before` and `its log /srv/app.log ends, 3 s ago, with "KeyError: 'price'", 7 times`, if
 * the log ends with an error, or an error came during the observation. */
void answer_log(const struct diagnosis *s, const struct diagnosed *j, const char *before,
	struct buffer *out);

#endif
