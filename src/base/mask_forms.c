/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forms in which neither a separator behind a name nor a shape says that a secret follows: private
 * keys in PEM, SQL, .netrc, connection strings, short names of passwords.
 */
#include "base/mask_walk.h"

#include <string.h>

#define PEM_NAME_MAX 48	 /* characters between BEGIN or END and PRIVATE KEY */
#define LOOK_BACK    200 /* characters before `password` where .netrc has its login */
#define DSN_MAX	     128

static struct span run_of(const struct masker *m, size_t start, size_t end)
{
	return span_of(m->text + start, end - start);
}

/* The run as a name, without what is left of an escape before it: \npassword. */
static struct span name_of(const struct masker *m, size_t start, size_t end)
{
	bool is_escaped = start && m->text[start - 1] == '\\' && end - start > 1 &&
			  strchr("nrt", m->text[start]);

	return run_of(m, start + is_escaped, end);
}

static const char *find(const struct masker *m, size_t from, size_t most, const char *text)
{
	size_t size = m->size - from < most ? m->size - from : most;

	return memmem(m->text + from, size, text, strlen(text));
}

static bool stands_before(const struct masker *m, size_t at, size_t most, const char *text)
{
	size_t from = at > most ? at - most : 0;

	return memmem(m->text + from, at - from, text, strlen(text)) != NULL;
}

/* At PRIVATE of `-----BEGIN RSA PRIVATE KEY-----`: all up to the end that belongs to it. */
static size_t mask_pem(struct masker *m, size_t start, size_t end)
{
	const char *body, *stop;
	size_t at;

	if (!span_equal(name_of(m, start, end), "PRIVATE") || find(m, end, 4, " KEY") == NULL ||
		stands_before(m, start, PEM_NAME_MAX, "-----END"))
		return 0;
	body = find(m, end, PEM_NAME_MAX, "-----");
	if (!body)
		return 0;
	at = (size_t)(body - m->text) + 5;
	masker_put_range(m, start, at);
	stop = find(m, at, SIZE_MAX, "-----END");
	if (at < m->size)
		masker_put_mask(m);
	return stop ? (size_t)(stop - m->text) : m->size;
}

static size_t word_behind(const struct masker *m, size_t *at)
{
	size_t end;

	*at = masker_skip_blanks(m, *at);
	end = masker_word_end(m, *at, m->size);
	return end;
}

static bool skip_word(const struct masker *m, size_t *at, const char *word)
{
	size_t from = *at, end = word_behind(m, &from);

	if (!mask_same(run_of(m, from, end), word))
		return false;
	*at = end;
	return true;
}

/* IDENTIFIED [WITH plugin] BY [PASSWORD] 'X', and AS in place of BY. */
static size_t mask_identified(struct masker *m, size_t start, size_t end)
{
	size_t at = end;

	if (!mask_same(name_of(m, start, end), "identified"))
		return 0;
	if (skip_word(m, &at, "with")) {
		size_t plugin_end = word_behind(m, &at);

		at = at < m->size && is_quote(m->text[at]) ? plugin_end + 1 : plugin_end;
		while (at < m->size && !is_space(m->text[at]))
			at++;
	}
	if (!skip_word(m, &at, "by") && !skip_word(m, &at, "as"))
		return 0;
	skip_word(m, &at, "password");
	at = masker_skip_blanks(m, at);
	if (at == m->size)
		return 0;
	masker_put_range(m, start, at);
	return mask_value_at(m, at, NAME_SECRET);
}

/* PASSWORD 'X', PASSWORD('X'): a quote behind a name of a password. */
static size_t mask_quoted_password(struct masker *m, size_t start, size_t end)
{
	size_t at = masker_skip_blanks(m, end);

	if (at < m->size && m->text[at] == '(')
		at = masker_skip_blanks(m, at + 1);
	else if (at == end)
		return 0;
	if (at + 1 >= m->size || !is_quote(m->text[at]))
		return 0;
	masker_put_range(m, start, at);
	return mask_value_at(m, at, NAME_SECRET);
}

/* `machine H login U password X`, the line of a .netrc. */
static size_t mask_netrc(struct masker *m, size_t start, size_t end)
{
	size_t at = masker_skip_blanks(m, end);

	if (at == end || at == m->size || m->text[at] == '=' || m->text[at] == ':' ||
		!stands_before(m, start, LOOK_BACK, "login "))
		return 0;
	masker_put_range(m, start, at);
	return mask_value_at(m, at, NAME_SECRET);
}

static size_t mask_password(struct masker *m, size_t start, size_t end)
{
	static const char *const names[] = { "password", "passwd", "passphrase", "secret", NULL };
	size_t next;

	if (!mask_is_one_of(name_of(m, start, end), names))
		return 0;
	next = mask_quoted_password(m, start, end);
	return next ? next : mask_netrc(m, start, end);
}

/* Pwd=X of a connection string, `--pass X`; but PWD=/home/u and `-pass 1` stay. */
static size_t mask_short_name(struct masker *m, size_t start, size_t end)
{
	static const char *const names[] = { "pwd", "pass", "pw", NULL };
	static const char *const options[] = { "--pass", "--pw", "--pin", NULL };
	struct span run = run_of(m, start, end);
	bool is_value =
		end + 1 < m->size && m->text[end] == '=' && !strchr("/$.~", m->text[end + 1]);
	size_t next;

	if (mask_is_one_of(run, options))
		masker_put_range(m, start, end);
	else if (is_value && mask_is_one_of(run, names))
		masker_put_range(m, start, end);
	else
		return 0;
	next = mask_named(m, start, end, span_equal(run, "--pin") ? NAME_SECRET : NAME_PLURAL);
	return next;
}

/* `user:X@tcp(host)/x` of Go, `thin:user/X@//host` of Oracle: the run is the name before it. */
static size_t mask_connection(struct masker *m, size_t start, size_t end)
{
	bool is_thin = end < m->size && m->text[end] == '/' && start &&
		       stands_before(m, start, 5, "thin:");
	size_t at = end + 1;

	if (end >= m->size || (m->text[end] != ':' && !is_thin))
		return 0;
	while (at < m->size && at < end + DSN_MAX && m->text[at] != '@' && !is_space(m->text[at]) &&
		!is_quote(m->text[at]))
		at++;
	if (at == end + 1 || at >= m->size || m->text[at] != '@' ||
		!(is_thin || find(m, at, 5, "@tcp(") || find(m, at, 6, "@unix(")))
		return 0;
	masker_put_range(m, start, end + 1);
	masker_put_mask(m);
	return at;
}

/* `/p:X` and `/password:X` as the first of an argument: options of programs from Windows. */
static size_t mask_slash_option(struct masker *m, size_t start, size_t end)
{
	static const char *const names[] = { "p", "password", "gp", NULL };

	if (!m->is_argument || start != 1 || m->text[0] != '/' || end + 1 >= m->size ||
		m->text[end] != ':' || m->text[end + 1] == '/' ||
		!mask_is_one_of(run_of(m, start, end), names))
		return 0;
	masker_put_range(m, start, end + 1);
	masker_put_mask(m);
	return m->size;
}

size_t mask_form(struct masker *m, size_t start, size_t end)
{
	size_t next = 0;

	switch (ascii_lower(name_of(m, start, end).data[0])) {
	case 'i':
		next = mask_identified(m, start, end);
		break;
	case 'p':
		next = mask_pem(m, start, end);
		next = next ? next : mask_slash_option(m, start, end);
		next = next ? next : mask_password(m, start, end);
		next = next ? next : mask_short_name(m, start, end);
		break;
	case 's':
		next = mask_password(m, start, end);
		break;
	case 'g':
		next = mask_slash_option(m, start, end);
		break;
	case '-':
		next = mask_short_name(m, start, end);
		break;
	default:
		break;
	}
	return next ? next : mask_connection(m, start, end);
}
