/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the walked text: unchanged, masked, or with the tokens in it masked; never more than there
 * is room for.
 */
#include "secrets/mask_walk.h"

#include <string.h>

#define MASK "***"

void masker_put(struct masker *m, const char *data, size_t size)
{
	if (size > m->room) {
		size = m->room;
		m->is_cut = true;
	}
	m->room -= size;
	buffer_append(m->out, data, size);
}

void masker_put_range(struct masker *m, size_t from, size_t to)
{
	if (to > from)
		masker_put(m, m->text + from, to - from);
}

void masker_put_mask(struct masker *m)
{
	masker_put(m, MASK, strlen(MASK));
}

size_t masker_skip_blanks(const struct masker *m, size_t at)
{
	while (at < m->size && is_blank(m->text[at]))
		at++;
	return at;
}

size_t masker_word_end(const struct masker *m, size_t at, size_t to)
{
	while (at < to && is_word(m->text[at]))
		at++;
	return at;
}

/* Returns the end of a JSON web token, or 0: eyJ is at `at`, and its first part ends at `end`. */
static size_t web_token_end(const struct masker *m, size_t at, size_t end, size_t to)
{
	if (!span_starts(span_of(m->text + at, end - at), "eyJ") || end + 4 > to ||
		m->text[end] != '.' || memcmp(m->text + end + 1, "eyJ", 3) != 0)
		return 0;
	end = masker_word_end(m, end + 1, to);
	/* the signature, and the two more parts an encrypted one has */
	for (unsigned part = 0; part < 3 && end < to && m->text[end] == '.'; part++)
		end = masker_word_end(m, end + 1, to);
	return end;
}

size_t masker_put_shapes(struct masker *m, size_t from, size_t to, size_t limit)
{
	size_t done = from, end = from;

	for (size_t at = from; at < to; at++) {
		size_t token_end = 0, size;

		if (m->text[at] != 'e' && !mask_may_begin(m->text, at))
			continue;
		if (at >= end)
			end = masker_word_end(m, at, to);
		if (m->text[at] == 'e')
			token_end = web_token_end(m, at, end, to);
		if (!token_end && (size = mask_token_size(m->text, at, limit)))
			token_end = masker_word_end(m, at + size, limit);
		if (!token_end)
			continue;
		masker_put_range(m, done, at);
		masker_put_mask(m);
		done = end = token_end;
		at = token_end - 1;
	}
	masker_put_range(m, done, to);
	return done > to ? done : to;
}
