/* SPDX-License-Identifier: BSD-2-Clause */
/* A string is flat, or refers to others: to two halves, to a part of another one, to another one,
 * or to memory outside the heap. */
#include "os/linux/runtimes/v8/v8_text.h"

#include <string.h>

#include "base/utf8.h"

#define PIECES_MAX	32 /* strings of which one string consists */
#define UNCACHED	16 /* bit in a type: the address of outside letters is not cached */
#define SMALL_SHIFT	32
#define LETTERS_DATA	8 /* offset behind the resource of an outside string */
#define STEPS_MAX	4 /* steps to a flat string */
#define LETTERS_MAX_ALL (1u << 29)

uint64_t v8_word(const struct v8_memory *m, uint64_t object, size_t offset)
{
	uint64_t word;

	if (!v8_is_object(m, object) ||
		!m->read(m->user, object - (uint64_t)m->layout->tag + offset, &word, sizeof(word)))
		return 0;
	return word;
}

int v8_type(const struct v8_memory *m, uint64_t object)
{
	uint64_t map = v8_word(m, object, 0);
	uint16_t type;

	if (!v8_is_object(m, map) ||
		!m->read(m->user, map - (uint64_t)m->layout->tag + m->layout->shared.map_type,
			&type, sizeof(type)))
		return -1;
	return type;
}

bool v8_is_string(const struct v8_memory *m, uint64_t object)
{
	int type = v8_type(m, object);

	return type >= 0 && type < m->layout->type_nonstring;
}

bool v8_is_small(uint64_t word)
{
	return !(word & UINT32_MAX);
}

int32_t v8_small(uint64_t word)
{
	return (int32_t)(word >> SMALL_SHIFT);
}

static uint32_t length_of(const struct v8_memory *m, uint64_t string)
{
	uint32_t length = (uint32_t)v8_word(m, string, (size_t)m->layout->string_length);

	return length < LETTERS_MAX_ALL ? length : 0;
}

/* Follows a string that refers to all of another string, or a part of it. */
static bool follow_string(const struct v8_memory *m, int kind, uint64_t *string, uint32_t *from)
{
	const struct v8_layout *l = m->layout;

	if (kind == l->string_thin) {
		*string = v8_word(m, *string, (size_t)l->thin_actual);
		return true;
	}
	if (kind != l->string_sliced || l->sliced_parent < 0 || l->sliced_offset < 0)
		return false;
	*from += (uint32_t)v8_small(v8_word(m, *string, (size_t)l->sliced_offset));
	*string = v8_word(m, *string, (size_t)l->sliced_parent);
	return true;
}

/* Finds the letters of a string; `from` is the offset of the first. */
static bool place_letters(
	const struct v8_memory *m, uint64_t string, uint32_t from, struct v8_letters *out)
{
	const struct v8_layout *l = m->layout;

	for (int step = 0; step < STEPS_MAX; step++) {
		int type = v8_type(m, string), kind = type & l->string_mask;

		if (type < 0 || type >= l->type_nonstring)
			return false;
		if (follow_string(m, kind, &string, &from))
			continue;
		out->bytes = (type & l->string_encoding) == l->string_one_byte ? 1 : 2;
		if (kind == l->string_seq)
			out->address = string - (uint64_t)l->tag + (uint64_t)l->string_letters;
		else if (kind == l->string_external && l->external_resource >= 0 &&
			 !(type & UNCACHED))
			out->address =
				v8_word(m, string, (size_t)l->external_resource + LETTERS_DATA);
		else
			return false;
		out->address += (uint64_t)from * out->bytes;
		return from <= length_of(m, string) && out->length <= length_of(m, string) - from;
	}
	return false;
}

bool v8_flat(const struct v8_memory *m, uint64_t string, struct v8_letters *out)
{
	out->length = length_of(m, string);
	return v8_is_string(m, string) && place_letters(m, string, 0, out);
}

/* --- as UTF-8 --- */

static bool is_high_surrogate(uint32_t letter)
{
	return letter >= 0xd800 && letter < 0xdc00;
}

static bool put_letter(struct buffer *out, uint32_t letter)
{
	if (letter < 0x20 || (letter >= 0x7f && letter < 0xa0) ||
		(letter >= 0xd800 && letter < 0xe000))
		return false; /* no letter of a name */
	utf8_append(out, letter);
	return true;
}

static bool put_letters(const struct v8_memory *m, const struct v8_letters *l, struct buffer *out)
{
	unsigned char bytes[2 * V8_LETTERS_MAX];
	uint32_t high = 0;

	if (l->length && !m->read(m->user, l->address, bytes, (size_t)l->length * l->bytes))
		return false;
	for (size_t i = 0; i < l->length; i++) {
		uint32_t letter = bytes[i * l->bytes];

		if (l->bytes == 2)
			letter |= (uint32_t)bytes[2 * i + 1] << 8;
		if (is_high_surrogate(letter) && !high) {
			high = letter;
			continue;
		}
		if (high && (letter < 0xdc00 || letter >= 0xe000))
			return false;
		if (high)
			letter = 0x10000 + ((high - 0xd800) << 10) + (letter - 0xdc00);
		high = 0;
		if (!put_letter(out, letter))
			return false;
	}
	return !high;
}

bool v8_text(const struct v8_memory *m, uint64_t string, struct buffer *out)
{
	const struct v8_layout *l = m->layout;
	uint64_t rest[PIECES_MAX + 1] = { string };
	uint32_t left = length_of(m, string), count = 1;

	if (left > V8_LETTERS_MAX)
		return false;
	for (int i = 0; i < 2 * PIECES_MAX && count; i++) {
		uint64_t piece = rest[--count];
		int type = v8_type(m, piece);
		struct v8_letters letters;

		if (type < 0 || type >= l->type_nonstring)
			return false;
		if ((type & l->string_mask) == l->string_cons) {
			if (count + 2 > PIECES_MAX)
				return false;
			rest[count++] = v8_word(m, piece, (size_t)l->cons_second);
			rest[count++] = v8_word(m, piece, (size_t)l->cons_first);
			continue;
		}
		if (!v8_flat(m, piece, &letters) || letters.length > left ||
			!put_letters(m, &letters, out))
			return false;
		left -= letters.length;
	}
	/* Both halves together are as long as the whole. */
	return !count && !left;
}
