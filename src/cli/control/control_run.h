/* SPDX-License-Identifier: BSD-2-Clause */
/* A run that another program controls: requests go to its observer; a snapshot is its report so
 * far. */
#pragma once

#include <stdio.h>

#include <sooth/observer.h>
#include <sooth/report.h>

#include "cli/control/control.h"
#include "cli/selected/target_found.h"

#define CONTROL_OTHERS 7

struct control_run {
	struct control control;
	struct sooth_observer *observer;
	struct sooth_report *report;
	FILE *memory; /* second output of the report, for snapshots */
	char *text;
	size_t size;
	FILE *others[CONTROL_OTHERS];
	bool has_no_report; /* output is lines or frames, so there is no report to snapshot */
	const char *command;
	const struct target_found *found;
};

void control_run_init(struct control_run *c);
/* Sets the report that snapshots print. Must be called before the first block. */
int control_run_add_report(
	struct control_run *c, struct sooth_report *report, struct sooth_error *err);
/* Keeps what requests need. `command`, the name of the subcommand, and `found` stand in errors that
 * suggest another command. `others`: streams that the child of a snapshot must not write to: the
 * child redirects them to /dev/null; NULL: no stream. */
void control_run_begin(struct control_run *c, const char *command, const struct target_found *found,
	FILE *const others[CONTROL_OTHERS]);
void control_run_serve(struct control_run *c, struct sooth_observer *o);
void control_run_close(struct control_run *c);
