/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/peer_name.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "probes/proc.h"

/* Returns whether a proxy is at the address: "127.0.0.1:3128", "localhost:3128"; other names are
 * not resolved. */
static bool is_at(struct span proxy, const unsigned char address[16], unsigned port)
{
	char text[PEER_NAME_SIZE];
	unsigned char other[16];
	unsigned other_port;

	if (proxy.size >= sizeof(text))
		return false;
	if (span_starts(proxy, "localhost:")) {
		snprintf(
			text, sizeof(text), "127.0.0.1%.*s", (int)(proxy.size - 9), proxy.data + 9);
		return peer_split(text, other, &other_port) && other_port == port &&
		       peer_is_loopback(address);
	}
	snprintf(text, sizeof(text), "%.*s", (int)proxy.size, proxy.data);
	return peer_split(text, other, &other_port) && other_port == port &&
	       !memcmp(other, address, sizeof(other));
}

bool peer_name_is_proxy(const struct check *e, const char *address, struct span *variable)
{
	assert(e);

	const struct proc_process *p = e->process ? e->process->process : NULL;
	unsigned char bytes[16];
	struct cursor c;
	unsigned port;
	struct span all;

	if (!p || p->proxies_state > SOOTH_STATE_TRUNCATED || !peer_split(address, bytes, &port))
		return false;
	all = record_text(&p->record, &p->proxies);
	c = cursor_over(all.data, all.size);
	while (!cursor_at_end(&c)) {
		struct span entry = cursor_until(&c, '\0');
		const char *equals = memchr(entry.data, '=', entry.size);
		size_t name = equals ? (size_t)(equals - entry.data) : entry.size;

		*variable = span_of(entry.data, name);
		if (equals && is_at(span_of(equals + 1, entry.size - name - 1), bytes, port))
			return true;
	}
	return false;
}

void peer_name_put(const struct check *e, const char *address, char *out, size_t size)
{
	struct span label = span_of("", 0);
	unsigned char bytes[16];
	unsigned port;

	assert(e);
	*out = '\0';
	if (peer_name_is_proxy(e, address, &label)) {
		snprintf(out, size, " (the proxy in %.*s)", (int)label.size, label.data);
		return;
	}
	if (peer_split(address, bytes, &port))
		peer_labels_find(&e->input->labels, bytes, port, &label);
	if (label.size)
		snprintf(out, size, " (%.*s)", (int)label.size, label.data);
}
