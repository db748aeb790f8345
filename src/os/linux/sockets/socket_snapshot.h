/* SPDX-License-Identifier: BSD-2-Clause */
/* A snapshot of a process's sockets, shared by both backends: by netlink where that works, else
 * from the tables in /proc/PID/net. */
#pragma once

#include "base/map.h"
#include "collect/backend.h"
#include "model/batch.h"
#include "os/linux/bpf/members.h"
#include "os/linux/files/fd_tables.h"
#include "os/linux/proc/agent_members.h"
#include "os/linux/sock_diag/socket_fact.h"
#include "os/linux/sockets/socket_idle.h"
#include "os/linux/sockets/socket_tables.h"
#include "probes/sockets.h"

struct socket_holdings {
	struct map sockets; /* inode (uint64_t) -> struct held_socket, by the lowest descriptor */
	struct map names;   /* inode of the unix peer -> struct held_text */
	struct buffer texts;
	uint8_t state;	       /* state of the list of descriptors */
	uint32_t selected;     /* bits by protocol */
	uint32_t refused;      /* bits of protocols that could not be read */
	bool is_all;	       /* a protocol is unknown: read all of them */
	bool has_closed_links; /* descriptors can be listed, but their links may not be read */
	/* For TCP over IPv4 and IPv6: ports with any listening socket in the namespace, as bits. */
	uint64_t listened[2][65536 / 64];
	/* State of the current input. */
	bool is_from_tables;
	bool needs_detail;
	int netlink; /* -1: none; to look up names of interfaces */
};

struct socket_snapshot {
	struct members members;
	struct socket_holdings holdings;
	struct fd_tables tables;
	struct buffer stat;
	struct agent_members agents; /* of a host, in a brief run */
	struct socket_idle idle;
	bool is_by_netlink;
	/* Limits already reported, once each. */
	uint32_t reported_refused, reported_changed, reported_long; /* bits by protocol */
	bool has_reported_namespace;
};

/* Members of struct backend. Both backends use such a struct as their state. */
int socket_snapshot_open_tables(struct backend_run *run, struct sooth_error *err);
int socket_snapshot_open_netlink(struct backend_run *run, struct sooth_error *err);
int socket_snapshot_sample(struct backend_run *run, struct sooth_error *err);
void socket_snapshot_joined(struct backend_run *run, const struct process_id *process);
void socket_snapshot_close(struct backend_run *run);

#define SOCKET_SNAPSHOT_BACKEND                                                                    \
	.state_size = sizeof(struct socket_snapshot), .set = members_backend_set,                  \
	.start = socket_snapshot_sample, .sample = socket_snapshot_sample,                         \
	.joined = socket_snapshot_joined, .stop = members_backend_stop,                            \
	.close = socket_snapshot_close
