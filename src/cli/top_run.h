/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens the screen of `sooth top`, for each command that has it. */
#pragma once

#include "cli/output/output.h"
#include "cli/run.h"
#include "cli/top_settings.h"

/* The targets that the screen accepts. */
#define TOP_TARGETS (TARGET_MAY_BE_HOST | TARGET_IS_HOST | TARGET_SELECTS_ROWS)

struct top_run {
	struct top_settings settings;
	const struct target_options *target;
	const struct target_found *found;
	const struct arguments *arguments;
	const struct output_options *output; /* options for capture and color */
	const char *agent;		     /* show only this agent; NULL: all */
	const char *filter;		     /* initial filter; NULL: none */
	bool is_reversed;		     /* reverse the order of the sort column */
	const char *const *finder;	     /* see struct alert_options */
};

int top_run(const struct top_run *r, struct sooth_error *err);

/* Returns whether the output options allow the screen: a plain report on this terminal. */
bool top_run_is_possible(const struct output_options *output);
