/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples agents, even without a reader: for the history, which gets the activities of sessions and
 * what is wrong with them, for a collector, for metrics, and for alerts on findings. */
#pragma once

#include <sooth/observer.h>
#include <sooth/report.h>

#include "analyze/diagnosis/diagnosis_options.h"
#include "analyze/fleet/fleet.h"
#include "analyze/phases/phases.h"
#include "cli/otlp/push.h"
#include "cli/state/history_writer.h"
#include "cli/selected/target_found.h"
#include "cli/watch/alerts.h"

#define PHASE_SAMPLE_NS 2000000000ull

struct phase_keeper_options {
	const struct target_found *target; /* whose sessions the history keeps; NULL: all */
	bool has_history;
	const char *folder;	/* of the history; NULL: the default */
	uint64_t most_bytes;	/* of the history; 0: the default */
	uint64_t sample_ns;	/* 0: the default */
	struct otlp_push *push; /* gets what the history gets; NULL: none; borrowed */
	struct fleet *fleet;	/* gets each sample; NULL: no metrics; borrowed */
	struct alerts *alerts;	/* get findings; NULL: none; borrowed */
};

struct phase_keeper {
	bool is_on;
	struct phase_keeper_options options;
	struct history_writer writer;
	struct phases_options view;
	struct fleet_options fleet_view;
	struct findings_options answers;
	struct check_settings settings;	 /* of the diagnoses */
	struct sooth_observer *observer; /* NULL: not running */
	struct sooth_report *report;
	uint64_t retry_ns; /* time of the next try after a failure */
	uint64_t start_ns;
};

int phase_keeper_open(struct phase_keeper *k, const struct phase_keeper_options *options,
	struct sooth_error *err);
/* Observes and stores phases. Called several times a second. Returns a failure once; later calls
 * try again. */
int phase_keeper_step(struct phase_keeper *k, uint64_t now_ns, struct sooth_error *err);
void phase_keeper_close(struct phase_keeper *k);
