/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of fs_usage(1) of macOS in its wide form (-w): the time of day, the call, its details, its
 * duration, the process and its thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

#define FS_USAGE_DAY_NS 86400000000000u

struct fs_usage_line {
	uint64_t day_ns; /* end of the call, since midnight */
	struct span call;
	uint64_t fd, bytes, duration_ns, tid;
	uint32_t error;	     /* errno of macOS; 0: none */
	struct span path;    /* empty: none */
	struct span process; /* name of the process, without the thread */
	bool has_fd, has_bytes;
	bool has_waited; /* the thread left the CPU during the call */
};

/* Decodes a line without its newline. False: it is no line of fs_usage. */
bool fs_usage_decode(struct fs_usage_line *out, struct span line);
