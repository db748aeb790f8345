/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/finding_values.h"

#include <assert.h>
#include <string.h>

#include "analyze/diagnosis/check.h"
#include "base/sentence_units.h"

struct buffer *finding_value(struct check_result *out, const char *name)
{
	struct finding_values *v = &out->values;
	size_t at = v->count++;

	assert(v->count <= FINDING_VALUES_MAX);
	v->all[at].name = name;
	buffer_reset(&v->all[at].text);
	return &v->all[at].text;
}

void finding_value_text(struct check_result *out, const char *name, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	buffer_vformat(finding_value(out, name), format, list);
	va_end(list);
}

void finding_value_span(struct check_result *out, const char *name, struct span text)
{
	buffer_append(finding_value(out, name), text.data, text.size);
}

void finding_value_time(struct check_result *out, const char *name, uint64_t ns)
{
	buffer_string(finding_value(out, name), SENTENCE_DURATION(ns));
}

static void put_value(struct buffer *to, const struct check_result *out, struct span name)
{
	const struct finding_values *v = &out->values;
	const char *bar = span_last(name, '|');
	struct span before = span_of(name.data, bar ? (size_t)(bar - name.data) : 0);
	size_t i = 0;

	if (bar)
		name = span_of(bar + 1, name.size - before.size - 1);
	if (span_equal(name, "pid")) {
		buffer_u64(to, out->of->id.pid);
		return;
	}
	while (i < v->count && !span_equal(name, v->all[i].name))
		i++;
	assert(i < v->count); /* else the detector does not set this value */
	if (i == v->count || !v->all[i].text.size)
		return;
	buffer_append(to, before.data, before.size);
	buffer_append(to, v->all[i].text.data, v->all[i].text.size);
}

static void fill_in(struct buffer *to, const struct check_result *out, const char *text)
{
	const char *open, *close;

	while ((open = strchr(text, '{')) && (close = strchr(open, '}'))) {
		buffer_append(to, text, (size_t)(open - text));
		put_value(to, out, span_of(open + 1, (size_t)(close - open - 1)));
		text = close + 1;
	}
	buffer_string(to, text);
}

void finding_claim_row(struct check_result *out, const struct claim_row *row)
{
	assert(out->is_open);
	fill_in(&out->claim, out, row->claim);
	fill_in(&out->remedy, out, row->remedy);
	if (!row->unseen)
		return;
	fill_in(&out->unseen, out, row->unseen);
	buffer_char(&out->unseen, '\0');
}
