/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads of an input that has ended, which return end of file at once, by all threads: of a pseudo
 * terminal that was closed, or of the pipe at standard input, which no process can write to. */
#pragma once

#include "analyze/diagnosis/check.h"

struct ended_input {
	double per_s;
	int32_t fd;
	uint32_t tid;	   /* the thread that reads most */
	const char *least; /* words before per_s in a sentence: "at least ", or "" */
	bool is_pipe;	   /* else a terminal */
};

/* Returns whether the process reads such an input again and again. */
bool ended_input_is_read(struct ended_input *out, const struct check *e);
