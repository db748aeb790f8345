/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of fs_usage(1) of macOS in its wide form (-w): the time of day, the call, what is known of
 * it, the time it took, the process and its thread. */
#ifndef SOOTH_OS_DARWIN_FS_USAGE_H
#define SOOTH_OS_DARWIN_FS_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

#define FS_USAGE_DAY_NS 86400000000000u

struct fs_usage_line {
	uint64_t day_ns; /* since midnight, at its end */
	struct span call;
	uint64_t fd, bytes, duration_ns, tid;
	uint32_t error;	     /* errno of macOS; 0: none */
	struct span path;    /* empty: none */
	struct span process; /* its name, without the thread */
	bool has_fd, has_bytes;
	bool has_waited; /* it was off the processor meanwhile */
};

/* Without its end. False: it is no such line. */
bool fs_usage_decode(struct fs_usage_line *out, struct span line);

#endif
