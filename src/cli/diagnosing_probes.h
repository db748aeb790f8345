/* SPDX-License-Identifier: BSD-2-Clause */
/* Probes that a diagnosis can do without: whether they work here, and how they are left out. */
#ifndef SOOTH_CLI_DIAGNOSING_PROBES_H
#define SOOTH_CLI_DIAGNOSING_PROBES_H

#include "cli/diagnosing.h"

/* A method of the probe works here; else why the last one does not. */
bool diagnosing_can_observe(const char *probe, struct sooth_error *refusal);
/* "load the programs: not permitted" */
void diagnosing_note_refusal(char text[DIAGNOSING_REASON_BYTES], const struct sooth_error *refusal);
/* It is among the probes of the run. */
void diagnosing_drop_probe(struct run *run, const char *name);
/* The stacks of busy threads, where they are permitted and the caller may want them. */
void diagnosing_add_samples(struct diagnosing *d, struct run *run, bool has_processes);

#endif
