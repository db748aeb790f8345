/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of a process in the view "overview". */
#ifndef SOOTH_ANALYZE_OVERVIEW_PARTS_H
#define SOOTH_ANALYZE_OVERVIEW_PARTS_H

#include "analyze/overview/call_operations.h"
#include "analyze/diagnosis/diagnosis.h"
#include "analyze/overview/overview.h"
#include "analyze/overview/overview_rows.h"
#include "analyze/calls/syscall_sums.h"

struct overview {
	struct overview_options options;
	struct output *output;
	struct diagnosis diagnosis;
	struct syscall_sums sums;
	struct call_operations operations;
	uint64_t end_ns;	/* of the run; 0: it has not ended */
	struct buffer method;	/* the backend of system calls; empty: none */
	struct buffer fallback; /* why no better one */
};

/* Selects findings for a list. */
typedef bool (*overview_chooser)(const struct finding_row *finding);

bool overview_is_of_calls(const struct finding_row *finding);

/* Each appends whole rows. */
void overview_add_issues(const struct diagnosed *j, overview_chooser chooser, struct buffer *out);
void overview_add_descriptors(
	const struct diagnosis_input *input, const struct diagnosed *j, struct buffer *out);
void overview_add_sample(const struct overview *o, const struct diagnosis_input *input,
	const struct diagnosed *j, struct buffer *out);
void overview_add_calls(const struct overview *o, const struct diagnosis_input *input,
	const struct diagnosed *j, struct buffer *out);

#endif
