/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables in /proc/PID/net (proc_pid_net(5)): a line per socket, words in columns.
 *
 * Cannot be seen: round trips, times, peers of unix sockets, how many connections may wait. An
 * abstract unix name and a path that begins with "@" look the same, as do a NUL in such a name and
 * an "@". Names are not escaped, so one with a newline can imitate another socket's line: two
 * lines with the same inode must not be trusted.
 */
#include "os/linux/sockets/socket_tables.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "os/linux/sock_diag/socket_fact.h"
#include "probes/sockets.h"

/* --- protocols --- */

#define SOCKET_PROTOCOLS_MAX 24

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define INET_ROW(name, text, number, table)                                                        \
	{                                                                                          \
		name, text, SOCKETS_INET, { AF_INET, number, false }, table                        \
	}
#define INET6_ROW(name, text, number, table)                                                       \
	{                                                                                          \
		name, text, SOCKETS_INET6, { AF_INET6, number, false }, table                      \
	}

const struct socket_protocol socket_protocols[] = {
	INET_ROW("TCP", "tcp", IPPROTO_TCP, "net/tcp"),
	INET6_ROW("TCPv6", "tcp", IPPROTO_TCP, "net/tcp6"),
	INET_ROW("UDP", "udp", IPPROTO_UDP, "net/udp"),
	INET6_ROW("UDPv6", "udp", IPPROTO_UDP, "net/udp6"),
	INET_ROW("UDP-Lite", "udplite", IPPROTO_UDPLITE, "net/udplite"),
	INET6_ROW("UDPLITEv6", "udplite", IPPROTO_UDPLITE, "net/udplite6"),
	INET_ROW("RAW", "raw", IPPROTO_RAW, "net/raw"),
	INET6_ROW("RAWv6", "raw", IPPROTO_RAW, "net/raw6"),
	INET_ROW("MPTCP", "mptcp", IPPROTO_MPTCP, NULL),
	INET6_ROW("MPTCPv6", "mptcp", IPPROTO_MPTCP, NULL),
	/* Sockets for echo requests without privilege. */
	{ "PING", "icmp", SOCKETS_INET, { 0 }, "net/icmp" },
	{ "PINGv6", "icmp", SOCKETS_INET6, { 0 }, "net/icmp6" },
	{ "UNIX", NULL, SOCKETS_UNIX, { AF_UNIX, 0, false }, "net/unix" },
	{ "UNIX-STREAM", NULL, SOCKETS_UNIX, { AF_UNIX, 0, false }, "net/unix" },
	{ "NETLINK", NULL, SOCKETS_NETLINK, { AF_NETLINK, 0, false }, "net/netlink" },
	{ "PACKET", NULL, SOCKETS_PACKET, { AF_PACKET, 0, false }, "net/packet" },
	/* Only its name is known. */
	{ "AF_VSOCK", "vsock", SOCKETS_VSOCK, { 0 }, NULL },
};

const unsigned socket_protocols_count = ARRAY_SIZE(socket_protocols);

_Static_assert(ARRAY_SIZE(socket_protocols) <= SOCKET_PROTOCOLS_MAX, "they fit a mask of them");

const struct socket_protocol *socket_protocol_by_name(struct span name)
{
	for (unsigned i = 0; i < socket_protocols_count; i++) {
		if (span_equal(name, socket_protocols[i].kernel_name))
			return &socket_protocols[i];
	}
	return NULL;
}

#define PIECE_BYTES   65536
#define TABLE_BYTES   (512u << 20)
#define LINE_BYTES    4096    /* the longest is a unix one with a path of 108 */
#define SO_ACCEPTCON_ 0x10000 /* __SO_ACCEPTCON, include/linux/net.h */
#define CONNECTED     3	      /* SS_CONNECTED, linux/net.h */
#define CONNECTING    2	      /* established, but not accepted yet */
#define NAME_MAX_     108

static struct cursor words_of(struct span line)
{
	return cursor_over(line.data, line.size);
}

static void skip_words(struct cursor *c, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		cursor_word(c);
}

/* Reads "0100007F": the bytes on the wire, printed as a number in this machine's byte order. */
static void read_address(struct cursor *c, unsigned char out[16], size_t size)
{
	for (size_t i = 0; i < size; i += 4) {
		struct span digits = cursor_bytes(c, 8);
		struct cursor part = cursor_over(digits.data, digits.size);
		uint32_t value = (uint32_t)cursor_hex(&part);

		c->failed |= part.failed;
		memcpy(out + i, &value, sizeof(value));
	}
}

static bool parse_address_and_port(
	struct cursor *c, unsigned char out[16], size_t size, uint16_t *port)
{
	uint64_t number;

	cursor_blanks(c);
	read_address(c, out, size);
	if (!cursor_skip(c, ":"))
		return false;
	number = cursor_hex(c);
	*port = (uint16_t)number;
	return !c->failed && number <= 0xffff;
}

/* Parses a line "sl local remote st tx:rx tr:when retrnsmt uid timeout inode"; UDP, raw: ref
 * pointer drops. */
static bool parse_inet(struct socket_fact *f, struct span line, const struct socket_table *table)
{
	struct cursor c = words_of(line);
	size_t size = table->family == AF_INET6 ? 16 : 4;
	uint64_t state;

	if (!span_ends(cursor_word(&c), ":") ||
		!parse_address_and_port(&c, f->local, size, &f->local_port) ||
		!parse_address_and_port(&c, f->peer, size, &f->peer_port))
		return false;
	state = cursor_hex(&c);
	f->state = state < SOCKETS_STATES ? (uint8_t)state : SOCKETS_NO_STATE;
	f->send_queue = cursor_hex(&c);
	if (!cursor_skip(&c, ":"))
		return false;
	f->receive_queue = cursor_hex(&c);
	f->has_receive_queue = true;
	f->has_send_queue = state != SOCKETS_LISTEN;
	skip_words(&c, 1);
	f->tcp.retransmits_waiting = (uint32_t)cursor_hex(&c);
	f->tcp.has = SOCKET_TCP_WAITING;
	skip_words(&c, 2);
	f->inode = cursor_decimal(&c);
	if (table->protocol != IPPROTO_TCP && !c.failed) {
		skip_words(&c, 2);
		cursor_blanks(&c);
		f->dropped = cursor_decimal(&c);
		f->has_dropped = !c.failed;
		return true;
	}
	return !c.failed;
}

/* Parses a line "Num RefCount Protocol Flags Type St Inode Path". */
static bool parse_unix(struct socket_fact *f, struct span line)
{
	struct cursor c = words_of(line);
	uint64_t flags, state;

	if (!span_ends(cursor_word(&c), ":"))
		return false;
	skip_words(&c, 2);
	flags = cursor_hex(&c);
	f->type = (int)(cursor_hex(&c) & 0xf);
	state = cursor_hex(&c);
	f->inode = cursor_decimal(&c);
	f->state = flags & SO_ACCEPTCON_		       ? SOCKETS_LISTEN
		   : state == CONNECTED || state == CONNECTING ? SOCKETS_ESTABLISHED
							       : SOCKETS_CLOSE;
	if (cursor_skip(&c, " "))
		f->name = span_of((const char *)c.at, cursor_left(&c));
	if (f->name.size > NAME_MAX_)
		f->name.size = NAME_MAX_;
	return !c.failed;
}

/* Parses a line "sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode". */
static bool parse_netlink(struct socket_fact *f, struct span line)
{
	struct cursor c = words_of(line);

	skip_words(&c, 1);
	f->protocol = (int)(cursor_decimal(&c) & 0xff);
	f->local_id = (uint32_t)cursor_decimal(&c);
	skip_words(&c, 1);
	f->receive_queue = cursor_decimal(&c);
	f->send_queue = cursor_decimal(&c);
	f->has_receive_queue = f->has_send_queue = true;
	skip_words(&c, 3);
	f->inode = cursor_decimal(&c);
	return !c.failed;
}

/* Parses a line "sk RefCnt Type Proto Iface R Rmem User Inode". */
static bool parse_packet(struct socket_fact *f, struct span line)
{
	struct cursor c = words_of(line);

	skip_words(&c, 2);
	f->type = (int)(cursor_decimal(&c) & 0xf);
	f->protocol = (int)(cursor_hex(&c) & 0xffff);
	f->interface = (uint32_t)cursor_decimal(&c);
	skip_words(&c, 1);
	f->receive_queue = cursor_decimal(&c);
	f->has_receive_queue = true;
	skip_words(&c, 1);
	f->inode = cursor_decimal(&c);
	f->state = SOCKETS_CLOSE;
	return !c.failed;
}

static bool parse_line(const struct socket_table *table, struct span line, struct socket_fact *f)
{
	*f = (struct socket_fact){ .family = table->family, .protocol = table->protocol };
	switch (table->family) {
	case AF_UNIX:
		return parse_unix(f, line);
	case AF_NETLINK:
		return parse_netlink(f, line);
	case AF_PACKET:
		return parse_packet(f, line);
	default:
		return parse_inet(f, line, table);
	}
}

static size_t name_size(const struct socket_fact *f, const char *end)
{
	size_t size = (size_t)(end - f->name.data);

	return size < NAME_MAX_ ? size : NAME_MAX_;
}

/* Parses a table. Text after a line up to the next socket belongs to its name, with the newlines.
 */
size_t socket_tables_parse(const struct socket_table *table, const void *data, size_t size,
	bool is_last, socket_fact_consumer take, void *user)
{
	const char *at = data, *end_of_all = at + size, *begin = NULL, *end;
	struct socket_fact waiting, next;

	for (; at < end_of_all; at = end + 1) {
		end = memchr(at, '\n', (size_t)(end_of_all - at));
		if (!end)
			break;
		if (!parse_line(table, span_of(at, (size_t)(end - at)), &next)) {
			if (begin && waiting.name.size)
				waiting.name.size = name_size(&waiting, end);
			continue;
		}
		if (begin)
			take(user, &waiting);
		begin = at;
		waiting = next;
	}
	if (begin && is_last)
		take(user, &waiting);
	else if (begin)
		at = begin;
	return (size_t)(at - (const char *)data);
}

int socket_tables_read(
	int process, const struct socket_table *table, socket_fact_consumer take, void *user)
{
	_cleanup_close_ int fd = openat(process, table->file, O_RDONLY | O_CLOEXEC);
	struct buffer bytes = { 0 };
	uint64_t total = 0;
	int status = fd < 0 ? -errno : 0;

	while (!status) {
		void *to = buffer_reserve(&bytes, PIECE_BYTES);
		ssize_t got = to ? read(fd, to, PIECE_BYTES) : -1;

		if (got < 0) {
			status = to ? -errno : -ENOMEM;
			break;
		}
		buffer_commit(&bytes, (size_t)got);
		buffer_consume(&bytes,
			socket_tables_parse(table, bytes.data, bytes.size, !got, take, user));
		if (!got)
			break;
		total += (uint64_t)got;
		if (bytes.size > LINE_BYTES || total > TABLE_BYTES)
			status = bytes.size > LINE_BYTES ? -EBADMSG : 1;
	}
	buffer_fini(&bytes);
	return status;
}
