/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the activities of agents' sessions to the history, from samples, even without a reader. */
#ifndef SOOTH_CLI_PHASE_KEEPER_H
#define SOOTH_CLI_PHASE_KEEPER_H

#include <sooth/observer.h>
#include <sooth/report.h>

#include "analyze/phases/phases.h"
#include "cli/state/history_writer.h"
#include "cli/selected/target_found.h"

#define PHASE_SAMPLE_NS 2000000000ull

struct phase_keeper {
	bool is_on;
	uint64_t sample_ns;
	const struct target_found *target; /* NULL: all agents; borrowed */
	struct history_writer writer;
	struct phases_options view;
	struct sooth_observer *observer; /* NULL: not running */
	struct sooth_report *report;
	uint64_t retry_ns; /* time of the next try after a failure */
	uint64_t start_ns;
};

/* Begins. `folder` NULL: the default. Keeps only sessions of `target`; NULL: all. */
int phase_keeper_open(struct phase_keeper *k, const struct target_found *target, const char *folder,
	uint64_t most_bytes, uint64_t sample_ns, struct sooth_error *err);
/* Observes and stores phases. Called several times a second. Returns a failure once; later calls
 * try again. */
int phase_keeper_step(struct phase_keeper *k, uint64_t now_ns, struct sooth_error *err);
void phase_keeper_close(struct phase_keeper *k);

#endif
