/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/freebsd/decode/socket_lists.h"

#include "os/freebsd/decode/pcb_list.h"

#define XUNPCB(name, member, offset) AT_##name = offset,
#define XINPCB(name, member, offset) AT_##name = offset,
enum socket_list_at {
#include "os/freebsd/decode/layouts.def"
};

_Static_assert(!AT_LENGTH, "as pcb_list.h takes it");

static const size_t least[] = {
	[SOCKET_LIST_LOCAL] = AT_SOCKET + 8,
	[SOCKET_LIST_INET] = AT_INET_PCB + 8 + SOCKET_LIST_REST,
};

bool socket_list_next(struct bsd_socket_at *out, struct cursor *c, enum socket_list list)
{
	struct bsd_bytes b;

	if (!pcb_list_next(&b, c, least[list]))
		return false;
	*out = list == SOCKET_LIST_LOCAL
		       ? (struct bsd_socket_at){ bsd_u64(&b, AT_PCB), bsd_u64(&b, AT_SOCKET) }
		       : (struct bsd_socket_at){ bsd_u64(&b, AT_INET_PCB),
				 bsd_u64(&b, AT_INET_SOCKET) };
	return true;
}
