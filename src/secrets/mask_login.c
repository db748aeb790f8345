/* SPDX-License-Identifier: BSD-2-Clause */
/* Masks a password beside its name: user:X@host, `login U password X`. */
#include <string.h>

#include "secrets/mask_walk.h"

#define LOOK_BACK 200 /* characters of a name */

static struct span span_between(const struct masker *m, size_t start, size_t end)
{
	return span_of(m->text + start, end - start);
}

bool mask_is_behind_login(const struct masker *m, size_t at)
{
	for (unsigned i = 0; i < 2; i++) {
		size_t end;

		while (at && is_space(m->text[at - 1]))
			at--;
		for (end = at; at && !is_space(m->text[at - 1]) && end - at < LOOK_BACK;)
			at--;
		if (i)
			return end - at >= 5 && !memcmp(m->text + end - 5, "login", 5);
	}
	return false;
}

/* Returns whether it is a label before an address or a package: mailto:bob@example.org,
 * npm:lodash@4.17.21. */
static bool is_label(struct span name)
{
	static const char *const labels[] = { "mailto", "sip", "sips", "xmpp", "acct", "npm", "jsr",
		"pkg", "pypi", "workspace", "file", "link", "image", "tag", "to", "from", "cc",
		"bcc", "by", "reply-to", "author", NULL };

	return mask_is_one_of(name, labels) || span_ends(name, "-by") || !name.size ||
	       !ascii_is_alnum(name.data[0]);
}

/* Returns whether it is a host, not a version or a digest: a name with a dot and letters after the
 * last dot, four numbers, or a port; after a text that looks like a secret, any one word. */
static bool is_host(struct span host, struct span secret, bool has_port)
{
	size_t dots = 0, last = 0;
	bool is_letters = true;

	if (!host.size || !ascii_is_alnum(host.data[0]) || span_starts(host, "sha"))
		return false;
	for (size_t i = 0; i < host.size; i++) {
		if (host.data[i] == '.') {
			dots++;
			last = i + 1;
		}
	}
	for (size_t i = last; i < host.size; i++)
		is_letters &= !ascii_is_digit(host.data[i]);
	return has_port || span_equal(host, "localhost") || (dots && is_letters) || dots == 3 ||
	       (!dots && secret.size >= 6 && mask_is_odd(secret));
}

bool mask_is_login(const struct masker *m, size_t start, size_t end, size_t at)
{
	size_t stop = at + 1;
	bool has_port;

	while (stop < m->size && (is_word(m->text[stop]) || m->text[stop] == '.'))
		stop++;
	while (m->text[stop - 1] == '.')
		stop--;
	has_port = stop + 1 < m->size && m->text[stop] == ':' && ascii_is_digit(m->text[stop + 1]);
	return (!start || !strchr("/@:", m->text[start - 1])) &&
	       !is_label(span_between(m, start, end)) &&
	       (!ascii_is_digit(m->text[start]) || (start && m->text[start - 1] == '%')) &&
	       !memchr(m->text + end, '/', at - end) &&
	       is_host(span_between(m, at + 1, stop), span_between(m, end + 1, at), has_port);
}
