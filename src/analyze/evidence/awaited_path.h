/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that a process checks again and again, waiting for it to appear (`until [ -f ready ]`) or
 * to disappear (`while [ -e x.lock ]`). */
#ifndef SOOTH_ANALYZE_AWAITED_PATH_H
#define SOOTH_ANALYZE_AWAITED_PATH_H

#include "analyze/diagnosis/diagnosis_input.h"

/* Appends `before` and "it looks for /srv/ready again and again, which is not there (5 times over 4
 * s)"; nothing if the process also looks for other files, or not all the time. */
void awaited_path_put(const struct diagnosis_input *input, const struct process_entry *p,
	const char *before, struct buffer *out);

#endif
