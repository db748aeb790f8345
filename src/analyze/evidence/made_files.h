/* SPDX-License-Identifier: BSD-2-Clause */
/* Many files that a process makes, which may be small: file systems run out of inodes, or temporary
 * files are not removed. */
#pragma once

#include "analyze/diagnosis/call_check.h"

/* Reports each file system that runs out of inodes within max_ns, or has only 5 % left; the
 * severity is high if that happens within high_ns. Returns the number of findings. */
size_t inode_use_report(
	const struct check *e, struct check_result *out, double max_ns, double high_ns);

/* Reports the directory with the most such files, if it has at least `min-files` of them, or
 * `min-memory-files` in shared memory. Returns the number of findings. */
size_t left_files_report(const struct check *e, struct check_result *out);
