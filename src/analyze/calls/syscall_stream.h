/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "syscall-stream". */
#pragma once

#include <sooth/probe_options.h>

enum syscall_stream_time {
	SYSCALL_STREAM_MONOTONIC, /* seconds of CLOCK_MONOTONIC */
	SYSCALL_STREAM_CLOCK,	  /* local time of day */
	SYSCALL_STREAM_RELATIVE,  /* since the previous line */
};

struct syscall_stream_options {
	struct sooth_calls_options calls; /* shown calls, selected as for the probe */
	/* Only calls on this path or below; `real_path` is the same without links. NULL: all. */
	const char *path, *real_path;
	bool only_numbers; /* print descriptors without their files */
	bool is_host;	   /* many processes: each line names its process */
	enum syscall_stream_time time;
};
