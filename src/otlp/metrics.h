/* SPDX-License-Identifier: BSD-2-Clause */
/* Sections with metrics (explain/section_metrics.h) as metrics of OTLP, with the names that a
 * scraper of OpenMetrics sees: a sink whose `user` is a struct otlp_metrics. */
#pragma once

#include "explain/sink.h"
#include "otlp/stream.h"

struct otlp_metrics {
	struct otlp_stream *stream;
	uint64_t begin_ns, now_ns; /* UTC: since when counters count, and the time of the values */
};

extern const struct sink_type otlp_metrics_sink;
