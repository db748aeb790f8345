/* SPDX-License-Identifier: BSD-2-Clause */
/* Which process has which port: what a process that cannot bind, or cannot connect, is after. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "os/linux/waits/wait_reader.h"
#include "probes/sockets.h"

#define LISTENERS_MAX 512

static bool is_open_to_others(const struct wait_socket *s)
{
	if (!s->inode)
		return false;
	if (s->family != AF_UNIX && s->protocol == IPPROTO_UDP)
		return s->local_port && !s->peer_port;
	return s->state == SOCKETS_LISTEN && (s->family != AF_UNIX || s->name[0]);
}

/* A server of many processes: the first of them. */
static void find_owner(struct wait_reader *r, const struct wait_socket *s, struct waits_listener *l)
{
	size_t count;
	const struct wait_end *ends = wait_ends_get(&r->ends, WAIT_END_SOCKET, s->inode, &count);

	for (size_t i = 0; i < count; i++) {
		const struct wait_entry *e;

		if (i && ends[i].pid == ends[i - 1].pid)
			continue;
		l->owners++;
		e = wait_table_get(&r->table, ends[i].pid);
		if (!e || (l->owner_pid && e->start_ticks >= l->owner_start_ticks))
			continue;
		l->owner_pid = e->pid;
		l->owner_start_ticks = e->start_ticks;
		l->owner_state = e->state;
	}
}

static void add(struct wait_reader *r, const struct wait_socket *s)
{
	struct waits_listener l = { .record = wait_head(r, 0, WAITS_LISTENER),
		.local_port = s->local_port,
		.family = s->family == AF_UNIX	 ? SOCKETS_UNIX
			  : s->family == AF_INET ? SOCKETS_INET
						 : SOCKETS_INET6,
		.is_datagram = s->family != AF_UNIX && s->protocol == IPPROTO_UDP };
	const struct wait_entry *owner;
	struct buffer local = { 0 };
	const char *name;

	find_owner(r, s, &l);
	owner = l.owner_pid ? wait_table_get(&r->table, l.owner_pid) : NULL;
	name = owner ? owner->name : "";
	wait_socket_local(&local, s);
	{
		struct record_tail tail[] = {
			{ &l.owner_name, name, strnlen(name, sizeof(owner->name)) },
			{ &l.local, (const char *)local.data, local.size },
		};

		RECORD_APPEND(&r->run->out, &l, tail, ARRAY_SIZE(tail));
	}
	buffer_fini(&local);
}

void wait_listeners(struct wait_reader *r, int process)
{
	const struct wait_socket *all;
	size_t count, written = 0;

	wait_sockets_get(&r->sockets, process, 0); /* reads them */
	all = wait_sockets_all(&r->sockets, &count);
	for (size_t i = 0; i < count && written < LISTENERS_MAX; i++) {
		if (!is_open_to_others(&all[i]))
			continue;
		add(r, &all[i]);
		written++;
	}
}
