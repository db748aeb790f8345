/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets from the kernel's sock_diag(7), in the network namespace of a process. A netlink socket
 * belongs to the namespace it was made in, so one for another namespace is made by a thread that
 * enters it (setns(2): cap_sys_admin) and ends; or, in a user namespace of the caller's own, by a
 * child. */
#pragma once

#include "base/error.h"
#include "base/map.h"
#include "os/linux/sock_diag/socket_messages.h"

/* Opens a netlink socket in the namespace of the process whose /proc/PID is open as `process`; a
 * negative errno with the error filled. */
int socket_diag_open(int process, struct sooth_error *err);
/* Requests all sockets of a family and protocol; each is given to `take`. Returns 1 if some may be
 * missing or reported twice, because the table kept changing while it was read. Results that were
 * given before an error are valid. */
int socket_diag_request(int netlink, const struct socket_request *request,
	socket_fact_consumer take, void *user, struct sooth_error *err);
/*
 * Fills `peers` with connected pairs inside the namespace: inode (uint64_t) -> inode of the peer
 * (uint64_t); the map has these sizes and the caller's limit. Unix sockets are paired by the
 * kernel's data, TCP connections with both ends here by their addresses. Returns a negative errno
 * if a family could not be read: then only its pairs are missing.
 */
int socket_diag_peers(int netlink, struct map *peers, struct sooth_error *err);
