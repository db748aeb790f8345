/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sockets that others connect or send to in the network namespace of a process, and the ports
 * that only connections have.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "os/linux/sockets/socket_tables.h"
#include "os/linux/waits/wait_reader.h"
#include "probes/sockets.h"

#define LISTENERS_MAX	 512
#define PORTS_OF_CLIENTS 32768 /* net.ipv4.ip_local_port_range, its default */

static bool is_open_to_others(const struct wait_socket *s)
{
	if (!s->inode)
		return false;
	if (s->family != AF_UNIX && s->protocol == IPPROTO_UDP)
		return s->local_port && !s->peer_port;
	return s->state == SOCKETS_LISTEN && (s->family != AF_UNIX || s->name[0]);
}

static bool is_to_itself(const struct wait_socket *s)
{
	return s->inode && s->family != AF_UNIX && s->protocol == IPPROTO_TCP &&
	       s->state == SOCKETS_ESTABLISHED && s->local_port == s->peer_port &&
	       !memcmp(s->local, s->peer, sizeof(s->local));
}

/* Finds the owner of a socket: of a server with many processes the first one. */
static void find_owner(struct wait_reader *r, const struct wait_socket *s, struct waits_listener *l)
{
	size_t count;
	const struct wait_end *ends = wait_ends_first(&r->ends, WAIT_END_SOCKET, s->inode, &count);

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

/* `connections`: those that have the port, if no process listens there. */
static void emit_listener(struct wait_reader *r, const struct wait_socket *s, uint16_t connections)
{
	struct waits_listener l = { .record = wait_record(r, 0, WAITS_LISTENER),
		.local_port = s->local_port,
		.family = s->family == AF_UNIX	 ? SOCKETS_UNIX
			  : s->family == AF_INET ? SOCKETS_INET
						 : SOCKETS_INET6,
		.is_to_itself = !connections && is_to_itself(s),
		.connections = connections,
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

/* --- ports that connections have --- */

/* Sockets of one local port. */
struct port_use {
	struct wait_socket first; /* a connection; an open one before one in TIME_WAIT */
	uint32_t connections;
	bool is_listening;
};

static void count_port(void *user, const struct socket_fact *f)
{
	struct port_use *u = f->local_port ? map_put(user, &f->local_port, NULL) : NULL;

	if (!u)
		return;
	u->is_listening |= f->state == SOCKETS_LISTEN || !f->peer_port;
	u->connections++;
	if (u->first.inode || (u->connections > 1 && !f->inode))
		return;
	u->first.inode = f->inode;
	u->first.family = f->family;
	u->first.protocol = f->protocol;
	u->first.local_port = f->local_port;
	u->first.peer_port = f->peer_port;
	memcpy(u->first.local, f->local, sizeof(f->local));
}

/* Returns whether a server may want the port. A port that the kernel gives to clients may be one,
 * if there are several connections, or the other end has such a port too. */
static bool is_of_server(const struct port_use *u)
{
	return !u->is_listening && (u->first.local_port < PORTS_OF_CLIENTS || u->connections > 1 ||
					   u->first.peer_port >= PORTS_OF_CLIENTS);
}

/* Counts once for all processes of the network namespace whose sockets were read last. */
static void read_ports(struct wait_reader *r, int process)
{
	static const struct socket_table tables[] = { { "net/tcp", AF_INET, IPPROTO_TCP },
		{ "net/tcp6", AF_INET6, IPPROTO_TCP } };

	wait_listeners_clear(r);
	map_init(&r->ports, sizeof(uint16_t), sizeof(struct port_use), UINT16_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		socket_tables_read(process, &tables[i], count_port, &r->ports);
	r->ports_namespace = r->sockets.namespace;
}

void wait_listeners_clear(struct wait_reader *r)
{
	map_fini(&r->ports);
	r->ports_namespace = 0;
}

/* Writes the ports that no process listens on, but which connections still have: bind(2) to them
 * fails without SO_REUSEADDR. sock_diag would have to be asked for TIME_WAIT of all ports; this is
 * the same table. */
static void add_ports(struct wait_reader *r, int process, size_t room)
{
	if (r->ports_namespace != r->sockets.namespace)
		read_ports(r, process);
	map_for_each_value (&r->ports, const struct port_use *, u) {
		if (!is_of_server(u) || !room)
			continue;
		emit_listener(r, &u->first,
			u->connections < UINT16_MAX ? (uint16_t)u->connections : UINT16_MAX);
		room--;
	}
}

/* Writes the sockets in the process's network namespace that others connect to, or that take a port
 * from others. */
void wait_add_listeners(struct wait_reader *r, int process)
{
	const struct wait_socket *all;
	size_t count, written = 0;

	wait_sockets_get(&r->sockets, process, 0); /* reads them */
	all = wait_sockets_all(&r->sockets, &count);
	for (size_t i = 0; i < count && written < LISTENERS_MAX; i++) {
		if (!is_open_to_others(&all[i]) && !is_to_itself(&all[i]))
			continue;
		emit_listener(r, &all[i], 0);
		written++;
	}
	add_ports(r, process, LISTENERS_MAX - written);
}
