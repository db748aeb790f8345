/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "syscall-stream". */
#ifndef SOOTH_ANALYZE_SYSCALL_STREAM_H
#define SOOTH_ANALYZE_SYSCALL_STREAM_H

#include <stdbool.h>

enum syscall_stream_time {
	SYSCALL_STREAM_MONOTONIC, /* seconds of CLOCK_MONOTONIC */
	SYSCALL_STREAM_CLOCK,	  /* of the day, here */
	SYSCALL_STREAM_RELATIVE,  /* since the line before */
};

struct syscall_stream_options {
	const char *set; /* which are shown, as probes/syscall_set.h reads it; NULL: all */
	bool only_failed;
	/* Only calls on it or below it; the second is the same by another name. NULL: all. */
	const char *path, *real_path;
	bool only_numbers; /* descriptors without what they are */
	bool is_host;	   /* of many processes: each line names its process */
	enum syscall_stream_time time;
};

#endif
