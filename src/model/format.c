/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values as people read them, and the line templates of schemas. Nothing here
 * knows a kind: unit and type of the field decide.
 */
#include "model/field.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/units.h"
#include "model/errno_names.h"

void field_label(const struct sooth_field *field, char out[FIELD_LABEL_SIZE])
{
	size_t i;

	assert(field);
	if (field->label) {
		snprintf(out, FIELD_LABEL_SIZE, "%s", field->label);
		return;
	}
	for (i = 0; field->name[i] && i < FIELD_LABEL_SIZE - 1; i++)
		out[i] = field->name[i] == '_' ? ' ' : (char)toupper((unsigned char)field->name[i]);
	out[i] = '\0';
}

static void format_unsigned(struct buffer *out, const struct sooth_field *field, uint64_t v)
{
	char text[UNITS_SIZE];

	switch (field->unit) {
	case SOOTH_UNIT_BYTES:
		buffer_string(out, format_bytes(text, v));
		break;
	case SOOTH_UNIT_NS:
		buffer_string(out, format_ns(text, v));
		break;
	case SOOTH_UNIT_S: /* no more digits than are known */
		if (v < 60)
			buffer_format(out, "%" PRIu64 "s", v);
		else
			buffer_string(out, format_ns(text, v * NS_PER_S));
		break;
	case SOOTH_UNIT_TIME_NS:
		buffer_format(
			out, "%" PRIu64 ".%06" PRIu64, v / NS_PER_S, v % NS_PER_S / NS_PER_US);
		break;
	case SOOTH_UNIT_UTC_NS:
		buffer_string(out, format_utc(text, v));
		break;
	case SOOTH_UNIT_HEX:
		buffer_format(out, "0x%" PRIx64, v);
		break;
	default:
		buffer_u64(out, v);
		break;
	}
}

static void format_enum(struct buffer *out, const struct sooth_field *field, uint64_t v)
{
	const struct sooth_names *names = field->names;

	if (names && v < names->count && names->names[v])
		buffer_string(out, names->names[v]);
	else
		buffer_format(out, "%" PRIu64, v);
}

#define PADDING_LEAST 3 /* blanks in a row; fewer may be an argument */

size_t args_shown(const char *data, size_t size)
{
	size_t end = size;

	while (end && (data[end - 1] == '\0' || data[end - 1] == ' '))
		end--;
	return end && size - end >= PADDING_LEAST ? end : size;
}

/* Appends an argument list as a shell would need it, escaped. */
static void format_args(struct buffer *out, const char *data, size_t size)
{
	size_t at = 0;

	size = args_shown(data, size);

	while (at < size) {
		size_t length = strnlen(data + at, size - at);
		bool quote = length == 0 || memchr(data + at, ' ', length);

		if (at)
			buffer_char(out, ' ');
		if (quote)
			buffer_char(out, '"');
		escape_terminal(out, data + at, length);
		if (quote)
			buffer_char(out, '"');
		at += length + 1;
	}
}

static void format_list(struct buffer *out, const struct sooth_value *v)
{
	for (size_t i = 0; i < v->list.count; i++) {
		uint32_t number;

		memcpy(&number, v->list.data + i * sizeof(number), sizeof(number));
		buffer_format(out, "%s%" PRIu32, i ? "," : "", number);
	}
}

static void format_series(
	struct buffer *out, const struct sooth_field *field, const struct sooth_value *v)
{
	for (size_t i = 0; i < v->list.count; i++) {
		double value = series_at(v, i);

		buffer_string(out, i ? "," : "");
		if (isfinite(value))
			buffer_format(out, "%.*f", field->decimals, value);
	}
}

/* Appends several texts, with "; " between. */
static void format_texts(struct buffer *out, const char *data, size_t size)
{
	for (size_t at = 0; at < size;) {
		size_t length = strnlen(data + at, size - at);

		buffer_string(out, at ? "; " : "");
		escape_terminal(out, data + at, length);
		at += length + 1;
	}
}

static void format_rows(
	struct buffer *out, const struct sooth_field *field, const struct sooth_value *v)
{
	struct batch rows = field_rows(v);
	struct line_plan plan;

	if (!field->rows->line)
		return;
	line_plan(&plan, field->rows);
	batch_for_each (r, &rows) {
		if ((const unsigned char *)r != rows.data)
			buffer_string(out, "; ");
		line_format(out, &plan, r);
	}
}

static void format_real_field(struct buffer *out, const struct sooth_field *field, double v)
{
	char text[UNITS_SIZE];

	if (field->decimals == DECIMALS_EXACT)
		buffer_string(out, format_real(text, v));
	else
		buffer_format(out, "%.*f", field->decimals, v);
}

static void format_present(
	struct buffer *out, const struct sooth_field *field, const struct sooth_value *v)
{
	switch (field->type) {
	case SOOTH_FIELD_SIGNED:
		buffer_i64(out, v->i);
		break;
	case SOOTH_FIELD_REAL:
		format_real_field(out, field, v->f);
		break;
	case SOOTH_FIELD_BOOL:
		buffer_string(out, v->u ? "yes" : "no");
		break;
	case SOOTH_FIELD_ENUM:
		format_enum(out, field, v->u);
		break;
	case SOOTH_FIELD_ERRNO: {
		const char *name = errno_name(v->u);

		if (name)
			buffer_string(out, name);
		else
			buffer_format(out, "errno %" PRIu64, v->u);
		break;
	}
	case SOOTH_FIELD_TEXT:
	case SOOTH_FIELD_CHARS:
		escape_terminal(out, v->text.data, v->text.size);
		break;
	case SOOTH_FIELD_ARGS:
		format_args(out, v->text.data, v->text.size);
		break;
	case SOOTH_FIELD_TEXTS:
		format_texts(out, v->text.data, v->text.size);
		break;
	case SOOTH_FIELD_ROWS:
		format_rows(out, field, v);
		break;
	case SOOTH_FIELD_LIST:
	case SOOTH_FIELD_HISTOGRAM:
		format_list(out, v);
		break;
	case SOOTH_FIELD_SERIES:
		format_series(out, field, v);
		break;
	default:
		format_unsigned(out, field, v->u);
		break;
	}
}

void value_format(struct buffer *out, const struct sooth_field *field, const struct sooth_value *v)
{
	assert(v);
	switch (v->state) {
	case SOOTH_STATE_VALUE:
		format_present(out, field, v);
		break;
	case SOOTH_STATE_TRUNCATED:
		format_present(out, field, v);
		buffer_string(out, "...");
		break;
	case SOOTH_STATE_ABSENT:
		buffer_char(out, '-');
		break;
	case SOOTH_STATE_REDACTED:
		buffer_string(out, "redacted");
		break;
	default:
		buffer_char(out, '?');
		break;
	}
}

size_t sooth_field_text(
	const struct sooth_field *field, const struct sooth_record *record, char *out, size_t size)
{
	struct sooth_value value = sooth_field_get(field, record);
	struct buffer text = { 0 };
	size_t all, written;

	value_format(&text, field, &value);
	all = buffer_failed(&text) ? 0 : text.size;
	written = all < size ? all : size ? size - 1 : 0;
	if (written)
		memcpy(out, text.data, written);
	if (size)
		out[written] = '\0';
	buffer_fini(&text);
	return all;
}

static bool value_is_empty(const struct sooth_value *v)
{
	if (v->state == SOOTH_STATE_ABSENT)
		return true;
	if (v->state == SOOTH_STATE_NOT_MEASURED)
		return v->reason == SOOTH_REASON_NOT_REQUESTED;
	if (v->state != SOOTH_STATE_VALUE)
		return false;
	switch (v->type) {
	case SOOTH_FIELD_TEXT:
	case SOOTH_FIELD_ARGS:
	case SOOTH_FIELD_TEXTS:
	case SOOTH_FIELD_ROWS:
	case SOOTH_FIELD_CHARS:
		return v->text.size == 0;
	case SOOTH_FIELD_LIST:
	case SOOTH_FIELD_SERIES:
		return v->list.count == 0;
	case SOOTH_FIELD_ERRNO:
	case SOOTH_FIELD_BOOL:
		return v->u == 0;
	default:
		return false;
	}
}

/* --- lines --- */

static void plan_part(struct line_plan *plan, struct line_part part)
{
	if (plan->count < LINE_PARTS_MAX)
		plan->parts[plan->count++] = part;
}

/* Parses the field between the braces at `at`, and the noun that it counts. Returns the position
 * after both. */
static const char *plan_field(
	struct line_plan *plan, const struct sooth_schema *schema, const char *at)
{
	const char *end = strchr(at, '}'), *noun;
	struct line_part part = { .kind = LINE_FIELD };
	char name[64];
	size_t size;

	if (!end)
		return at + strlen(at);
	noun = memchr(at, ' ', (size_t)(end - at));
	size = (size_t)((noun ? noun : end) - at);
	if (size >= sizeof(name))
		return end + 1;
	memcpy(name, at, size);
	name[size] = '\0';
	part.field = sooth_schema_field(schema, name);
	part.text = noun;
	part.size = noun ? (size_t)(end - noun) : 0;
	if (part.field)
		plan_part(plan, part);
	return end + 1;
}

void line_plan(struct line_plan *plan, const struct sooth_schema *schema)
{
	assert(schema);

	const char *at = schema->line;
	unsigned depth = 0;

	assert(plan);
	plan->count = 0;
	plan->says_reasons = false;
	while (*at) {
		size_t literal = strcspn(at, "{[]");

		if (literal) {
			plan_part(plan, (struct line_part){
						.kind = LINE_TEXT, .text = at, .size = literal });
			at += literal;
		} else if (*at == '{') {
			at = plan_field(plan, schema, at + 1);
		} else if (*at == '[' && depth < LINE_DEPTH_MAX) {
			plan_part(plan, (struct line_part){ .kind = LINE_OPEN });
			depth++;
			at++;
		} else if (*at == ']' && depth) {
			plan_part(plan, (struct line_part){ .kind = LINE_CLOSE });
			depth--;
			at++;
		} else {
			plan_part(plan,
				(struct line_part){ .kind = LINE_TEXT, .text = at, .size = 1 });
			at++;
		}
	}
}

struct line_state {
	struct buffer *out;
	size_t starts[LINE_DEPTH_MAX]; /* where each open [ began in the output */
	bool empty[LINE_DEPTH_MAX];
	unsigned depth;
	bool says_reasons;
};

/* Appends a noun, " thread", with an s unless the value is 1. */
static void write_noun(
	struct buffer *out, const struct line_part *part, const struct sooth_value *v)
{
	buffer_append(out, part->text, part->size);
	if (part->size && (v->state != SOOTH_STATE_VALUE || v->u != 1))
		buffer_char(out, 's');
}

static void write_field(
	struct line_state *s, const struct line_part *part, const struct sooth_record *record)
{
	struct sooth_value v = sooth_field_get(part->field, record);

	if (s->depth && value_is_empty(&v))
		s->empty[s->depth - 1] = true;
	if (s->says_reasons && v.state == SOOTH_STATE_NOT_MEASURED)
		buffer_format(s->out, "not measured: %s", value_state_text(&v));
	else
		value_format(s->out, part->field, &v);
	write_noun(s->out, part, &v);
}

static void write_close(struct line_state *s)
{
	s->depth--;
	if (s->empty[s->depth] && !s->out->failed)
		s->out->size = s->starts[s->depth];
}

void line_format(
	struct buffer *out, const struct line_plan *plan, const struct sooth_record *record)
{
	assert(out);
	assert(plan);

	struct line_state s = { .out = out, .says_reasons = plan->says_reasons };

	for (size_t i = 0; i < plan->count; i++) {
		const struct line_part *part = &plan->parts[i];

		switch (part->kind) {
		case LINE_TEXT:
			buffer_append(out, part->text, part->size);
			break;
		case LINE_FIELD:
			write_field(&s, part, record);
			break;
		case LINE_OPEN:
			s.starts[s.depth] = out->size;
			s.empty[s.depth++] = false;
			break;
		case LINE_CLOSE:
			write_close(&s);
			break;
		}
	}
}
