/* SPDX-License-Identifier: BSD-2-Clause */
/* A run that is controlled: requests go to its observer, and a snapshot is its report as of now. */
#ifndef SOOTH_CLI_CONTROL_RUN_H
#define SOOTH_CLI_CONTROL_RUN_H

#include <stdio.h>

#include <sooth/observer.h>
#include <sooth/report.h>

#include "cli/control/control.h"
#include "cli/selected/target_found.h"

struct control_run {
	struct control control;
	struct sooth_observer *observer;
	struct sooth_report *report;
	FILE *memory; /* the report once more, for snapshots */
	char *text;
	size_t size;
	FILE *others[3];
	bool has_no_report; /* lines as they come, or frames: there is nothing that sums up */
	const char *command;
	const struct target_found *found;
};

void control_run_init(struct control_run *c);
/* Before the first block; the report of snapshots. */
int control_run_add_report(
	struct control_run *c, struct sooth_report *report, struct sooth_error *err);
/* Which command it is and of what, to say which other run could do what this one cannot; and three
 * streams that only this process may write to, NULL: none. */
void control_run_begin(struct control_run *c, const char *command, const struct target_found *found,
	FILE *const others[3]);
void control_run_serve(struct control_run *c, struct sooth_observer *o);
void control_run_close(struct control_run *c);

#endif
