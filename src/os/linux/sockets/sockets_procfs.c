/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockets by the tables in /proc/PID/net: states, addresses and queues, without round trips,
 * times, previous retransmissions and peers of unix sockets.
 */
#include "os/linux/rights/needs.h"
#include "os/linux/sockets/socket_snapshot.h"

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_sockets_procfs = {
	.name = "procfs",
	.probe = "sockets",
	.help = "reads /proc/PID/net; nothing is attached to the processes",
	.needs = needs,
	.open = socket_snapshot_open_tables,
	SOCKET_SNAPSHOT_BACKEND,
};
