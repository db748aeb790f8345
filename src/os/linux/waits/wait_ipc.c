/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System V semaphores and message queues. The kernel records no owner of a semaphore, but the
 * process that operated on it last: mostly the one that took it. Of a queue it records the last
 * sender and the last receiver.
 *
 * Cannot be seen: sets of another IPC namespace; processes of another pid namespace.
 */
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/stat.h>

#include "os/linux/waits/wait_reader.h"

static bool is_here(const struct wait_node *n)
{
	struct stat own, its;

	return !stat("/proc/self/ns/ipc", &own) && !fstatat(n->process, "ns/ipc", &its, 0) &&
	       own.st_dev == its.st_dev && own.st_ino == its.st_ino;
}

/* Of several operations of a call the kernel does not say which one waits: the first is the one
 * of most programs. */
static int last_operator(
	struct wait_reader *r, const struct wait_node *n, const uint64_t *arguments)
{
	struct sembuf first;

	return wait_memory(r, n, arguments[1], &first, sizeof(first))
		       ? semctl((int)arguments[0], first.sem_num, GETPID)
		       : -1;
}

static int last_sender(int queue)
{
	struct msqid_ds state;

	return msgctl(queue, IPC_STAT, &state) ? -1 : state.msg_lspid;
}

static int last_receiver(int queue)
{
	struct msqid_ds state;

	return msgctl(queue, IPC_STAT, &state) ? -1 : state.msg_lrpid;
}

void wait_ipc(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	const uint64_t *arguments = c->thread->arguments;
	bool is_queue = wait_argument(c->row, ARGUMENT_TYPE_msgq_flags) >= 0;
	int pid;

	if (!n->may_read || c->row->arguments[0] != ARGUMENT_TYPE_int || !is_here(n))
		return;
	if (!is_queue)
		pid = last_operator(r, n, arguments);
	else if (c->row->arguments[3] == ARGUMENT_TYPE_long)
		pid = last_sender((int)arguments[0]);
	else
		pid = last_receiver((int)arguments[0]);
	/* What it did itself before says nothing of the one that could end the wait. */
	if (pid <= 0 || (uint32_t)pid == n->stat.pid)
		return;
	wait_party(r, n, c->thread->record.tid,
		&(struct wait_found){ .relation = WAITS_RELATION_LAST_USER,
			.source = WAITS_SOURCE_IPC,
			.confidence = WAITS_MEDIUM,
			.pid = (uint32_t)pid,
			.follows = true });
}
