/* SPDX-License-Identifier: BSD-2-Clause */
#include "otlp/metrics.h"

#include <string.h>

#include "explain/section_metrics.h"
#include "model/field.h"

#define CUMULATIVE 2 /* enum AggregationTemporality */

struct metrics_sink {
	const struct otlp_metrics *metrics;
	struct buffer rows; /* of the section */
	struct buffer text;
};

/* The points of one metric share this. */
struct family {
	struct metrics_sink *sink;
	const struct section *section;
	struct otlp_message *message;
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	(void)err;
	((struct metrics_sink *)state)->metrics = options->user;
	return 0;
}

static int keep_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct metrics_sink *s = state;

	if (section->metrics)
		buffer_append(&s->rows, batch->data, batch->size);
	return buffer_failed(&s->rows) ? error_no_memory(err) : 0;
}

/* --- points --- */

static void put_label(const struct family *f, enum otlp_field list, const char *name,
	const char *text, size_t size)
{
	otlp_attribute_text(f->message, list, name,
		otlp_stream_text(f->sink->metrics->stream, span_of(text, size), OTLP_PUBLIC));
}

static void put_field_label(const struct family *f, enum otlp_field list,
	const struct section_label *label, const struct sooth_record *row)
{
	const struct sooth_field *field = sooth_schema_field(f->section->schema, label->field);
	struct sooth_value v = sooth_field_get(field, row);
	struct buffer *text = &f->sink->text;

	if (!value_is_there(&v))
		return;
	if (field->type == SOOTH_FIELD_TEXT) {
		put_label(f, list, label->name, v.text.data, v.text.size);
		return;
	}
	buffer_reset(text);
	value_format(text, field, &v);
	put_label(f, list, label->name, (const char *)text->data, text->size);
}

static void put_labels(const struct family *f, enum otlp_field list,
	const struct section_metric *metric, const struct sooth_value *v,
	const struct sooth_record *row)
{
	for (const struct section_label *l = f->section->metrics->labels; l->name; l++)
		put_field_label(f, list, l, row);
	if (metric->type == METRIC_INFO)
		put_label(f, list, metric->label, v->text.data, v->text.size);
	else if (metric->value)
		put_label(f, list, metric->label, metric->value, strlen(metric->value));
}

static double number_of(const struct sooth_field *field, const struct sooth_value *v)
{
	double number = v->type == SOOTH_FIELD_REAL	? v->f
			: v->type == SOOTH_FIELD_SIGNED ? (double)v->i
							: (double)v->u;

	return number * section_metric_factor(field);
}

static void put_times(const struct family *f, bool has_begin)
{
	if (has_begin)
		otlp_number(f->message, OTLP_POINT_START, f->sink->metrics->begin_ns);
	otlp_number(f->message, OTLP_POINT_TIME, f->sink->metrics->now_ns);
}

static void put_number(const struct family *f, const struct section_metric *metric,
	const struct sooth_field *field, const struct sooth_value *v,
	const struct sooth_record *row)
{
	bool is_whole = v->type != SOOTH_FIELD_REAL && section_metric_factor(field) >= 1;

	put_times(f, metric->type == METRIC_COUNTER);
	if (metric->type == METRIC_INFO)
		otlp_number(f->message, OTLP_POINT_INT, 1);
	else if (is_whole)
		otlp_number(f->message, OTLP_POINT_INT, v->u);
	else
		otlp_real(f->message, OTLP_POINT_DOUBLE, number_of(field, v));
	put_labels(f, OTLP_POINT_ATTRIBUTES, metric, v, row);
}

/* Slot i has the values up to 2^(i+1); the first and the last bucket have those beyond. */
static void put_histogram(const struct family *f, const struct section_metric *metric,
	const struct sooth_field *field, const struct sooth_value *v,
	const struct sooth_record *row)
{
	const struct sooth_field *sum = sooth_schema_field(f->section->schema, metric->sum);
	struct sooth_value total = sooth_field_get(sum, row);
	uint64_t count = 0, bucket = 0;

	put_times(f, true);
	for (size_t i = 0; i < v->list.count; i++)
		count += section_metric_slot(v, i);
	otlp_number(f->message, OTLP_HISTOGRAM_COUNT, count);
	if (value_is_there(&total))
		otlp_real(f->message, OTLP_HISTOGRAM_SUM, number_of(sum, &total));
	for (size_t i = 0; i < v->list.count; i++) {
		bucket += section_metric_slot(v, i);
		if (i < metric->first_slot || i > metric->last_slot)
			continue;
		otlp_number(f->message, OTLP_HISTOGRAM_COUNTS, bucket);
		bucket = 0;
	}
	otlp_number(f->message, OTLP_HISTOGRAM_COUNTS, bucket);
	for (size_t i = metric->first_slot; i <= metric->last_slot && i < v->list.count; i++)
		otlp_real(f->message, OTLP_HISTOGRAM_BOUNDS,
			(double)(2ull << i) * section_metric_factor(field));
	put_labels(f, OTLP_HISTOGRAM_ATTRIBUTES, metric, v, row);
}

/* --- metrics --- */

static void put_points(const struct family *f, const struct section_metric *metric)
{
	const struct batch rows = { f->sink->rows.data, f->sink->rows.size };
	const struct sooth_field *field = section_metric_field(f->section, metric);

	batch_for_each (r, &rows) {
		struct sooth_value v = sooth_field_get(field, r);

		if (!value_is_there(&v))
			continue;
		otlp_begin(f->message, OTLP_DATA_POINTS);
		if (metric->type == METRIC_HISTOGRAM)
			put_histogram(f, metric, field, &v, r);
		else
			put_number(f, metric, field, &v, r);
		otlp_end(f->message);
	}
}

static void put_head(const struct family *f, const struct section_metric *metric)
{
	/* The units of UCUM. */
	const char *unit = section_metric_unit(section_metric_field(f->section, metric));
	struct buffer *name = &f->sink->text;

	buffer_reset(name);
	buffer_format(name, "%s%s", metric->name, metric->type == METRIC_INFO ? "_info" : "");
	otlp_text(f->message, OTLP_METRIC_NAME, span_of_string(buffer_cstr(name)));
	otlp_text(f->message, OTLP_METRIC_DESCRIPTION, span_of_string(metric->help));
	if (unit && metric->type != METRIC_INFO)
		otlp_text(f->message, OTLP_METRIC_UNIT,
			span_of_string(strcmp(unit, "seconds") ? "By" : "s"));
}

/* Returns the metric behind those with the same name. */
static const struct section_metric *end_of_family(const struct section_metric *first)
{
	const struct section_metric *end = first;

	while (end->name && !strcmp(end->name, first->name))
		end++;
	return end;
}

static bool has_values(const struct family *f, const struct section_metric *metric,
	const struct section_metric *end)
{
	const struct batch rows = { f->sink->rows.data, f->sink->rows.size };

	for (; metric < end; metric++) {
		const struct sooth_field *field = section_metric_field(f->section, metric);

		batch_for_each (r, &rows) {
			struct sooth_value v = sooth_field_get(field, r);

			if (value_is_there(&v))
				return true;
		}
	}
	return false;
}

static void put_family(
	struct family *f, const struct section_metric *first, const struct section_metric *end)
{
	static const enum otlp_field kinds[] = { [METRIC_GAUGE] = OTLP_METRIC_GAUGE,
		[METRIC_COUNTER] = OTLP_METRIC_SUM,
		[METRIC_HISTOGRAM] = OTLP_METRIC_HISTOGRAM,
		[METRIC_INFO] = OTLP_METRIC_GAUGE };
	const struct process_id host = { 0 };
	struct otlp_stream *stream = f->sink->metrics->stream;
	struct otlp_session own = otlp_stream_describe(stream, &host, span_of("", 0));
	bool is_sum = first->type == METRIC_COUNTER;

	f->message = otlp_stream_open(stream, OTLP_METRICS, &own);
	put_head(f, first);
	otlp_begin(f->message, kinds[first->type]);
	for (const struct section_metric *metric = first; metric < end; metric++)
		put_points(f, metric);
	if (is_sum || first->type == METRIC_HISTOGRAM)
		otlp_number(f->message, OTLP_TEMPORALITY, CUMULATIVE);
	if (is_sum)
		otlp_number(f->message, OTLP_IS_MONOTONIC, true);
	otlp_end(f->message);
	otlp_end(f->message);
}

static int end_section(void *state, const struct section *section, struct sooth_error *err)
{
	struct metrics_sink *s = state;
	struct family family = { s, section, NULL };
	const struct section_metric *metric = section->metrics ? section->metrics->metrics : NULL;
	int status = 0;

	while (metric && metric->name && !status) {
		const struct section_metric *end = end_of_family(metric);

		if (has_values(&family, metric, end))
			put_family(&family, metric, end);
		status = otlp_stream_pass_on(s->metrics->stream, OTLP_REQUEST_BYTES, err);
		metric = end;
	}
	buffer_reset(&s->rows);
	return status;
}

static int end_report(void *state, struct sooth_error *err)
{
	return otlp_stream_pass_on(((struct metrics_sink *)state)->metrics->stream, 0, err);
}

static void close_sink(void *state)
{
	struct metrics_sink *s = state;

	buffer_fini(&s->rows);
	buffer_fini(&s->text);
}

const struct sink_type otlp_metrics_sink = {
	.name = "otlp",
	.help = "metrics for a collector of OpenTelemetry",
	.state_size = sizeof(struct metrics_sink),
	.open = open_sink,
	.rows = keep_rows,
	.section_end = end_section,
	.end = end_report,
	.close = close_sink,
};
