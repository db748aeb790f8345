/* SPDX-License-Identifier: BSD-2-Clause */
/* A scan of every process of this host, as `sooth ps` has it, for commands that act. */
#ifndef SOOTH_CLI_SELECTED_PROCESS_TABLE_SCAN_H
#define SOOTH_CLI_SELECTED_PROCESS_TABLE_SCAN_H

#include <sooth/observer.h>
#include <sooth/report.h>

#include "analyze/process_table/process_table.h"
#include "base/error.h"

/* A resolved process table; to be freed by process_table_fini() also after a failure. */
int process_table_scan(struct process_table *c, struct sooth_error *err);
/* The same with executable and control group of processes far from any agent, too. */
int process_table_scan_all(struct process_table *c, struct sooth_error *err);
/* Takes one sample of an observer that has its target: of processes, agents among them, into the
 * report. */
int process_table_observe_once(struct sooth_observer *o, struct sooth_report *r, unsigned interest,
	struct sooth_error *err);

#endif
