/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of a diagnosis: each process with its findings, the host, a summary. */
#pragma once

#include "analyze/answer/causes.h"
#include "analyze/diagnosis/diagnosis.h"
#include "explain/output.h"

/* Emits the processes that ended before they were sampled, with findings and a name, in a section
 * of their own: the rows of other sections need a sampled process. */
int finding_gone_emit_all(struct output *output, const struct diagnosis_input *input,
	const struct diagnosed *all, size_t count, struct sooth_error *err);

int findings_emit_processes(
	struct output *output, const struct diagnosis *s, struct sooth_error *err);
int findings_emit_host(struct output *output, const struct diagnosis *s, struct sooth_error *err);
/* `shown`: the causes of the processes that are shown. */
int findings_emit_summary(struct output *output, const struct diagnosis *s,
	const struct causes *shown, struct sooth_error *err);

/* Counts of a watch, over many diagnoses. */
struct findings_watch {
	uint64_t begin_ns;
	uint64_t raised, cleared;
};

/* Emits the summary of a watch; the counts by severity are those of the last diagnosis. */
int findings_emit_watch(struct output *output, const struct diagnosis *s,
	const struct findings_watch *watch, struct sooth_error *err);
