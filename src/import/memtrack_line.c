/* SPDX-License-Identifier: BSD-2-Clause */
/* An event as a line of JSON: an object whose values are numbers and texts without escapes. */
#include <string.h>

#include "import/memtrack_members.h"

static void skip_blanks(struct cursor *c)
{
	while (cursor_left(c) && (*c->at == ' ' || *c->at == '\t' || *c->at == '\r'))
		c->at++;
}

static bool parse_char(struct cursor *c, char wanted)
{
	skip_blanks(c);
	if (!cursor_left(c) || *c->at != (unsigned char)wanted)
		return false;
	c->at++;
	return true;
}

/* Reads a text without escapes; fails if there is none. */
static struct span parse_text(struct cursor *c)
{
	const unsigned char *begin;
	struct span text = { 0 };

	if (!parse_char(c, '"')) {
		c->failed = true;
		return text;
	}
	begin = c->at;
	while (cursor_left(c) && *c->at != '"' && *c->at != '\\' && *c->at >= ' ')
		c->at++;
	text = span_of((const char *)begin, (size_t)(c->at - begin));
	if (!parse_char(c, '"'))
		c->failed = true;
	return text;
}

static bool is_number(const struct cursor *c)
{
	return cursor_left(c) && *c->at >= '0' && *c->at <= '9';
}

/* Parses a member. A value that no event has is skipped if it is a word: null, true, -1. */
static unsigned parse_member(struct cursor *c, struct memtrack_event *e)
{
	struct span key = parse_text(c), type;

	if (c->failed || !parse_char(c, ':')) {
		c->failed = true;
		return 0;
	}
	skip_blanks(c);
	if (is_number(c))
		return memtrack_set_number(e, key, cursor_decimal(c));
	if (cursor_left(c) && *c->at == '"') {
		type = parse_text(c);
		if (!span_equal(key, "type"))
			return 0;
		e->type = memtrack_type_of(type);
		return MEMTRACK_HAS_TYPE;
	}
	while (cursor_left(c) && *c->at != ',' && *c->at != '}' && *c->at != '{' && *c->at != '[')
		c->at++;
	return 0;
}

ssize_t memtrack_line_parse(const void *data, size_t size, struct memtrack_event *event)
{
	size_t most = size < MEMTRACK_EVENT_BYTES_MAX ? size : MEMTRACK_EVENT_BYTES_MAX;
	const unsigned char *end = memchr(data, '\n', most);
	struct cursor c;
	unsigned has = 0;

	*event = (struct memtrack_event){ .type = MEMTRACK_OTHER };
	if (!end)
		return size < MEMTRACK_EVENT_BYTES_MAX ? 0 : -1;
	c = cursor_over(data, (size_t)(end - (const unsigned char *)data));
	if (!parse_char(&c, '{'))
		return -1;
	do {
		has |= parse_member(&c, event);
	} while (!c.failed && parse_char(&c, ','));
	if (c.failed || !parse_char(&c, '}') || has != MEMTRACK_HAS_ALL)
		return -1;
	skip_blanks(&c);
	return cursor_left(&c) ? -1 : end - (const unsigned char *)data + 1;
}
