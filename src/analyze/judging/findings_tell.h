/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of a judgement: who is judged with what is wrong, the host, a summary. */
#ifndef SOOTH_ANALYZE_FINDINGS_TELL_H
#define SOOTH_ANALYZE_FINDINGS_TELL_H

#include "analyze/judging/judging.h"
#include "core/output.h"

int findings_tell_processes(
	struct output *output, const struct judging *s, struct sooth_error *err);
int findings_tell_host(struct output *output, const struct judging *s, struct sooth_error *err);
int findings_tell_summary(struct output *output, const struct judging *s, struct sooth_error *err);

/* Of many judgements. */
struct findings_watch {
	uint64_t begin_ns;
	uint64_t raised, cleared;
};

/* Its figures are of the last judgement: how it stands. */
int findings_tell_watch(struct output *output, const struct judging *s,
	const struct findings_watch *watch, struct sooth_error *err);

#endif
