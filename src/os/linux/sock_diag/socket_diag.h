/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets as the kernel's sock_diag(7) tells them, in the network namespace of a
 * process. A netlink socket belongs to the namespace it was made in, so one for
 * another namespace is made by a thread that enters it (setns(2): cap_sys_admin)
 * and ends.
 */
#ifndef SOOTH_OS_LINUX_SOCKET_DIAG_H
#define SOOTH_OS_LINUX_SOCKET_DIAG_H

#include "base/error.h"
#include "base/map.h"
#include "os/linux/sock_diag/socket_messages.h"

/* A netlink socket in the namespace of the process whose /proc/PID is open as `process`; a
 * negative errno with the error filled. */
int socket_diag_open(int process, struct sooth_error *err);
/*
 * All sockets of a family and protocol, each given to `take`. 1 when some may be missing
 * or told twice, because the table kept changing while it was read; what was given before
 * an error counts.
 */
int socket_diag_ask(int netlink, const struct socket_request *question, socket_fact_consumer take,
	void *user, struct sooth_error *err);
/*
 * Who is connected with whom inside the namespace: inode (uint64_t) -> inode of the peer
 * (uint64_t), into a map of these sizes that the caller made and bounds. Unix sockets by
 * what the kernel says, TCP connections whose two ends are both here by their addresses.
 * A negative errno when a family could not be asked: then its pairs alone are missing.
 */
int socket_diag_peers(int netlink, struct map *peers, struct sooth_error *err);

#endif
