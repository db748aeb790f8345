/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Metrics of a section: which fields of its rows are values of metrics, and which are their labels.
 * A format for metrics (OpenMetrics, OTLP) shows the sections that have them, and no others. A
 * value in ns becomes seconds; a value without a measurement has no sample.
 */
#pragma once

#include <stdbool.h>

#include "explain/sink.h"

enum metric_type {
	METRIC_GAUGE,	  /* a value now */
	METRIC_COUNTER,	  /* a sum that only grows, since sooth started */
	METRIC_HISTOGRAM, /* SOOTH_FIELD_HISTOGRAM: slot i counts values from 2^i to 2^(i+1) */
	METRIC_INFO,	  /* always 1; the field is one more label */
};

/* Rows with one name follow each other: they are one metric, and differ by their own label. */
struct section_metric {
	const char *field; /* with the value */
	const char *name;  /* without "_total": "sooth_agent_cpu_seconds"; NULL ends the list */
	enum metric_type type;
	const char *help;
	const char *label, *value; /* a label of its own, beside those of the row; NULL: none */
	/* For a histogram: the field with the sum of the values, and the slots that are shown. */
	const char *sum;
	unsigned first_slot, last_slot;
};

struct section_label {
	const char *field;
	const char *name; /* NULL ends the list */
};

struct section_metrics {
	const struct section_label *labels;
	const struct section_metric *metrics;
};

/* Returns the field with the value; NULL: the section has no such field. */
const struct sooth_field *section_metric_field(
	const struct section *section, const struct section_metric *metric);
/* Returns the count in a slot of a histogram. */
uint32_t section_metric_slot(const struct sooth_value *v, size_t i);
/* Returns the unit of a metric by the unit of its field, as a metric's name has it: "seconds",
 * "bytes"; NULL: a number without a unit. */
const char *section_metric_unit(const struct sooth_field *field);
/* Returns the factor from the field's unit to that of the metric. */
double section_metric_factor(const struct sooth_field *field);
