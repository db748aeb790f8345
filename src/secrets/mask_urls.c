/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * URLs: the scheme and the host stay, the user part and the values of the query are masked. The
 * path is walked like any other text.
 */
#include <string.h>

#include "secrets/mask_alphabet.h"
#include "secrets/mask_walk.h"

static bool ends_url(char c)
{
	return (unsigned char)c <= ' ' || c == '"' || c == '\'' || c == '`' || c == '<' || c == '>';
}

/* Finds the end of a URL, once for all URLs that it may contain. */
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

/* Returns whether [from, to) is a host, a colon, and a text that is no port. */
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

/* Servers where the URL is all that is needed to post: the rest of the path is the secret. */
static const struct hook {
	const char *host; /* end of the host name; NULL: any host, if the path after `path` is one
			     long word with digits */
	const char *path;
} hooks[] = {
	{ "hooks.slack.com", "/services/" },
	{ "hooks.slack.com", "/workflows/" },
	{ "hooks.slack.com", "/triggers/" },
	{ "discord.com", "/webhooks/" },
	{ "discordapp.com", "/webhooks/" },
	{ "api.telegram.org", "/bot" },
	{ "webhook.office.com", "/webhookb2/" },
	{ "hooks.zapier.com", "/hooks/catch/" },
	{ "maker.ifttt.com", "/with/key/" },
	{ "hc-ping.com", "/" },
	{ NULL, "/hook/" },
	{ NULL, "/hooks/" },
};

#define HOOK_LEAST 16
#define HOOK_MOST  512
#define USER_MAX   32

static bool is_secret_word(struct span word)
{
	bool has_digit = false;

	for (size_t i = 0; i < word.size; i++) {
		if (!is_word(word.data[i]))
			return false;
		has_digit |= ascii_is_digit(word.data[i]);
	}
	return has_digit && word.size >= HOOK_LEAST;
}

/* Finds the begin and end of the secret in a path after a host. */
static bool find_hook(const struct masker *m, struct span host, size_t at, size_t *from, size_t *to)
{
	size_t end = at;

	/* URLs may stand in each other: no path is walked far for each. */
	while (end < m->url_end && end < at + HOOK_MOST && m->text[end] != '?' &&
		m->text[end] != '#')
		end++;
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]) && at < end; i++) {
		const char *path;

		if (hooks[i].host && !span_ends(host, hooks[i].host))
			continue;
		path = memmem(m->text + at, end - at, hooks[i].path, strlen(hooks[i].path));
		if (!path)
			continue;
		*from = (size_t)(path - m->text) + strlen(hooks[i].path);
		if (*from < end &&
			(hooks[i].host || is_secret_word(span_of(m->text + *from, end - *from)))) {
			while (end < m->url_end && m->text[end] != '?' && m->text[end] != '#')
				end++;
			*to = end;
			return true;
		}
	}
	return false;
}

/* Returns whether there is only a user's name, and no token: postgresql://bob@host. */
static bool is_plain_user(const struct masker *m, size_t at, size_t end)
{
	static const char *const schemes[] = { "postgres", "postgresql", "mysql", "mariadb", "ssh",
		"sftp", "rsync", NULL };
	size_t from = at - strlen("://"), scheme = from;
	struct span user = span_of(m->text + at, end - at);

	for (size_t i = at; i < end; i++)
		if (!is_word(m->text[i]) && m->text[i] != '.')
			return false;
	while (scheme && is_word(m->text[scheme - 1]))
		scheme--;
	return user.size <= USER_MAX &&
	       mask_is_one_of(span_of(m->text + scheme, from - scheme), schemes) &&
	       !mask_looks_random(user, ALNUM) &&
	       (user.size < 8 || !mask_looks_random(user, LOWER));
}

size_t mask_url(struct masker *m, size_t at)
{
	size_t end = at, user_end = at, from, to;

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
	if (is_plain_user(m, at, user_end))
		masker_put_shapes(m, at, user_end, user_end);
	else if (user_end > at)
		masker_put_mask(m);
	/* jdbc:sqlserver://host;password=X */
	for (size_t i = user_end; user_end == at && i < end; i++)
		if (m->text[i] == ';')
			end = i;
	masker_put_shapes(m, user_end, end, end);
	if (!find_hook(m, span_of(m->text + user_end, end - user_end), end, &from, &to))
		return end;
	masker_put_range(m, end, from);
	masker_put_mask(m);
	return to;
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
		/* without "=", `?x` counts as a value, and `#x` is a place in the page */
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
