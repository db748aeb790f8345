/* SPDX-License-Identifier: BSD-2-Clause */
/* Shows the first line of a diagnosis so far on the terminal, while sooth still observes. */
#pragma once

#include <sys/types.h>

#include "analyze/diagnosis/diagnosis_options.h"
#include "cli/output/output.h"
#include "cli/terminal/progress.h"

struct run_so_far {
	struct findings_so_far *of; /* NULL: nothing is shown */
	bool use_color;
	uint64_t begin_ns, due_ns;
	uint64_t pause_ns; /* pause until the next try while nothing is known; doubles each time */
	/* The copy of the process that makes the report: it can be made only once. 0: none runs. */
	pid_t copy;
};

/* Begins. Nothing will be shown if `of` is NULL, or if the report does not go to the terminal. */
void run_so_far_begin(struct run_so_far *s, struct findings_so_far *of,
	const struct output_options *output, uint64_t now_ns);
/* Prints the result so far when it is due. Called instead of progress_step(). */
void run_so_far_step(struct run_so_far *s, struct sooth_report *report, struct progress *progress,
	uint64_t now_ns);
void run_so_far_end(struct run_so_far *s);
