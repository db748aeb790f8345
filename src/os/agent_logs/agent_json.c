/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON of agents. */
#include "os/agent_logs/agent_json.h"

#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/units.h"
#include "recognize/agent_path.h"

#define YEAR_MAX 2261 /* the largest year that fits nanoseconds */

json_t *agent_json_object(const void *data, size_t size)
{
	json_t *json;

	if (!size || size > AGENT_JSON_MAX || !json_is_shallow(data, size, AGENT_JSON_DEPTH))
		return NULL;
	json = json_loadb(data, size, 0, NULL);
	if (!json_is_object(json)) {
		json_decref(json);
		return NULL;
	}
	return json;
}

bool agent_json_first_members(struct buffer *out, struct span text)
{
	const char *begin = memchr(text.data, '{', text.size);
	size_t from = begin ? (size_t)(begin - text.data) : text.size, comma = 0;
	bool is_text = false;

	for (size_t i = from + 1; i < text.size; i++) {
		char c = text.data[i];

		if (is_text && c == '\\')
			i++;
		else if (c == '"')
			is_text = !is_text;
		else if (!is_text && c == ',')
			comma = i;
		else if (!is_text && (c == '{' || c == '[' || c == '}'))
			break;
	}
	if (!comma)
		return false;
	buffer_append(out, text.data + from, comma - from);
	buffer_char(out, '}');
	return true;
}

json_t *agent_json_marked(struct span line, const char *const marks[AGENT_MARKS_MAX])
{
	for (size_t i = 0; i < AGENT_MARKS_MAX && marks[i]; i++) {
		if (span_contains(line, marks[i]))
			return agent_json_object(line.data, line.size);
	}
	return NULL;
}

static struct span text_of(const json_t *object, const char *key)
{
	const json_t *member = key ? json_object_get(object, key) : NULL;

	if (!json_is_string(member))
		return span_of("", 0);
	return span_of(json_string_value(member), json_string_length(member));
}

bool agent_json_word(const json_t *object, const char *key, char *out, size_t room)
{
	struct span text = text_of(object, key);

	out[0] = '\0';
	if (!agent_word_is_plain(text, room - 1))
		return false;
	memcpy(out, text.data, text.size);
	out[text.size] = '\0';
	return true;
}

bool agent_json_words(const json_t *object, const char *key, char *out, size_t room)
{
	struct span text = text_of(object, key);
	struct cursor c = cursor_over(text.data, text.size);

	out[0] = '\0';
	if (!text.size || text.size >= room)
		return false;
	while (!cursor_at_end(&c)) {
		if (!agent_word_is_plain(cursor_until(&c, ' '), room - 1))
			return false;
	}
	memcpy(out, text.data, text.size);
	out[text.size] = '\0';
	return true;
}

bool agent_json_is(const json_t *object, const char *key, const char *text)
{
	return span_equal(text_of(object, key), text);
}

bool agent_json_number(const json_t *object, const char *key, uint64_t *number)
{
	const json_t *member = key ? json_object_get(object, key) : NULL;

	if (!json_is_integer(member))
		return span_decimal(text_of(object, key), number);
	if (json_integer_value(member) < 0)
		return false;
	*number = (uint64_t)json_integer_value(member);
	return true;
}

/* The given number of digits, and the character that has to follow. */
static bool take_number(struct span *text, int *value, size_t digits, char end)
{
	uint64_t number;

	if (text->size <= digits || text->data[digits] != end ||
		!span_decimal(span_of(text->data, digits), &number))
		return false;
	*value = (int)number;
	*text = span_of(text->data + digits + 1, text->size - digits - 1);
	return true;
}

/* "832Z" after the decimal point; digits below a nanosecond are dropped. */
static bool take_fraction(struct span text, uint64_t *ns)
{
	uint64_t unit = NS_PER_S;

	*ns = 0;
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if (c == 'Z')
			return i && i + 1 == text.size;
		if (c < '0' || c > '9')
			return false;
		unit /= 10;
		*ns += unit * (uint64_t)(c - '0');
	}
	return false;
}

uint64_t agent_json_utc_of(struct span text)
{
	struct tm tm = { 0 };
	uint64_t ns = 0;
	time_t seconds;

	if (!take_number(&text, &tm.tm_year, 4, '-') || !take_number(&text, &tm.tm_mon, 2, '-') ||
		!take_number(&text, &tm.tm_mday, 2, 'T') ||
		!take_number(&text, &tm.tm_hour, 2, ':') || !take_number(&text, &tm.tm_min, 2, ':'))
		return 0;
	if (take_number(&text, &tm.tm_sec, 2, '.')) {
		if (!take_fraction(text, &ns))
			return 0;
	} else if (!take_number(&text, &tm.tm_sec, 2, 'Z') || text.size) {
		return 0;
	}
	if (tm.tm_year < 1970 || tm.tm_year > YEAR_MAX || tm.tm_mon < 1 || tm.tm_mon > 12 ||
		tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 ||
		tm.tm_sec > 60)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	seconds = timegm(&tm);
	return seconds < 0 ? 0 : (uint64_t)seconds * NS_PER_S + ns;
}

uint64_t agent_json_utc_ns(const json_t *object, const char *key)
{
	const json_t *member = key ? json_object_get(object, key) : NULL;
	json_int_t ms = json_integer_value(member); /* 0 if it is no integer */

	if (!json_is_integer(member))
		return agent_json_utc_of(text_of(object, key));
	return ms > 0 && (uint64_t)ms < UINT64_MAX / NS_PER_MS ? (uint64_t)ms * NS_PER_MS : 0;
}
