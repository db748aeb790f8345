/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/comparison/comparison.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/comparison/comparing.h"
#include "analyze/comparison/comparison_emit.h"
#include "analyze/records.h"
#include "base/units.h"

#define MAX_SHARE   0.5 /* share of the larger value: a factor of two */
#define FLOOR_BYTES 65536.0
#define FLOOR_NS    10000.0
#define FLOOR_SHARE 1.0 /* difference of shares that matters: one percentage point */
#define TEXT_BYTES  200

/* Two values of one field as numbers. */
struct pair {
	double a, b, noise;
	bool is_rate;
};

/* --- numbers --- */

static double size_of(double value)
{
	return value < 0 ? -value : value;
}

static double larger_of(double a, double b)
{
	return a > b ? a : b;
}

/* Computes a square root by Newton's method, so that the math library is not needed. */
static double root_of(double value)
{
	double root = larger_of(value, 1);

	for (int i = 0; i < 64 && value > 0; i++)
		root = (root + value / root) / 2;
	return value > 0 ? root : 0;
}

static bool is_number(const struct sooth_field *f)
{
	return f->type == SOOTH_FIELD_UNSIGNED || f->type == SOOTH_FIELD_SIGNED ||
	       f->type == SOOTH_FIELD_REAL;
}

static double number_of(const struct sooth_value *v)
{
	switch (v->type) {
	case SOOTH_FIELD_SIGNED:
		return (double)v->i;
	case SOOTH_FIELD_REAL:
		return v->f;
	default:
		return (double)v->u;
	}
}

static double least_of(const struct sooth_field *f)
{
	switch (f->unit) {
	case SOOTH_UNIT_BYTES:
		return FLOOR_BYTES;
	case SOOTH_UNIT_NS:
		return FLOOR_NS;
	case SOOTH_UNIT_PERCENT:
		return FLOOR_SHARE;
	default:
		return 0;
	}
}

/* Computes the values to compare; false: the length of a run is unknown, so counts are useless. */
static bool compute_pair(const struct comparing *c, const struct sooth_field *f, struct pair *p)
{
	double share = f->merge == SOOTH_MERGE_MAX && c->share < MAX_SHARE ? MAX_SHARE : c->share;
	double poisson = 0;

	p->is_rate = f->merge == SOOTH_MERGE_SUM;
	if (p->is_rate) {
		if (c->a_s <= 0 || c->b_s <= 0)
			return false;
		if (f->unit == SOOTH_UNIT_NONE)
			poisson = COMPARISON_SIGMAS * root_of(size_of(p->a) / (c->a_s * c->a_s) +
							      size_of(p->b) / (c->b_s * c->b_s));
		p->a /= c->a_s;
		p->b /= c->b_s;
	}
	p->noise = larger_of(share * larger_of(size_of(p->a), size_of(p->b)), poisson);
	p->noise = larger_of(p->noise, least_of(f));
	return true;
}

static void format_value(
	struct buffer *out, const struct sooth_field *f, double value, bool is_rate)
{
	struct sooth_field shown = *f;
	struct sooth_value v = { .type = SOOTH_FIELD_REAL, .f = value };

	shown.type = SOOTH_FIELD_REAL;
	shown.decimals = f->type == SOOTH_FIELD_REAL || is_rate ? 2 : 0;
	if (f->unit == SOOTH_UNIT_BYTES || f->unit == SOOTH_UNIT_NS || f->unit == SOOTH_UNIT_S) {
		if (value < 0)
			buffer_char(out, '-');
		shown.type = SOOTH_FIELD_UNSIGNED;
		v = (struct sooth_value){ .type = SOOTH_FIELD_UNSIGNED,
			.u = whole_u64(size_of(value)) };
	}
	value_format(out, &shown, &v);
	if (is_rate)
		buffer_string(out, "/s");
}

static const char *unit_name(const struct sooth_field *f)
{
	switch (f->unit) {
	case SOOTH_UNIT_BYTES:
		return "bytes";
	case SOOTH_UNIT_NS:
		return "ns";
	case SOOTH_UNIT_S:
		return "s";
	case SOOTH_UNIT_PERCENT:
		return "percent";
	default:
		return "";
	}
}

/* --- changes --- */

static bool is_of_findings(const struct compared_row *row)
{
	return !strncmp(row->schema->name, "finding", 7);
}

/* Returns whether a field of a finding is compared: severity, confidence, evidence. */
static bool is_said_by_finding(const struct sooth_field *f)
{
	return !strcmp(f->name, "severity") || !strcmp(f->name, "confidence") ||
	       !strcmp(f->name, "value");
}

static void append_change(struct comparing *c, const struct compared_rows *of,
	const struct compared_row *row, struct change_row *change, struct record_tail *tail)
{
	struct buffer *to = is_of_findings(row) ? &c->findings : &c->changes;

	tail[0] = tail_string(&change->table, compared_text(of, &row->table));
	tail[1] = tail_span(&change->row, span_of(compared_text(of, &row->label), row->label.size));
	RECORD_APPEND(to, change, tail, 7);
}

static void emit_numbers(struct comparing *c, const struct compared_row *row,
	const struct sooth_field *f, const struct pair *p)
{
	struct change_row change = { .kind = CHANGE_CHANGED,
		.is_rate = p->is_rate,
		.before_value = p->a,
		.after_value = p->b,
		.noise = p->noise,
		.percent = p->a != 0 ? (p->b - p->a) * 100 / size_of(p->a) : 0,
		.percent_state = p->a != 0 ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct buffer before = { 0 }, after = { 0 }, difference = { 0 };

	format_value(&before, f, p->a, p->is_rate);
	format_value(&after, f, p->b, p->is_rate);
	buffer_string(&difference, p->b > p->a ? "+" : "");
	format_value(&difference, f, p->b - p->a, p->is_rate);
	if (p->a != 0)
		buffer_format(&difference, " (%+.0f %%)", change.percent);
	struct record_tail tail[7] = { { 0 }, { 0 }, tail_string(&change.field, f->name),
		tail_buffer(&change.before, &before), tail_buffer(&change.after, &after),
		tail_buffer(&change.difference, &difference),
		tail_string(&change.unit, unit_name(f)) };

	append_change(c, &c->a, row, &change, tail);
	buffer_fini(&before);
	buffer_fini(&after);
	buffer_fini(&difference);
}

/* Emits a change of two texts. `percent`: difference of their values; 0: no numbers. */
static void emit_words(struct comparing *c, const struct compared_row *row,
	const struct sooth_field *f, struct span a, struct span b, double percent)
{
	struct change_row change = { .kind = CHANGE_CHANGED,
		.percent = percent,
		.value_state = SOOTH_STATE_ABSENT,
		.percent_state = percent != 0 ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.difference_state = percent != 0 ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	char difference[32];

	snprintf(difference, sizeof(difference), "%+.0f %%", percent);
	struct record_tail tail[7] = { { 0 }, { 0 }, tail_string(&change.field, f->name),
		tail_span(&change.before, a), tail_span(&change.after, b),
		tail_string(&change.difference, difference), tail_string(&change.unit, "") };

	append_change(c, &c->a, row, &change, tail);
}

static void emit_row(struct comparing *c, const struct compared_rows *of,
	const struct compared_row *row, enum change_kind kind)
{
	struct change_row change = { .kind = (uint8_t)kind,
		.value_state = SOOTH_STATE_ABSENT,
		.percent_state = SOOTH_STATE_ABSENT,
		.difference_state = SOOTH_STATE_ABSENT,
		.field_state = SOOTH_STATE_ABSENT,
		.before_state = SOOTH_STATE_ABSENT,
		.after_state = SOOTH_STATE_ABSENT };
	const struct sooth_field *severity = sooth_schema_field(row->schema, "severity");
	struct buffer words = { 0 };
	struct record_tail tail[7] = { { 0 }, { 0 }, tail_string(&change.field, ""),
		tail_string(&change.before, ""), tail_string(&change.after, ""),
		tail_string(&change.difference, ""), tail_string(&change.unit, "") };

	/* severity of a finding */
	if (severity && is_of_findings(row)) {
		struct sooth_value v = sooth_field_get(severity, row->record);

		value_format(&words, severity, &v);
		if (kind == CHANGE_APPEARED)
			change.after_state = SOOTH_STATE_VALUE;
		else
			change.before_state = SOOTH_STATE_VALUE;
		tail[kind == CHANGE_APPEARED ? 4 : 3] = tail_buffer(
			kind == CHANGE_APPEARED ? &change.after : &change.before, &words);
	}
	append_change(c, of, row, &change, tail);
	buffer_fini(&words);
}

/* --- comparing --- */

/* Writes a value as in text output; a text as raw bytes, which the sink escapes. */
static void words_of(struct buffer *out, const struct sooth_field *f, const struct sooth_value *v)
{
	if (v->state == SOOTH_STATE_ABSENT)
		buffer_char(out, '-');
	else if (f->type == SOOTH_FIELD_TEXT || f->type == SOOTH_FIELD_CHARS)
		buffer_append(
			out, v->text.data, v->text.size < TEXT_BYTES ? v->text.size : TEXT_BYTES);
	else
		value_format(out, f, v);
}

/* Reads the number in a text such as "46.3M" or "12s". */
static bool value_of(const struct buffer *text, double *value)
{
	static const char suffixes[] = "KMGT";
	char copy[64], *end;
	const char *suffix;

	if (!text->size || text->size >= sizeof(copy))
		return false;
	memcpy(copy, text->data, text->size);
	copy[text->size] = '\0';
	*value = strtod(copy, &end);
	suffix = *end ? strchr(suffixes, *end) : NULL;
	for (; suffix && suffix >= suffixes; suffix--)
		*value *= 1024;
	if (suffix || (*end && strchr(suffixes, *end)))
		end++;
	return end != copy && strspn(end, "Bsnum%") == strlen(end);
}

static void compare_words(struct comparing *c, const struct compared_row *row,
	const struct sooth_field *f, const struct sooth_value *a, const struct sooth_value *b)
{
	struct buffer x = { 0 }, y = { 0 };
	double p = 0, q = 0;
	bool are_values;

	words_of(&x, f, a);
	words_of(&y, f, b);
	if (!span_compare(
		    span_of((const char *)x.data, x.size), span_of((const char *)y.data, y.size))) {
		buffer_fini(&x);
		buffer_fini(&y);
		return;
	}
	are_values = value_of(&x, &p) && value_of(&y, &q);
	if (are_values && size_of(p - q) <= c->share * larger_of(size_of(p), size_of(q))) {
		c->reported.within_noise++;
	} else {
		emit_words(c, row, f, span_of((const char *)x.data, x.size),
			span_of((const char *)y.data, y.size),
			are_values && p != 0 ? (q - p) * 100 / size_of(p) : 0);
		c->reported.changed++;
	}
	buffer_fini(&x);
	buffer_fini(&y);
}

static void compare_numbers(struct comparing *c, const struct compared_row *row,
	const struct sooth_field *f, const struct sooth_value *a, const struct sooth_value *b)
{
	struct pair p = { number_of(a), number_of(b), 0, false };

	if (!compute_pair(c, f, &p)) {
		c->not_measured++;
	} else if (size_of(p.a - p.b) > p.noise) {
		emit_numbers(c, row, f, &p);
		c->reported.changed++;
	} else if (p.a != p.b) {
		c->reported.within_noise++;
	}
}

static void compare_field(struct comparing *c, const struct compared_row *a,
	const struct compared_row *b, const struct sooth_field *f)
{
	struct sooth_value x, y;

	if (is_of_findings(a) && !is_said_by_finding(f))
		return;
	if (!is_comparable(f) || f->type == SOOTH_FIELD_ROWS || f->type == SOOTH_FIELD_LIST ||
		f->type == SOOTH_FIELD_HISTOGRAM || f->type == SOOTH_FIELD_TEXTS ||
		f->type == SOOTH_FIELD_SERIES)
		return;
	x = sooth_field_get(f, a->record);
	y = sooth_field_get(f, b->record);
	if (x.state > SOOTH_STATE_TRUNCATED || y.state > SOOTH_STATE_TRUNCATED)
		c->not_measured += x.state != y.state;
	else if (is_number(f) && value_is_there(&x) && value_is_there(&y))
		compare_numbers(c, a, f, &x, &y);
	else if (value_is_there(&x) || value_is_there(&y))
		compare_words(c, a, f, &x, &y);
}

/* Emits a row that only one side has, together with its nested rows. */
static void emit_alone(struct comparing *c, const struct compared_rows *of,
	struct compared_row *all, size_t index, enum change_kind kind)
{
	struct compared_row *row = &all[index];

	row->is_reported = true;
	if (row->above && all[row->above - 1].is_reported)
		return;
	emit_row(c, of, row, kind);
	if (kind == CHANGE_APPEARED)
		c->reported.appeared++;
	else
		c->reported.vanished++;
}

static void compare_rows(struct comparing *c)
{
	struct compared_row *all = (void *)c->a.rows.data;
	struct compared_row *others = (void *)c->b.rows.data;

	for (size_t i = 0; i < c->a.rows.size / sizeof(*all); i++) {
		struct compared_row *other = compared_rows_find(&c->b, &c->a, &all[i]);

		if (!comparing_has_table(c->b.side, all[i].top))
			continue;
		if (!other) {
			emit_alone(c, &c->a, all, i, CHANGE_VANISHED);
			continue;
		}
		other->is_matched = true;
		c->rows++;
		for (size_t k = 0; k < all[i].schema->field_count; k++)
			compare_field(c, &all[i], other, &all[i].schema->fields[k]);
	}
	for (size_t i = 0; i < c->b.rows.size / sizeof(*others); i++) {
		if (others[i].is_matched || !comparing_has_table(c->a.side, others[i].top))
			continue;
		emit_alone(c, &c->b, others, i, CHANGE_APPEARED);
	}
}

int comparison_emit(struct output *output, const struct comparison_side *a,
	const struct comparison_side *b, double share, struct comparison_reported *reported,
	struct sooth_error *err)
{
	struct comparing c = { .output = output,
		.a_s = (double)comparison_side_ns(a) / NS_PER_S,
		.b_s = (double)comparison_side_ns(b) / NS_PER_S,
		.share = share };
	int status = compared_rows_make(&c.a, a, b, err);

	if (!status)
		status = compared_rows_make(&c.b, b, a, err);
	if (!status)
		compare_rows(&c);
	if (!status && (buffer_failed(&c.findings) || buffer_failed(&c.changes)))
		status = error_no_memory(err);
	if (!status)
		status = comparing_emit(&c, err);
	*reported = c.reported;
	compared_rows_fini(&c.a);
	compared_rows_fini(&c.b);
	buffer_fini(&c.findings);
	buffer_fini(&c.changes);
	return status;
}
