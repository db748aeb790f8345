/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The streaming JSON writer. At the top level values follow each other:
 * a writer of JSON lines puts the newline between them.
 */
#include "base/json.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/units.h"

#define DECIMALS_MAX 17
#define F64_SIZE     352 /* sign, 309 digits of DBL_MAX, a point of some bytes, decimals */

static uint32_t level_bit(const struct json *j)
{
	return 1u << (j->depth - 1);
}

static bool note_misuse(struct json *j)
{
	j->failed = true;
	return false;
}

static void put_newline(struct json *j)
{
	if (!j->indent)
		return;
	buffer_char(j->out, '\n');
	for (size_t i = 0; i < (size_t)j->depth * j->indent && !buffer_failed(j->out); i++)
		buffer_char(j->out, ' ');
}

/* Writes the comma, if any, and the line break before an item of the current container. */
static void put_separator(struct json *j)
{
	if (j->has_items & level_bit(j))
		buffer_char(j->out, ',');
	j->has_items |= level_bit(j);
	put_newline(j);
}

/* Returns whether a value is allowed here. If so, writes the text before the value. */
static bool open_value(struct json *j)
{
	if (j->failed)
		return false;
	if (!j->depth)
		return true;
	if (j->is_object & level_bit(j)) {
		if (!j->has_key)
			return note_misuse(j);
		j->has_key = false;
		return true;
	}
	put_separator(j);
	return true;
}

static void put_value(struct json *j, const char *text)
{
	if (open_value(j))
		buffer_string(j->out, text);
}

static void put_quoted(struct json *j, const char *text, size_t size)
{
	buffer_char(j->out, '"');
	escape_json(j->out, text, size);
	buffer_char(j->out, '"');
}

static void begin_container(struct json *j, bool is_object)
{
	if (j->depth >= JSON_DEPTH_MAX)
		note_misuse(j);
	if (!open_value(j))
		return;
	buffer_char(j->out, is_object ? '{' : '[');
	j->depth++;
	j->has_items &= ~level_bit(j);
	j->is_object &= ~level_bit(j);
	if (is_object)
		j->is_object |= level_bit(j);
}

void json_init(struct json *j, struct buffer *out, unsigned indent)
{
	assert(out);
	*j = (struct json){ .out = out, .indent = indent };
}

void json_begin_object(struct json *j)
{
	begin_container(j, true);
}

void json_begin_array(struct json *j)
{
	begin_container(j, false);
}

void json_end(struct json *j)
{
	bool is_object, has_items;

	assert(j);
	if (j->failed || !j->depth || j->has_key) {
		note_misuse(j);
		return;
	}
	is_object = j->is_object & level_bit(j);
	has_items = j->has_items & level_bit(j);
	j->depth--;
	if (has_items)
		put_newline(j);
	buffer_char(j->out, is_object ? '}' : ']');
}

static void put_key(struct json *j, const char *key, size_t size)
{
	if (j->failed || !key || !j->depth || !(j->is_object & level_bit(j)) || j->has_key) {
		note_misuse(j);
		return;
	}
	put_separator(j);
	put_quoted(j, key, size);
	buffer_char(j->out, ':');
	if (j->indent)
		buffer_char(j->out, ' ');
	j->has_key = true;
}

void json_key(struct json *j, const char *key)
{
	put_key(j, key, key ? strlen(key) : 0);
}

void json_chars(struct json *j, const char *text, size_t size)
{
	if (open_value(j))
		put_quoted(j, text, size);
}

void json_cstring(struct json *j, const char *text)
{
	if (text)
		json_chars(j, text, strlen(text));
	else
		json_nothing(j);
}

void json_u64(struct json *j, uint64_t number)
{
	assert(j);
	if (open_value(j))
		buffer_u64(j->out, number);
}

void json_i64(struct json *j, int64_t number)
{
	assert(j);
	if (open_value(j))
		buffer_i64(j->out, number);
}

void json_f64(struct json *j, double number, unsigned decimals)
{
	char text[F64_SIZE], *point, *rest;

	if (!isfinite(number)) {
		json_nothing(j);
		return;
	}
	if (decimals == DECIMALS_EXACT) {
		put_value(j, format_real(text, number));
		return;
	}
	if (decimals > DECIMALS_MAX)
		decimals = DECIMALS_MAX;
	snprintf(text, sizeof(text), "%.*f", (int)decimals, number);
	/* The program's locale may have another decimal point, of more than one byte. */
	point = text + strspn(text, "-0123456789");
	if (*point) {
		rest = point + strcspn(point, "0123456789");
		*point = '.';
		memmove(point + 1, rest, strlen(rest) + 1);
	}
	put_value(j, text);
}

void json_bool(struct json *j, bool is_true)
{
	put_value(j, is_true ? "true" : "false");
}

void json_nothing(struct json *j)
{
	put_value(j, "null");
}

void json_written(struct json *j, const char *text, size_t size)
{
	assert(j);
	if (open_value(j))
		buffer_append(j->out, text, size);
}

/* --- by a format --- */

/* Writes 'text', a number, true, false or null. Returns the place after it. */
static const char *put_literal(struct json *j, const char *at)
{
	bool is_text = *at == '\'';
	size_t size = is_text ? strcspn(++at, "'") : strspn(at, "-.0123456789aeflnrstu");

	if (is_text && at[size] && at[size + 1] == ':')
		put_key(j, at, size);
	else if (is_text)
		json_chars(j, at, size);
	else if (size)
		json_written(j, at, size);
	if (at[size] == '\'' || (size && !is_text))
		return at + size + is_text;
	note_misuse(j);
	return at + strlen(at);
}

static void put_text_argument(struct json *j, const char *text, int size, bool is_key)
{
	if (is_key)
		json_key(j, text);
	else if (size < 0)
		json_cstring(j, text);
	else
		json_chars(j, text, (size_t)size);
}

/* Writes a conversion: `size` characters stand between its % and its letter. */
static const char *put_argument(struct json *j, const char *at, va_list *args)
{
	size_t size = strspn(at, ".*lz0123456789");
	int before = size && at[1] == '*' ? va_arg(*args, int) : -1;

	switch (at[size]) {
	case 's':
		put_text_argument(j, va_arg(*args, const char *), before, at[size + 1] == ':');
		break;
	case 'u':
		json_u64(j, size > 1 ? va_arg(*args, unsigned long long)
			    : size   ? va_arg(*args, unsigned long)
				     : va_arg(*args, unsigned));
		break;
	case 'd':
		json_i64(j, size > 1 ? va_arg(*args, long long)
			    : size   ? va_arg(*args, long)
				     : va_arg(*args, int));
		break;
	case 'f':
		json_f64(j, va_arg(*args, double),
			before < 0 ? (unsigned)(at[1] - '0') : (unsigned)before);
		break;
	case 'i':
		json_bool(j, va_arg(*args, int));
		break;
	default:
		note_misuse(j);
		return at + strlen(at);
	}
	return at + size + 1;
}

void json_format(struct json *j, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	while (*format) {
		char c = *format;

		if (c == '%') {
			format = put_argument(j, format + 1, &args);
		} else if (!strchr("{}[]:, ", c)) {
			format = put_literal(j, format);
		} else {
			if (c == '{' || c == '[')
				begin_container(j, c == '{');
			else if (c == '}' || c == ']')
				json_end(j);
			format++;
		}
	}
	va_end(args);
}

bool json_is_shallow(const char *text, size_t size, unsigned depth_max)
{
	unsigned depth = 0;
	bool is_text = false;

	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (is_text && c == '\\')
			i++;
		else if (c == '"')
			is_text = !is_text;
		else if (!is_text && (c == '{' || c == '[') && ++depth > depth_max)
			return false;
		else if (!is_text && (c == '}' || c == ']') && depth)
			depth--;
	}
	return true;
}
