/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections, for judging: a reading at the first look, and one at the last. */
#ifndef SOOTH_TESTS_CHECK_SOCKETS_H
#define SOOTH_TESTS_CHECK_SOCKETS_H

#include "check_records.h"

#include "probes/sockets.h"

#define LAST_S (LOOKS - 1)

/* To port 443 of a machine; `m` says what is not ordinary. */
static inline void socket_of(double s, struct sockets_socket m, const char *protocol)
{
	m.record = head_of(s, m.record.pid ? m.record.pid : PID, SOCKETS_SOCKET);
	m.inode = m.inode ? m.inode : 1;
	m.family = m.family ? m.family : SOCKETS_INET;
	m.state = m.state ? m.state : SOCKETS_ESTABLISHED;
	m.side = m.side ? m.side : SOCKETS_SIDE_MADE;
	m.local_port = m.local_port ? m.local_port : 40000;
	m.peer_port = m.peer_port ? m.peer_port : 443;
	struct record_tail tail[] = { put_text(&m.protocol, protocol),
		put_text(&m.local, "10.0.0.9"), put_text(&m.peer, "10.0.0.1") };

	RECORD_APPEND(&records, &m, tail, 3);
}

static inline void socket_at(double s, struct sockets_socket m)
{
	socket_of(s, m, "tcp");
}

static inline void udp_at(double s, struct sockets_socket m)
{
	socket_of(s, m, "udp");
}

static inline void sockets_read(double s, uint32_t count, uint8_t state)
{
	struct sockets_process p = {
		.record = head_of(s, PID, SOCKETS_PROCESS), .sockets = count, .sockets_state = state
	};

	RECORD_APPEND(&records, &p, NULL, 0);
}

/* One connection, as it was and as it is. */
static inline void connection(struct sockets_socket first, struct sockets_socket last)
{
	socket_at(0, first);
	sockets_read(0, 1, SOOTH_STATE_VALUE);
	socket_at(LAST_S, last);
	sockets_read(LAST_S, 1, SOOTH_STATE_VALUE);
}

#endif
