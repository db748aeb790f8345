/* SPDX-License-Identifier: BSD-2-Clause */
/* The first line of a diagnosis as it would be now, on the terminal while it still observes. */
#ifndef SOOTH_CLI_RUN_SO_FAR_H
#define SOOTH_CLI_RUN_SO_FAR_H

#include <sys/types.h>

#include "analyze/diagnosis/findings.h"
#include "cli/output/output.h"
#include "cli/terminal/progress.h"

struct run_so_far {
	struct findings_so_far *of; /* NULL: nothing is shown */
	bool use_color;
	uint64_t begin_ns, due_ns;
	uint64_t pause_ns; /* to the next try while nothing is known; twice as long each time */
	/* A report can be made only once: a copy of the process makes it. 0: none runs. */
	pid_t copy;
};

/* `of` NULL: nothing will be shown, and the same if the report does not go to the terminal. */
void run_so_far_begin(struct run_so_far *s, struct findings_so_far *of,
	const struct output_options *output, uint64_t now_ns);
/* In place of progress_step(). */
void run_so_far_step(struct run_so_far *s, struct sooth_report *report, struct progress *progress,
	uint64_t now_ns);
void run_so_far_end(struct run_so_far *s);

#endif
