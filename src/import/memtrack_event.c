/* SPDX-License-Identifier: BSD-2-Clause */
/* A reader of MessagePack (github.com/msgpack/msgpack/blob/master/spec.md) for an event's needs. */
#include "import/memtrack_event.h"

#include "import/memtrack_members.h"

#define MEMBERS_MAX 64
#define DEPTH_MAX   8

enum {
	MAP_SHORT = 0x80,
	LIST_SHORT = 0x90,
	TEXT_SHORT = 0xa0,
	NIL = 0xc0,
	NEVER_USED = 0xc1,
	FALSE_ = 0xc2,
	TRUE_ = 0xc3,
	BYTES_8 = 0xc4,
	BYTES_32 = 0xc6,
	EXTENDED_8 = 0xc7,
	EXTENDED_32 = 0xc9,
	FLOAT_32 = 0xca,
	FLOAT_64 = 0xcb,
	UNSIGNED_8 = 0xcc,
	SIGNED_8 = 0xd0,
	EXTENDED_1 = 0xd4,
	EXTENDED_16 = 0xd8,
	TEXT_8 = 0xd9,
	TEXT_32 = 0xdb,
	LIST_16 = 0xdc,
	LIST_32 = 0xdd,
	MAP_16 = 0xde,
	MAP_32 = 0xdf,
	NEGATIVE_SHORT = 0xe0,
};

struct reader {
	struct cursor bytes; /* failed: the event does not end here */
	bool is_wrong;
};

enum value_type { VALUE_OTHER, VALUE_UNSIGNED, VALUE_TEXT };

struct value {
	enum value_type type;
	uint64_t number;
	struct span text;
};

/* Reads a number of 1, 2, 4 or 8 bytes, the highest byte first. */
static uint64_t read_number(struct reader *r, unsigned bytes)
{
	struct span s = cursor_bytes(&r->bytes, bytes);
	uint64_t number = 0;

	for (size_t i = 0; i < s.size; i++)
		number = number << 8 | (unsigned char)s.data[i];
	return number;
}

static struct span read_bytes(struct reader *r, uint64_t size)
{
	if (size > MEMTRACK_EVENT_BYTES_MAX)
		r->is_wrong = true;
	return r->is_wrong ? (struct span){ 0 } : cursor_bytes(&r->bytes, (size_t)size);
}

static bool has_next_member(const struct reader *r)
{
	return !r->is_wrong && !r->bytes.failed;
}

static struct value read_value(struct reader *r, unsigned depth);

/* Skips the values in a list or map: an event needs none of them. */
static void skip_values(struct reader *r, uint64_t count, unsigned depth)
{
	r->is_wrong |= depth >= DEPTH_MAX || count > MEMTRACK_EVENT_BYTES_MAX;
	for (uint64_t i = 0; i < count && has_next_member(r); i++)
		read_value(r, depth + 1);
}

static struct value unsigned_of(uint64_t number)
{
	return (struct value){ .type = VALUE_UNSIGNED, .number = number };
}

/* Reads a signed number. A negative number is none of an event. */
static struct value read_signed(struct reader *r, unsigned bytes)
{
	uint64_t number = read_number(r, bytes);

	return number >> (bytes * 8 - 1) ? (struct value){ 0 } : unsigned_of(number);
}

static struct value read_text(struct reader *r, uint64_t size)
{
	return (struct value){ .type = VALUE_TEXT, .text = read_bytes(r, size) };
}

static struct value read_long(struct reader *r, unsigned head, unsigned depth)
{
	if (head >= UNSIGNED_8 && head < SIGNED_8)
		return unsigned_of(read_number(r, 1u << (head - UNSIGNED_8)));
	if (head >= SIGNED_8 && head < EXTENDED_1)
		return read_signed(r, 1u << (head - SIGNED_8));
	if (head >= TEXT_8 && head <= TEXT_32)
		return read_text(r, read_number(r, 1u << (head - TEXT_8)));
	if (head >= BYTES_8 && head <= BYTES_32)
		read_bytes(r, read_number(r, 1u << (head - BYTES_8)));
	else if (head >= EXTENDED_8 && head <= EXTENDED_32)
		read_bytes(r, read_number(r, 1u << (head - EXTENDED_8)) + 1);
	else if (head >= EXTENDED_1 && head <= EXTENDED_16)
		read_bytes(r, (1u << (head - EXTENDED_1)) + 1);
	else if (head == FLOAT_32 || head == FLOAT_64)
		read_bytes(r, head == FLOAT_32 ? 4 : 8);
	else if (head == LIST_16 || head == LIST_32)
		skip_values(r, read_number(r, head == LIST_16 ? 2 : 4), depth);
	else if (head == MAP_16 || head == MAP_32)
		skip_values(r, read_number(r, head == MAP_16 ? 2 : 4) * 2, depth);
	else if (head == NEVER_USED)
		r->is_wrong = true;
	return (struct value){ 0 };
}

static struct value read_value(struct reader *r, unsigned depth)
{
	unsigned head = cursor_u8(&r->bytes);

	if (r->bytes.failed)
		return (struct value){ 0 };
	if (head < MAP_SHORT)
		return unsigned_of(head);
	if (head < LIST_SHORT)
		skip_values(r, (head & 15) * 2, depth);
	else if (head < TEXT_SHORT)
		skip_values(r, head & 15, depth);
	else if (head < NIL)
		return read_text(r, head & 31);
	else if (head < NEGATIVE_SHORT)
		return read_long(r, head, depth);
	return (struct value){ 0 };
}

/* --- the event --- */

static unsigned set_member(struct memtrack_event *e, struct span key, const struct value *v)
{
	if (v->type == VALUE_UNSIGNED)
		return memtrack_set_number(e, key, v->number);
	if (v->type != VALUE_TEXT || !span_equal(key, "type"))
		return 0;
	e->type = memtrack_type_of(v->text);
	return MEMTRACK_HAS_TYPE;
}

static uint64_t read_map_head(struct reader *r)
{
	unsigned head = cursor_u8(&r->bytes);
	uint64_t count = head & 15;

	if (head == MAP_16 || head == MAP_32)
		count = read_number(r, head == MAP_16 ? 2 : 4);
	else if (head < MAP_SHORT || head >= LIST_SHORT)
		r->is_wrong = !r->bytes.failed;
	r->is_wrong |= count > MEMBERS_MAX;
	return count;
}

ssize_t memtrack_event_parse(const void *data, size_t size, struct memtrack_event *event)
{
	size_t whole = size < MEMTRACK_EVENT_BYTES_MAX ? size : MEMTRACK_EVENT_BYTES_MAX;
	struct reader r = { .bytes = cursor_over(data, whole) };
	uint64_t count = read_map_head(&r);
	unsigned has = 0;

	*event = (struct memtrack_event){ .type = MEMTRACK_OTHER };
	for (uint64_t i = 0; i < count && has_next_member(&r); i++) {
		struct value key = read_value(&r, 0), value;

		if (has_next_member(&r) && key.type != VALUE_TEXT)
			r.is_wrong = true;
		if (!has_next_member(&r))
			break;
		value = read_value(&r, 0);
		if (has_next_member(&r))
			has |= set_member(event, key.text, &value);
	}
	if (!r.is_wrong && r.bytes.failed)
		return size < MEMTRACK_EVENT_BYTES_MAX ? 0 : -1;
	return r.is_wrong || has != MEMTRACK_HAS_ALL ? -1
						     : (ssize_t)(whole - cursor_left(&r.bytes));
}
