/* SPDX-License-Identifier: BSD-2-Clause */
/* Proxies in an environment, which is the process's own memory: whatever stands there, nothing but
 * known names, hosts and ports leaves it. */
#include <string.h>

#include "base/cursor.h"
#include "fuzz.h"
#include "os/linux/proc/proc_proxies.h"

static void check_entry(struct span entry)
{
	const char *equals = memchr(entry.data, '=', entry.size);
	size_t name = equals ? (size_t)(equals - entry.data) : 0;
	const char *colon = memrchr(entry.data, ':', entry.size);
	struct span port;
	uint64_t number;

	CHECK(name && name < 32 && colon > equals + 1);
	port = span_of(colon + 1, (size_t)(entry.data + entry.size - colon - 1));
	CHECK(span_decimal(port, &number) && number && number <= UINT16_MAX);
	for (const char *at = equals + 1; at < colon; at++)
		CHECK((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
			(*at >= '0' && *at <= '9') || (*at && strchr(".-_[]:", *at)));
	CHECK(*equals != '@' && (size_t)(colon - equals) <= PROXY_HOST_MAX + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer out = { 0 };
	struct cursor c;

	if (!size)
		return 0;
	proc_proxies_find(&out, data + 1, size - 1, data[0] & 1);
	CHECK(!out.size || !out.data[out.size - 1]);
	c = cursor_over(out.data, out.size);
	while (!cursor_at_end(&c))
		check_entry(cursor_until(&c, '\0'));
	buffer_fini(&out);
	return 0;
}
