/* SPDX-License-Identifier: BSD-2-Clause */
/* File systems that run out of inodes because of many files of a process, which may be small.
 */
#ifndef SOOTH_ANALYZE_INODE_USE_H
#define SOOTH_ANALYZE_INODE_USE_H

#include "analyze/diagnosis/call_check.h"

/* Reports each file system that runs out of inodes within max_ns, or has only 5 % left; the
 * severity is high if that happens within high_ns. Returns the number of findings. */
size_t inode_use_report(const struct check *e, struct check_result *out,
	const struct check_calls *calls, double max_ns, double high_ns);

#endif
