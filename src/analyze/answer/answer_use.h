/* SPDX-License-Identifier: BSD-2-Clause */
/* The resources that a single process uses, for the end of its first line. */
#ifndef SOOTH_ANALYZE_ANSWER_USE_H
#define SOOTH_ANALYZE_ANSWER_USE_H

#include "analyze/diagnosis/diagnosis.h"

/* "it uses 60.2 % CPU (98 % of that in work (app.js:3)) and 45.7 MiB of memory, started 10 s ago";
 * "; " comes first if `out` has text already. */
void answer_put_use(const struct diagnosis *s, struct buffer *out);

#endif
