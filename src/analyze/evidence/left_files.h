/* SPDX-License-Identifier: BSD-2-Clause */
/* Temporary files that a process makes again and again and does not remove, by their directory. */
#ifndef SOOTH_ANALYZE_LEFT_FILES_H
#define SOOTH_ANALYZE_LEFT_FILES_H

#include "analyze/diagnosis/call_check.h"

/* Reports the directory with the most such files, if it has at least `min-files` of them, or
 * `min-memory-files` in shared memory. Returns the number of findings. */
size_t left_files_report(
	const struct check *e, struct check_result *out, const struct check_calls *calls);

#endif
