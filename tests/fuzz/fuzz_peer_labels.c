/* SPDX-License-Identifier: BSD-2-Clause */
/* A user's names for peers, and /etc/hosts: refused with a line, or every lookup works. */
#include <string.h>

#include "analyze/sockets/peer_labels.h"
#include "fuzz.h"

static void look(const struct peer_labels *l, const char *address, unsigned port)
{
	unsigned char bytes[16];
	struct span label = { 0 };

	CHECK(peer_address(bytes, span_of(address, strlen(address))));
	if (peer_labels_find(l, bytes, port, &label))
		CHECK(label.size > 0 && label.size <= 255);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peer_labels l;
	struct sooth_error err;
	unsigned char bytes[16];
	size_t built_in;

	peer_labels_init(&l);
	built_in = l.rules.size;
	if (peer_labels_parse(&l, "peers", (const char *)data, size, &err)) {
		CHECK(strstr(err.why, "line "));
		CHECK(l.rules.size == built_in);
	}
	peer_labels_hosts(&l, (const char *)data, size, &err);
	look(&l, "10.1.2.3", 5432);
	look(&l, "::1", 80);
	look(&l, "2607:6bc0::1", 443);
	peer_address(bytes, span_of((const char *)data, size));
	peer_labels_fini(&l);
	return 0;
}
