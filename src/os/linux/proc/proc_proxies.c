/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/proc/proc_proxies.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/environ.h"

#define PROXIES_MAX   8	    /* reported per process */
#define VARIABLES_MAX 65536 /* compared */

/* curl(1), git and most libraries read either case; npm has names of its own. */
static const char *const variables[] = { "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY",
	"npm_config_https_proxy", "npm_config_proxy" };

static const struct {
	const char *scheme;
	unsigned port; /* used if the text has no port */
} schemes[] = { { "http://", 80 }, { "https://", 443 }, { "socks4://", 1080 },
	{ "socks4a://", 1080 }, { "socks5://", 1080 }, { "socks5h://", 1080 },
	{ "socks://", 1080 } };

static bool is_proxy(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		if (name.size == strlen(variables[i]) &&
			!strncasecmp(name.data, variables[i], name.size))
			return true;
	}
	return false;
}

static struct span text_behind(struct span text, size_t count)
{
	return span_of(text.data + count, text.size - count);
}

/* Skips the scheme. Returns its port. curl takes a proxy without a scheme as http, port 1080. */
static unsigned skip_scheme(struct span *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t size = strlen(schemes[i].scheme);

		if (text->size > size && !strncasecmp(text->data, schemes[i].scheme, size)) {
			*text = text_behind(*text, size);
			return schemes[i].port;
		}
	}
	return 1080;
}

/* Returns the text up to the path, behind the last "@" before it: a password may contain an "@". */
static struct span authority_of(struct span text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == '/' || text.data[i] == '?' || text.data[i] == '#')
			text.size = i;
	}
	for (size_t i = text.size; i; i--) {
		if (text.data[i - 1] == '@')
			return text_behind(text, i);
	}
	return text;
}

static bool is_host(struct span host)
{
	if (!host.size || host.size > PROXY_HOST_MAX)
		return false;
	for (size_t i = 0; i < host.size; i++) {
		char c = host.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    (c && strchr(".-_", c))))
			return false;
	}
	return true;
}

static bool is_bracketed(struct span host)
{
	if (host.size < 4 || host.size > PROXY_HOST_MAX || host.data[0] != '[' ||
		host.data[host.size - 1] != ']')
		return false;
	for (size_t i = 1; i + 1 < host.size; i++) {
		if (!strchr("0123456789abcdefABCDEF:.", host.data[i]) || !host.data[i])
			return false;
	}
	return true;
}

/* Splits a value. False: it has no form of a proxy, so no part of it is kept. */
static bool split_proxy(struct span value, struct span *host, unsigned *port)
{
	size_t colon;
	uint64_t number;

	*port = skip_scheme(&value);
	*host = authority_of(value);
	for (colon = host->size; colon && host->data[colon - 1] != ':'; colon--)
		;
	if (colon && host->data[host->size - 1] != ']') {
		if (!span_decimal(text_behind(*host, colon), &number) || !number ||
			number > UINT16_MAX)
			return false;
		*port = (unsigned)number;
		host->size = colon - 1;
	}
	return is_host(*host) || is_bracketed(*host);
}

void proc_proxies_find(struct buffer *out, const void *environment, size_t size, bool is_cut)
{
	struct environ_walk walk = environ_over(environment, size, is_cut);
	struct environ_variable v;
	unsigned reported = 0;

	for (unsigned i = 0; i < VARIABLES_MAX && reported < PROXIES_MAX; i++) {
		struct span host;
		unsigned port;

		if (!environ_next(&walk, &v))
			return;
		if (!v.name.size || !is_proxy(v.name) ||
			!split_proxy(
				span_of(v.name.data + v.name.size + 1, v.size_bytes), &host, &port))
			continue;
		buffer_format(out, "%.*s=%.*s:%u", SPAN_ARGS(v.name), SPAN_ARGS(host), port);
		buffer_char(out, '\0');
		reported++;
	}
}
