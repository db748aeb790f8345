/* SPDX-License-Identifier: BSD-2-Clause */
/* Protocols of sockets as data. */
#include "os/linux/sockets/socket_protocols.h"

#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "probes/sockets.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define INET_ROW(name, text, number, table)                                                        \
	{                                                                                          \
		name, text, SOCKETS_INET, { AF_INET, number, false }, table                        \
	}
#define INET6_ROW(name, text, number, table)                                                       \
	{                                                                                          \
		name, text, SOCKETS_INET6, { AF_INET6, number, false }, table                      \
	}

const struct socket_protocol socket_protocols[] = {
	INET_ROW("TCP", "tcp", IPPROTO_TCP, "net/tcp"),
	INET6_ROW("TCPv6", "tcp", IPPROTO_TCP, "net/tcp6"),
	INET_ROW("UDP", "udp", IPPROTO_UDP, "net/udp"),
	INET6_ROW("UDPv6", "udp", IPPROTO_UDP, "net/udp6"),
	INET_ROW("UDP-Lite", "udplite", IPPROTO_UDPLITE, "net/udplite"),
	INET6_ROW("UDPLITEv6", "udplite", IPPROTO_UDPLITE, "net/udplite6"),
	INET_ROW("RAW", "raw", IPPROTO_RAW, "net/raw"),
	INET6_ROW("RAWv6", "raw", IPPROTO_RAW, "net/raw6"),
	INET_ROW("MPTCP", "mptcp", IPPROTO_MPTCP, NULL),
	INET6_ROW("MPTCPv6", "mptcp", IPPROTO_MPTCP, NULL),
	/* Sockets for echo requests without privilege. */
	{ "PING", "icmp", SOCKETS_INET, { 0 }, "net/icmp" },
	{ "PINGv6", "icmp", SOCKETS_INET6, { 0 }, "net/icmp6" },
	{ "UNIX", NULL, SOCKETS_UNIX, { AF_UNIX, 0, false }, "net/unix" },
	{ "UNIX-STREAM", NULL, SOCKETS_UNIX, { AF_UNIX, 0, false }, "net/unix" },
	{ "NETLINK", NULL, SOCKETS_NETLINK, { AF_NETLINK, 0, false }, "net/netlink" },
	{ "PACKET", NULL, SOCKETS_PACKET, { AF_PACKET, 0, false }, "net/packet" },
	/* Only its name is known. */
	{ "AF_VSOCK", "vsock", SOCKETS_VSOCK, { 0 }, NULL },
};

const unsigned socket_protocols_count = ARRAY_SIZE(socket_protocols);

_Static_assert(ARRAY_SIZE(socket_protocols) <= SOCKET_PROTOCOLS_MAX, "they fit a mask of them");

const struct socket_protocol *socket_protocol_by_name(struct span name)
{
	for (unsigned i = 0; i < socket_protocols_count; i++) {
		if (span_equal(name, socket_protocols[i].kernel_name))
			return &socket_protocols[i];
	}
	return NULL;
}
