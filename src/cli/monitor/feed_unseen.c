/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/monitor/feed_unseen.h"

#include <stdio.h>
#include <string.h>

#include "model/batch.h"
#include "model/process_id.h"
#include "model/stream_records.h"
#include "probes/uring_opcodes.h"

#define PROCESSES_MAX 4096
#define REASON_BYTES  256

void feed_unseen_init(struct feed_unseen *u, bool only_network, const char *reason)
{
	*u = (struct feed_unseen){ .only_network = only_network, .reason = reason };
	map_init(&u->processes, sizeof(struct process_id), 0, PROCESSES_MAX);
}

void feed_unseen_fini(struct feed_unseen *u)
{
	if (u->processes.key_size)
		map_fini(&u->processes);
}

bool feed_unseen_add_record(struct feed_unseen *u, const struct sooth_record *record)
{
	const struct syscalls_uring *requests = (const void *)record;
	bool has_requests =
		record->kind == SYSCALLS_URING && record_holds(record, sizeof(*requests));
	struct process_id process = process_id_of(record);
	bool is_new = false;

	if (record->kind == PROCESS_LEAVE)
		map_remove(&u->processes, &process);
	if (!has_requests || !u->reason || (u->only_network && !uring_network_requests(requests)))
		return false;
	return map_put(&u->processes, &process, &is_new) && is_new;
}

void feed_unseen_put(const struct feed_unseen *u, uint32_t pid, struct line_queue *queue)
{
	char reason[REASON_BYTES];

	snprintf(reason, sizeof(reason), "process %u %s", (unsigned)pid, u->reason);
	line_queue_put_loss(queue, 0, pid, reason, strlen(reason));
}

void feed_unseen_put_all(const struct feed_unseen *u, struct line_queue *queue)
{
	map_for_each_key (&u->processes, const struct process_id *, key)
		feed_unseen_put(u, (uint32_t)key->pid, queue);
}
