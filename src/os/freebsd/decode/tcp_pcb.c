/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/freebsd/decode/tcp_pcb.h"

#include "os/freebsd/decode/pcb_list.h"

#define XTCPCB(name, member, offset) AT_##name = offset,
enum xtcpcb_at {
#include "os/freebsd/decode/layouts.def"
};

_Static_assert(!AT_LENGTH, "as pcb_list.h takes it");

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

	if (!pcb_list_next(&b, c, LEAST))
		return false;
	*out = (struct tcp_pcb){ .pcb = bsd_u64(&b, AT_PCB),
		.socket = bsd_u64(&b, AT_SOCKET),
		.waiting = bsd_u32(&b, AT_WAITING),
		.waiting_max = bsd_u32(&b, AT_WAITING_MAX),
		.retransmits = bsd_u32(&b, AT_RETRANSMITS),
		.state = state_of(bsd_u32(&b, AT_STATE)) };
	return true;
}
