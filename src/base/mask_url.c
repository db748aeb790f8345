/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * URLs: the scheme and the host stay, the user part and the values of the
 * query do not. The path is walked as any other text is.
 */
#include "base/mask_walk.h"

#include <string.h>

static bool ends_url(char c)
{
	return (unsigned char)c <= ' ' || c == '"' || c == '\'' || c == '`' || c == '<' || c == '>';
}

/* Find where the URL ends, once for all the URLs that one of them may hold. */
static void enter_url(struct masker *m, size_t at)
{
	if (at < m->url_end)
		return;
	m->url_at = SIZE_MAX;
	for (; at < m->size && !ends_url(m->text[at]); at++)
		if (m->text[at] == '@')
			m->url_at = at;
	m->url_end = at;
}

/* Is [from, to) a host with something behind its colon that is no port? */
static bool has_odd_port(const struct masker *m, size_t from, size_t to)
{
	const char *colon = memchr(m->text + from, ':', to - from);

	if (!colon || m->text[from] == '[')
		return false;
	for (size_t i = (size_t)(colon - m->text) + 1; i < to; i++)
		if (!ascii_is_digit(m->text[i]))
			return true;
	return false;
}

size_t mask_authority(struct masker *m, size_t at)
{
	size_t end = at, user_end = at;

	enter_url(m, at);
	for (; end < m->url_end && !strchr("/?#\\", m->text[end]); end++)
		if (m->text[end] == '@')
			user_end = end;
	/* A password with a bare '/' or '?' in it: user:pa/ss@host. */
	if (user_end == at && m->url_at != SIZE_MAX && m->url_at > end &&
		has_odd_port(m, at, end)) {
		user_end = m->url_at;
		end = user_end + 1;
		while (end < m->url_end && !strchr("/?#\\", m->text[end]))
			end++;
	}
	if (user_end > at)
		masker_put_mask(m);
	masker_put_shapes(m, user_end, end, end);
	return end;
}

size_t mask_query(struct masker *m, size_t at)
{
	bool is_query = m->text[at] == '?';

	while (at < m->url_end) {
		size_t start = at + 1, end = start, value;

		masker_put_range(m, at, start);
		while (end < m->url_end && !strchr("&;?#", m->text[end]))
			end++;
		for (value = start; value < end && m->text[value] != '='; value++)
			;
		/* `?x` alone counts as a value, `#x` alone is a place in the page */
		value = value < end ? value + 1 : is_query ? start : end;
		masker_put_shapes(m, start, value, value);
		if (value < end)
			masker_put_mask(m);
		at = end;
		if (at < m->url_end && m->text[at] == '#')
			is_query = false;
	}
	return at;
}
