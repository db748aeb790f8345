/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of the monitor's socket that prints the received lines. */
#pragma once

#include <stdint.h>

#include "base/error.h"

struct tail_options {
	const char *folder;   /* folder of the monitor; NULL: ~/.claude/fifos */
	const char *records;  /* "syscalls,api_calls"; NULL: all */
	const char *filter;   /* NULL: every record */
	uint64_t duration_ns; /* 0: until the monitor ends, or tail is stopped */
};

/* Runs the client. Returns 0, or a negative errno with err filled. */
int tail_run(const struct tail_options *options, struct sooth_error *err);
