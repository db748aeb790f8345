/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/freebsd/decode/socket_lists.h"

#include "os/bsd/bytes.h"

#define XUNPCB(name, member, offset) AT_##name = offset,
#define XINPCB(name, member, offset) AT_##name = offset,
enum socket_list_at {
#include "os/freebsd/decode/layouts.def"
};

static const size_t least[] = {
	[SOCKET_LIST_LOCAL] = AT_SOCKET + 8,
	[SOCKET_LIST_INET] = AT_INET_PCB + 8 + SOCKET_LIST_REST,
};

bool socket_list_next(struct bsd_socket_at *out, struct cursor *c, enum socket_list list)
{
	struct bsd_bytes b;
	struct span bytes;
	uint64_t size;

	/* Head and tail are shorter than a socket. */
	do {
		b = (struct bsd_bytes){ c->at, cursor_left(c) };
		size = bsd_u64(&b, AT_LENGTH);
		if (cursor_at_end(c) || c->failed)
			return false;
		if (size < sizeof(uint64_t) || size > b.size) {
			c->failed = true;
			return false;
		}
		bytes = cursor_bytes(c, (size_t)size);
	} while (bytes.size < least[list]);
	b = (struct bsd_bytes){ (const unsigned char *)bytes.data, bytes.size };
	*out = list == SOCKET_LIST_LOCAL
		       ? (struct bsd_socket_at){ bsd_u64(&b, AT_PCB), bsd_u64(&b, AT_SOCKET) }
		       : (struct bsd_socket_at){ bsd_u64(&b, AT_INET_PCB),
				 bsd_u64(&b, AT_INET_SOCKET) };
	return true;
}
