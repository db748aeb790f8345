/* SPDX-License-Identifier: BSD-2-Clause */
#include "sinks/metrics_text.h"

#include <inttypes.h>

#include "base/escape.h"
#include "base/json.h"
#include "base/units.h"

/* --- labels --- */

/* Writes a text of a target: without controls and invalid UTF-8, and quoted as a label. */
static void put_label_text(
	struct metrics_text *m, struct buffer *out, const char *text, size_t size)
{
	buffer_reset(&m->label);
	escape_terminal(&m->label, text, size);
	for (size_t i = 0; i < m->label.size; i++) {
		char c = (char)m->label.data[i];

		if (c == '\\' || c == '"')
			buffer_char(out, '\\');
		buffer_char(out, c);
	}
}

static void put_label(struct metrics_text *m, const char *name, const char *text, size_t size)
{
	struct buffer *out = &m->out.bytes;
	bool is_first = out->size && out->data[out->size - 1] == '{';

	buffer_format(out, "%s%s=\"", is_first ? "" : ",", name);
	put_label_text(m, out, text, size);
	buffer_char(out, '"');
}

/* Writes a field as a label. A value that is absent has none, which is the same as an empty one. */
static void put_field_label(struct metrics_text *m, const struct section *section,
	const struct section_label *label, const struct sooth_record *row)
{
	const struct sooth_field *f = sooth_schema_field(section->schema, label->field);
	struct sooth_value v = sooth_field_get(f, row);
	struct buffer text = { 0 };

	if (!value_is_there(&v))
		return;
	if (f->type == SOOTH_FIELD_TEXT) {
		if (v.text.size)
			put_label(m, label->name, v.text.data, v.text.size);
		return;
	}
	value_format(&text, f, &v);
	put_label(m, label->name, (const char *)text.data, text.size);
	buffer_fini(&text);
}

/* Writes "name_suffix{labels"; the caller may add one. */
static void begin_sample(struct metrics_text *m, const struct section *section,
	const struct section_metric *metric, const char *suffix, const struct sooth_record *row)
{
	const struct section_label *l = section->metrics->labels;

	buffer_format(&m->out.bytes, "%s%s{", metric->name, suffix);
	for (; l->name; l++)
		put_field_label(m, section, l, row);
	if (metric->value)
		put_label(m, metric->label, metric->value, strlen(metric->value));
}

/* Ends the labels: without any there are no braces. */
static void end_labels(struct metrics_text *m)
{
	struct buffer *out = &m->out.bytes;

	if (out->size && out->data[out->size - 1] == '{')
		out->size--;
	else
		buffer_char(out, '}');
	buffer_char(out, ' ');
}

/* --- values --- */

static void put_seconds(struct buffer *out, uint64_t ns)
{
	buffer_format(out, "%" PRIu64 ".%09" PRIu64, ns / NS_PER_S, ns % NS_PER_S);
}

static void put_value(struct buffer *out, const struct sooth_field *f, const struct sooth_value *v)
{
	struct json number;

	if (v->type == SOOTH_FIELD_REAL) {
		json_init(&number, out, 0);
		json_f64(&number, v->f * section_metric_factor(f), 9);
	} else if (section_metric_factor(f) < 1) {
		put_seconds(out, v->u);
	} else if (v->type == SOOTH_FIELD_SIGNED) {
		buffer_i64(out, v->i);
	} else {
		buffer_u64(out, v->u);
	}
}

static void put_number(struct metrics_text *m, const struct section *section,
	const struct section_metric *metric, const struct sooth_record *row)
{
	const struct sooth_field *f = section_metric_field(section, metric);
	struct sooth_value v = sooth_field_get(f, row);

	if (!value_is_there(&v))
		return;
	begin_sample(m, section, metric, metric->type == METRIC_COUNTER ? "_total" : "", row);
	end_labels(m);
	put_value(&m->out.bytes, f, &v);
	buffer_char(&m->out.bytes, '\n');
}

static void put_info(struct metrics_text *m, const struct section *section,
	const struct section_metric *metric, const struct sooth_record *row)
{
	struct sooth_value v = sooth_field_get(section_metric_field(section, metric), row);

	if (!value_is_there(&v))
		return;
	begin_sample(m, section, metric, "_info", row);
	put_label(m, metric->label, v.text.data, v.text.size);
	end_labels(m);
	buffer_string(&m->out.bytes, "1\n");
}

static void put_bucket(struct metrics_text *m, const struct section *section,
	const struct section_metric *metric, const struct sooth_record *row, unsigned slot,
	uint64_t count)
{
	struct buffer le = { 0 };

	begin_sample(m, section, metric, "_bucket", row);
	if (slot < 63)
		put_seconds(&le, 2ull << slot);
	else
		buffer_string(&le, "+Inf");
	put_label(m, "le", (const char *)le.data, le.size);
	end_labels(m);
	buffer_u64(&m->out.bytes, count);
	buffer_char(&m->out.bytes, '\n');
	buffer_fini(&le);
}

/* A histogram of times: buckets count all that is at most their limit. */
static void put_histogram(struct metrics_text *m, const struct section *section,
	const struct section_metric *metric, const struct sooth_record *row)
{
	const struct sooth_field *sum = sooth_schema_field(section->schema, metric->sum);
	struct sooth_value v = sooth_field_get(section_metric_field(section, metric), row);
	struct sooth_value total = sooth_field_get(sum, row);
	struct buffer *out = &m->out.bytes;
	uint64_t count = 0;

	if (!value_is_there(&v))
		return;
	for (unsigned i = 0; i < v.list.count; i++) {
		count += section_metric_slot(&v, i);
		if (i >= metric->first_slot && i <= metric->last_slot)
			put_bucket(m, section, metric, row, i, count);
	}
	put_bucket(m, section, metric, row, 63, count);
	begin_sample(m, section, metric, "_sum", row);
	end_labels(m);
	put_value(out, sum, &total);
	buffer_char(out, '\n');
	begin_sample(m, section, metric, "_count", row);
	end_labels(m);
	buffer_u64(out, count);
	buffer_char(out, '\n');
}

/* --- families --- */

static void put_samples(
	struct metrics_text *m, const struct section *section, const struct section_metric *metric)
{
	const struct batch rows = { m->rows.data, m->rows.size };

	batch_for_each (r, &rows) {
		if (metric->type == METRIC_INFO)
			put_info(m, section, metric, r);
		else if (metric->type == METRIC_HISTOGRAM)
			put_histogram(m, section, metric, r);
		else
			put_number(m, section, metric, r);
	}
}

static void put_head(
	struct metrics_text *m, const struct section *section, const struct section_metric *metric)
{
	static const char *const types[] = { [METRIC_GAUGE] = "gauge",
		[METRIC_COUNTER] = "counter",
		[METRIC_HISTOGRAM] = "histogram",
		[METRIC_INFO] = "info" };
	const char *unit = section_metric_unit(section_metric_field(section, metric));
	bool is_old = !m->is_openmetrics, is_info = metric->type == METRIC_INFO;
	const char *suffix = !is_old			      ? ""
			     : metric->type == METRIC_COUNTER ? "_total"
			     : is_info			      ? "_info"
							      : "";
	struct buffer *out = &m->out.bytes;

	buffer_format(out, "# HELP %s%s %s\n", metric->name, suffix, metric->help);
	buffer_format(out, "# TYPE %s%s %s\n", metric->name, suffix,
		is_old && is_info ? "gauge" : types[metric->type]);
	if (!is_old && unit)
		buffer_format(out, "# UNIT %s %s\n", metric->name, unit);
}

/* Writes a metric and those that follow with the same name; nothing if no row has a value. Returns
 * the next one. */
static const struct section_metric *put_family(
	struct metrics_text *m, const struct section *section, const struct section_metric *metric)
{
	size_t begin = m->out.bytes.size, after_head;
	const struct section_metric *first = metric;

	put_head(m, section, metric);
	after_head = m->out.bytes.size;
	for (; metric->name && !strcmp(metric->name, first->name); metric++)
		put_samples(m, section, metric);
	if (m->out.bytes.size == after_head)
		m->out.bytes.size = begin;
	return metric;
}

int metrics_text_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct metrics_text *m = state;

	(void)err;
	if (section->metrics)
		buffer_append(&m->rows, batch->data, batch->size);
	return 0;
}

int metrics_text_section_end(void *state, const struct section *section, struct sooth_error *err)
{
	struct metrics_text *m = state;
	const struct section_metric *metric = section->metrics ? section->metrics->metrics : NULL;

	while (metric && metric->name)
		metric = put_family(m, section, metric);
	if (buffer_failed(&m->rows) || buffer_failed(&m->label) || buffer_failed(&m->out.bytes))
		return error_no_memory(err);
	buffer_reset(&m->rows);
	return tabular_write(&m->out, err);
}

void metrics_text_close(void *state)
{
	struct metrics_text *m = state;

	buffer_fini(&m->rows);
	buffer_fini(&m->label);
	tabular_sink_close(state);
}
