/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that a process looks for again and again: it does not come (`until [ -f ready ]`), or does
 * not go (`while [ -e x.lock ]`). */
#ifndef SOOTH_ANALYZE_AWAITED_PATH_H
#define SOOTH_ANALYZE_AWAITED_PATH_H

#include "analyze/diagnosis/diagnosis_input.h"

/* Behind `before`: "it looks for /srv/ready again and again, which is not there (5 times over 4
 * s)". Nothing: it looks for other files too, or not all the time. */
void awaited_path_put(const struct diagnosis_input *input, const struct process_entry *p,
	const char *before, struct buffer *out);

#endif
