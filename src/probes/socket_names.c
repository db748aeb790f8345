/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of the states and families of sockets; see socket_names.h. */
#include "probes/socket_names.h"

#include "probes/sockets.h"

static const char *const states[SOCKETS_STATES] = {
	[SOCKETS_NO_STATE] = "unknown",
	[SOCKETS_ESTABLISHED] = "ESTABLISHED",
	[SOCKETS_SYN_SENT] = "SYN_SENT",
	[SOCKETS_SYN_RECV] = "SYN_RECV",
	[SOCKETS_FIN_WAIT_1] = "FIN_WAIT_1",
	[SOCKETS_FIN_WAIT_2] = "FIN_WAIT_2",
	[SOCKETS_TIME_WAIT] = "TIME_WAIT",
	[SOCKETS_CLOSE] = "CLOSE",
	[SOCKETS_CLOSE_WAIT] = "CLOSE_WAIT",
	[SOCKETS_LAST_ACK] = "LAST_ACK",
	[SOCKETS_LISTEN] = "LISTEN",
	[SOCKETS_CLOSING] = "CLOSING",
	[SOCKETS_NEW_SYN_RECV] = "NEW_SYN_RECV",
};

static const char *const families[SOCKETS_FAMILIES] = {
	[SOCKETS_OTHER] = "other",
	[SOCKETS_UNIX] = "unix",
	[SOCKETS_INET] = "inet",
	[SOCKETS_INET6] = "inet6",
	[SOCKETS_NETLINK] = "netlink",
	[SOCKETS_PACKET] = "packet",
	[SOCKETS_VSOCK] = "vsock",
};

static const char *const sides[SOCKETS_SIDES] = {
	[SOCKETS_SIDE_UNKNOWN] = "unknown",
	[SOCKETS_SIDE_MADE] = "made",
	[SOCKETS_SIDE_ACCEPTED] = "accepted",
};

static const char *const openers[SOCKETS_OPENERS] = {
	[SOCKETS_OPENER_UNKNOWN] = "unknown",
	[SOCKETS_OPENER_SELF] = "self",
	[SOCKETS_OPENER_PEER] = "peer",
};

const struct sooth_names socket_state_names = { SOCKETS_STATES, states };
const struct sooth_names socket_family_names = { SOCKETS_FAMILIES, families };
const struct sooth_names socket_side_names = { SOCKETS_SIDES, sides };
const struct sooth_names socket_opener_names = { SOCKETS_OPENERS, openers };
