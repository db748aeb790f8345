/* SPDX-License-Identifier: BSD-2-Clause */
/* File systems that run out of inodes, by the files that a process makes: their bytes may be few.
 */
#ifndef SOOTH_ANALYZE_INODE_USE_H
#define SOOTH_ANALYZE_INODE_USE_H

#include "analyze/diagnosis/call_check.h"

/* Reports each file system that will have no inodes left within max_ns, or has 5 % of them left;
 * severity is high within high_ns. Returns the number of findings. */
size_t inode_use_report(const struct check *e, struct check_result *out,
	const struct check_calls *calls, double max_ns, double high_ns);

#endif
