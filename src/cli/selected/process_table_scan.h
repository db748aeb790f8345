/* SPDX-License-Identifier: BSD-2-Clause */
/* A scan of every process of this host, like that of `sooth ps`, for commands that act. */
#pragma once

#include <sooth/observer.h>
#include <sooth/report.h>

#include "analyze/process_table/process_table.h"
#include "base/error.h"

/* Makes a resolved process table; call process_table_fini() also after a failure. */
int process_table_scan(struct process_table *c, struct sooth_error *err);
/* Scans once for what processes are called and belong to: neither CPU use, which
 * needs two samples, nor installed versions. */
int process_table_scan_names(struct process_table *c, struct sooth_error *err);
/* Scans with executable and control group also of processes unrelated to agents. */
int process_table_scan_all(struct process_table *c, struct sooth_error *err);
/* Takes one sample of all probes into the report. */
int scan_observe_once(struct sooth_observer *o, struct sooth_report *r, struct sooth_error *err);
/* Takes one sample of processes and agents into the report, by an observer whose target is set. */
int process_table_observe_once(struct sooth_observer *o, struct sooth_report *r, unsigned interest,
	struct sooth_error *err);
