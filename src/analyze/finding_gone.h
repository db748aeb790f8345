/* SPDX-License-Identifier: BSD-2-Clause */
/* The row of a process that was gone before anything was read of it. */
#ifndef SOOTH_ANALYZE_FINDING_GONE_H
#define SOOTH_ANALYZE_FINDING_GONE_H

#include "analyze/records.h"
#include "core/finding.h"
#include "core/output.h"

struct finding_gone {
	struct process_id id;
	struct span name;
	const struct buffer *findings, *fine, *blind; /* rows */
	uint32_t count;
	enum finding_severity worst;
};

/* `fine` and `blind` are the same for people. */
int finding_gone_tell(struct output *output, const struct finding_gone *gone,
	const struct buffer *fine, const struct buffer *blind, struct sooth_error *err);

#endif
