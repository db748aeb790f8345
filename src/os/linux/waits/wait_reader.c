/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of a wait: their head, and a party to it. */
#include "os/linux/waits/wait_reader.h"

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/os.h"

#define STEPS_MAX 48 /* processes of a chain */
#define DEPTH_MAX 16

struct sooth_record wait_head(const struct wait_reader *r, uint32_t tid, uint16_t kind)
{
	struct sooth_record head = r->head;

	head.time_ns = r->run->os->now_ns(r->run->os);
	head.tid = tid;
	head.kind = kind;
	return head;
}

void wait_follow(struct wait_reader *r, uint32_t pid, uint32_t depth)
{
	struct wait_step step = { (pid_t)pid, depth };
	const struct wait_step *all = (const void *)r->steps.data;
	size_t count = r->steps.size / sizeof(*all);

	for (size_t i = 0; i < count; i++) {
		if (all[i].pid == step.pid)
			return;
	}
	if (count >= STEPS_MAX || depth > DEPTH_MAX || pid == (uint32_t)getpid())
		r->is_cut |= pid != (uint32_t)getpid();
	else
		buffer_append(&r->steps, &step, sizeof(step));
}

void wait_party(struct wait_reader *r, const struct wait_node *n, uint32_t tid,
	const struct wait_found *found)
{
	const struct wait_entry *entry = found->pid ? wait_table_get(&r->table, found->pid) : NULL;
	struct waits_party p = { .record = wait_head(r, tid, WAITS_PARTY),
		.node_start_ticks = n->stat.start_ticks,
		.node_pid = n->stat.pid,
		.party_pid = found->pid,
		.party_tid = found->tid,
		.party_start_ticks = entry ? entry->start_ticks : 0,
		.fd = found->fd,
		.relation = (uint8_t)found->relation,
		.source = (uint8_t)found->source,
		.confidence = (uint8_t)found->confidence,
		.is_alive = entry != NULL,
		.waiting_fd = r->waiting_fd };
	const char *name = entry ? entry->name : "";
	struct record_tail tail[] = {
		{ &p.name, name, strlen(name) },
		{ &p.detail, found->detail.data, found->detail.size },
	};

	RECORD_APPEND(&r->run->out, &p, tail, ARRAY_SIZE(tail));
	if (found->follows && entry)
		wait_follow(r, found->pid, n->depth + 1);
}
