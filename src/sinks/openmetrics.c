/* SPDX-License-Identifier: BSD-2-Clause */
/* The metrics of a report as OpenMetrics 1.0, which ends with "# EOF". */
#include "sinks/metrics_text.h"

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct metrics_text *m = state;

	(void)err;
	tabular_open(&m->out, options->stream, "write metrics");
	m->is_openmetrics = true;
	return 0;
}

static int end(void *state, struct sooth_error *err)
{
	struct metrics_text *m = state;

	buffer_string(&m->out.bytes, "# EOF\n");
	return tabular_sink_end(state, err);
}

const struct sink_type sink_openmetrics = {
	.name = "openmetrics",
	.help = "metrics as OpenMetrics text: agents, sessions, findings",
	.state_size = sizeof(struct metrics_text),
	.is_unlisted = true,
	.open = open_sink,
	.rows = metrics_text_rows,
	.section_end = metrics_text_section_end,
	.end = end,
	.close = metrics_text_close,
};
