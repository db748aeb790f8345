/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metrics of a report in the text format 0.0.4 of Prometheus, which node_exporter reads
 * from files, and readers of older versions understand.
 */
#include "sinks/metrics_text.h"

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct metrics_text *m = state;

	(void)err;
	tabular_open(&m->out, options->stream, "write metrics");
	return 0;
}

const struct sink_type sink_prometheus = {
	.name = "prometheus",
	.help = "the same in the older text format of Prometheus, for node_exporter",
	.state_size = sizeof(struct metrics_text),
	.is_unlisted = true,
	.open = open_sink,
	.rows = metrics_text_rows,
	.section_end = metrics_text_section_end,
	.end = tabular_sink_end,
	.close = metrics_text_close,
};
