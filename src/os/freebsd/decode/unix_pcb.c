/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/freebsd/decode/unix_pcb.h"

#include "os/bsd/bytes.h"

#define XUNPCB(name, member, offset) AT_##name = offset,
enum xunpcb_at {
#include "os/freebsd/decode/layouts.def"
};

#define LEAST (AT_SOCKET + 8)

bool unix_pcb_next(struct bsd_socket_at *out, struct cursor *c)
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
	} while (bytes.size < LEAST);
	b = (struct bsd_bytes){ (const unsigned char *)bytes.data, bytes.size };
	*out = (struct bsd_socket_at){ bsd_u64(&b, AT_PCB), bsd_u64(&b, AT_SOCKET) };
	return true;
}
