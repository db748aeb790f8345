/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs a command and explains its end if it fails, hangs or is killed. The command keeps its
 * terminal, streams and environment, and runs on if sooth is killed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct supervise_options {
	char *const *command;
	uint64_t limit_ns;	/* 0: none */
	uint64_t kill_after_ns; /* time between SIGTERM and SIGKILL */
	bool reads_errors;	/* record what is written to standard error */
	const char *json;	/* file; NULL: none */
};

#define SUPERVISE_TIMED_OUT 124 /* exit status, as of timeout(1) */

/* Returns the exit status of the command, or a negative errno with err filled. */
int supervise_run(const struct supervise_options *options, struct sooth_error *err);
