/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/freebsd/decode/tcp_pcb.h"

#include "os/bsd/bytes.h"

#define XTCPCB(name, member, offset) AT_##name = offset,
enum xtcpcb_at {
#include "os/freebsd/decode/layouts.def"
};

#define LEAST (AT_RETRANSMITS + 4)

static uint8_t state_of(uint32_t number)
{
	static const uint8_t states[] = {
#define TCP_NUMBER(name, theirs, value) [value] = SOCKETS_##name,
#include "os/freebsd/decode/layouts.def"
	};

	return number < sizeof(states) ? states[number] : SOCKETS_NO_STATE;
}

bool tcp_pcb_next(struct tcp_pcb *out, struct cursor *c)
{
	struct bsd_bytes b;
	struct span bytes;
	uint64_t size;

	/* Head and tail are shorter than a connection. */
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
	*out = (struct tcp_pcb){ .pcb = bsd_u64(&b, AT_PCB),
		.socket = bsd_u64(&b, AT_SOCKET),
		.waiting = bsd_u32(&b, AT_WAITING),
		.waiting_max = bsd_u32(&b, AT_WAITING_MAX),
		.retransmits = bsd_u32(&b, AT_RETRANSMITS),
		.state = state_of(bsd_u32(&b, AT_STATE)) };
	return true;
}
