/* SPDX-License-Identifier: BSD-2-Clause */
/* A snapshot of a process's sockets, shared by both backends: by netlink where that works, else
 * from the tables in /proc/PID/net. */
#ifndef SOOTH_OS_LINUX_SOCKET_SNAPSHOT_H
#define SOOTH_OS_LINUX_SOCKET_SNAPSHOT_H

#include "collect/backend.h"
#include "os/linux/proc/agent_members.h"
#include "os/linux/files/fd_tables.h"
#include "os/linux/bpf/members.h"
#include "os/linux/sockets/socket_holdings.h"

struct socket_snapshot {
	struct members members;
	struct socket_holdings holdings;
	struct fd_tables tables;
	struct buffer stat;
	struct agent_members agents; /* of a host, in a brief run */
	/* Limits already reported, once each. */
	uint32_t reported_refused, reported_changed, reported_long; /* bits by protocol */
	bool has_reported_namespace;
};

/* Both backends use such a struct as their state. */
int socket_snapshot_open(struct backend_run *run, struct sooth_error *err);
void socket_snapshot_close(struct backend_run *run);
/* Calls the visitor for each process to read. */
int socket_snapshot_visit(struct backend_run *run, member_visitor visitor, struct sooth_error *err);
/* Writes the records of one process. */
void socket_snapshot_sample(
	struct backend_run *run, pid_t pid, const struct process_id *expected, bool by_netlink);

#endif
