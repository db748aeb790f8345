/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads of a pseudo terminal that was closed, which return end of file at once, by all threads. */
#ifndef SOOTH_ANALYZE_CLOSED_TERMINAL_H
#define SOOTH_ANALYZE_CLOSED_TERMINAL_H

#include "analyze/diagnosis/check.h"

struct closed_terminal {
	double per_s;
	int32_t fd;
	uint32_t tid;	   /* the thread that reads most */
	const char *least; /* words before per_s in a sentence: "at least ", or "" */
};

/* Returns whether the process reads a closed terminal again and again. */
bool closed_terminal_is_read(struct closed_terminal *out, const struct check *e);

#endif
