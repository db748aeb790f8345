/* SPDX-License-Identifier: BSD-2-Clause */
/* Collects the processes of a chain, and writes the parties that lead to them. */
#include <string.h>

#include "base/cleanup.h"
#include "os/bsd/waits.h"

#define NODES_MAX 64 /* number of processes of a chain */

const struct bsd_process *bsd_wait_process(const struct bsd_waits *w, uint32_t pid)
{
	buffer_each (const struct bsd_process, p, &w->processes) {
		if (p->id.pid == pid)
			return p;
	}
	return NULL;
}

void bsd_wait_follow(struct bsd_waits *w, uint32_t pid, uint32_t depth)
{
	const struct bsd_wait_step step = { pid, depth };
	const struct bsd_wait_step *known = (const void *)w->steps.data;
	size_t count = w->steps.size / sizeof(step);

	for (size_t i = 0; i < count; i++) {
		if (known[i].pid == pid)
			return;
	}
	if (count >= NODES_MAX)
		w->is_cut = true;
	else
		buffer_append(&w->steps, &step, sizeof(step));
}

struct sooth_record bsd_wait_record(const struct bsd_wait_node *n, uint32_t tid, uint16_t kind)
{
	const struct bsd_waits *w = n->run->state;

	return bsd_record(n->run, &w->observed, tid, kind);
}

void bsd_wait_party(const struct bsd_wait_node *n, enum waits_relation relation,
	enum waits_source source, enum waits_confidence confidence, uint32_t pid, uint32_t fd,
	uint32_t waiting_fd)
{
	struct bsd_waits *w = n->run->state;
	const struct bsd_process *other = bsd_wait_process(w, pid);
	const char *name = other ? other->name : "";
	struct waits_party p = { .record = bsd_wait_record(n, n->tid, WAITS_PARTY),
		.node_start_ticks = n->process->id.start_ticks,
		.party_start_ticks = other ? other->id.start_ticks : 0,
		.node_pid = n->process->id.pid,
		.party_pid = pid,
		.fd = fd,
		.waiting_fd = waiting_fd,
		.relation = (uint8_t)relation,
		.source = (uint8_t)source,
		.confidence = (uint8_t)confidence,
		.is_alive = other != NULL };
	struct record_tail tail[] = { { &p.name, name, strlen(name) }, { &p.detail, NULL, 0 } };

	RECORD_APPEND(&n->run->out, &p, tail, ARRAY_SIZE(tail));
	if (other && other->state != 'Z')
		bsd_wait_follow(w, pid, n->depth + 1);
}
