/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockets by the tables in /proc/PID/net: states, addresses and queues, without round trips,
 * times, previous retransmissions and peers of unix sockets.
 */
#include "os/linux/rights/needs.h"
#include "os/linux/sockets/socket_snapshot.h"

static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	socket_snapshot_sample(run, pid, expected, false);
}

static int sockets_sample(struct backend_run *run, struct sooth_error *err)
{
	return socket_snapshot_visit(run, sample_process, err);
}

static void sockets_joined(struct backend_run *run, const struct process_id *process)
{
	sample_process(run, (pid_t)process->pid, process);
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_sockets_procfs = {
	.name = "procfs",
	.probe = "sockets",
	.help = "reads /proc/PID/net; nothing is attached to the processes",
	.needs = needs,
	.state_size = sizeof(struct socket_snapshot),
	.open = socket_snapshot_open,
	.set = members_backend_set,
	.start = sockets_sample,
	.sample = sockets_sample,
	.joined = sockets_joined,
	.stop = members_backend_stop,
	.close = socket_snapshot_close,
};
