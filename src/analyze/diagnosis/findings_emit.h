/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of a judgement: who is judged with what is wrong, the host, a summary. */
#ifndef SOOTH_ANALYZE_FINDINGS_EMIT_H
#define SOOTH_ANALYZE_FINDINGS_EMIT_H

#include "analyze/diagnosis/diagnosis.h"
#include "core/output.h"

int findings_emit_processes(
	struct output *output, const struct diagnosis *s, struct sooth_error *err);
int findings_emit_host(struct output *output, const struct diagnosis *s, struct sooth_error *err);
int findings_emit_summary(
	struct output *output, const struct diagnosis *s, struct sooth_error *err);

/* Of many judgements. */
struct findings_watch {
	uint64_t begin_ns;
	uint64_t raised, cleared;
};

/* Its figures are of the last judgement: how it stands. */
int findings_emit_watch(struct output *output, const struct diagnosis *s,
	const struct findings_watch *watch, struct sooth_error *err);

#endif
