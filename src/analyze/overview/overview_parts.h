/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of a process in the view "overview". */
#ifndef SOOTH_ANALYZE_OVERVIEW_PARTS_H
#define SOOTH_ANALYZE_OVERVIEW_PARTS_H

#include "analyze/diagnosis/diagnosis.h"
#include "analyze/overview/overview_rows.h"

/* Selects findings for a list. */
typedef bool (*overview_chooser)(const struct finding_row *finding);

bool overview_is_of_calls(const struct finding_row *finding);

/* Each appends whole rows. */
void overview_add_issues(const struct diagnosed *j, overview_chooser chooser, struct buffer *out);
void overview_add_descriptors(
	const struct diagnosis_input *input, const struct diagnosed *j, struct buffer *out);
/* refused: why stacks were not sampled; NULL: they were. */
void overview_add_sample(const char *refused, const struct diagnosis_input *input,
	const struct diagnosed *j, struct buffer *out);

#endif
