/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values as people read them, and the line templates of schemas. Nothing here
 * knows a kind: unit and type of the field decide.
 */
#include "model/field.h"

#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "base/units.h"
#include "model/errno_names.h"

#define LINE_DEPTH_MAX 4 /* nested [...] in a template */

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
	case SOOTH_UNIT_S:
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
		buffer_format(out, "%" PRIu64, v);
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

/* An argument list as a shell would need it written, escaped. */
static void format_args(struct buffer *out, const char *data, size_t size)
{
	size_t at = 0;

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

static void format_present(
	struct buffer *out, const struct sooth_field *field, const struct sooth_value *v)
{
	switch (field->type) {
	case SOOTH_FIELD_SIGNED:
		buffer_format(out, "%" PRId64, v->i);
		break;
	case SOOTH_FIELD_REAL:
		buffer_format(out, "%.*f", field->decimals, v->f);
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
	case SOOTH_FIELD_LIST:
	case SOOTH_FIELD_HISTOGRAM:
		format_list(out, v);
		break;
	default:
		format_unsigned(out, field, v->u);
		break;
	}
}

void value_format(struct buffer *out, const struct sooth_field *field, const struct sooth_value *v)
{
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

static bool value_is_empty(const struct sooth_value *v)
{
	if (v->state == SOOTH_STATE_ABSENT)
		return true;
	if (v->state != SOOTH_STATE_VALUE)
		return false;
	switch (v->type) {
	case SOOTH_FIELD_TEXT:
	case SOOTH_FIELD_ARGS:
	case SOOTH_FIELD_CHARS:
		return v->text.size == 0;
	case SOOTH_FIELD_LIST:
		return v->list.count == 0;
	case SOOTH_FIELD_ERRNO:
	case SOOTH_FIELD_BOOL:
		return v->u == 0;
	default:
		return false;
	}
}

struct line_state {
	struct buffer *out;
	const struct sooth_schema *schema;
	const struct sooth_record *record;
	size_t starts[LINE_DEPTH_MAX]; /* where each open [ began in the output */
	bool empty[LINE_DEPTH_MAX];
	unsigned depth;
};

/* The field named between the braces at `at`; returns the position behind them. */
static const char *line_field(struct line_state *s, const char *at)
{
	const char *end = strchr(at, '}');
	char name[64];
	const struct sooth_field *field;
	struct sooth_value v;

	if (!end || (size_t)(end - at) >= sizeof(name))
		return at + strlen(at);
	memcpy(name, at, (size_t)(end - at));
	name[end - at] = '\0';
	field = sooth_schema_field(s->schema, name);
	if (!field)
		return end + 1;
	v = sooth_field_get(field, s->record);
	if (value_is_empty(&v) && s->depth)
		s->empty[s->depth - 1] = true;
	value_format(s->out, field, &v);
	return end + 1;
}

void line_format(
	struct buffer *out, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct line_state s = { .out = out, .schema = schema, .record = record };
	const char *at = schema->line;

	while (*at) {
		if (*at == '{') {
			at = line_field(&s, at + 1);
			continue;
		}
		if (*at == '[' && s.depth < LINE_DEPTH_MAX) {
			s.starts[s.depth] = out->size;
			s.empty[s.depth++] = false;
		} else if (*at == ']' && s.depth) {
			s.depth--;
			if (s.empty[s.depth] && !out->failed)
				out->size = s.starts[s.depth];
		} else {
			buffer_char(out, *at);
		}
		at++;
	}
}
