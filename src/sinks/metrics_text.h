/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Metrics as text, in the two forms that their readers take: OpenMetrics 1.0, and the older text
 * format of Prometheus (0.0.4), which has no units and no end, and other names of types.
 */
#pragma once

#include "explain/section_metrics.h"
#include "sinks/tabular.h"

/* The state of such a sink. */
struct metrics_text {
	struct tabular out;
	bool is_openmetrics;
	struct buffer rows; /* of the open section: its values are written by metric */
	struct buffer label;
};

int metrics_text_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err);
int metrics_text_section_end(void *state, const struct section *section, struct sooth_error *err);
void metrics_text_close(void *state);
