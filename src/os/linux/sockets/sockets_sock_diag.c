/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockets by sock_diag(7): the kernel's data about each connection, read in the network namespace
 * of the process. Where it is refused, the rows come from the tables in /proc/PID/net and say so.
 *
 * Cannot be seen: times and round trips in a namespace that may not be entered.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/linux/rights/needs.h"
#include "os/linux/sockets/socket_snapshot.h"

static int test_sock_diag(const struct os *os, struct sooth_error *err)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	(void)os;
	if (fd < 0) {
		error_errno(err, -errno, "open a netlink socket for sock_diag");
		return error_remedy(
			err, "use a kernel built with CONFIG_INET_DIAG and CONFIG_UNIX_DIAG");
	}
	close(fd);
	return 0;
}

static const struct need need_sock_diag = {
	.name = "sock_diag",
	.help = "socket information by netlink (sock_diag)",
	.test = test_sock_diag,
};

static const struct need *const needs[] = { &need_procfs, &need_sock_diag, NULL };

const struct backend backend_sockets_sock_diag = {
	.name = "sock_diag",
	.probe = "sockets",
	.help = "reads sockets by netlink; nothing is attached to the processes",
	.needs = needs,
	.open = socket_snapshot_open_netlink,
	SOCKET_SNAPSHOT_BACKEND,
};
