/* SPDX-License-Identifier: BSD-2-Clause */
/* The last error in a process's log, where no finding has it. */
#ifndef SOOTH_ANALYZE_ANSWER_LOG_H
#define SOOTH_ANALYZE_ANSWER_LOG_H

#include "analyze/diagnosis/diagnosis.h"

/* Behind `before`: `its log /srv/app.log ends, 3 s ago, with "KeyError: 'price'", 7 times`: the
 * last error, if the log ends with it or it came meanwhile; else nothing. */
void answer_log(const struct diagnosis *s, const struct diagnosed *j, const char *before,
	struct buffer *out);

#endif
