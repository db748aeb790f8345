/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls on sockets: IPv4, IPv6, unix, on loopback only. */
#include "calls.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static char got[256];

/* An address in words, and how long it is. */
struct end {
	struct sockaddr_storage address;
	socklen_t size;
	char words[80];
};

static void put_in_words(struct end *e)
{
	const struct sockaddr_in *v4 = (const void *)&e->address;
	const struct sockaddr_in6 *v6 = (const void *)&e->address;
	char text[INET6_ADDRSTRLEN];

	if (e->address.ss_family == AF_INET)
		snprintf(e->words, sizeof(e->words), "%s:%u",
			inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text)), ntohs(v4->sin_port));
	else
		snprintf(e->words, sizeof(e->words), "[%s]:%u",
			inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text)),
			ntohs(v6->sin6_port));
}

static void make_loopback(struct end *e, int family)
{
	struct sockaddr_in *v4 = (void *)&e->address;
	struct sockaddr_in6 *v6 = (void *)&e->address;

	memset(e, 0, sizeof(*e));
	e->address.ss_family = (sa_family_t)family;
	e->size = family == AF_INET ? sizeof(*v4) : sizeof(*v6);
	if (family == AF_INET)
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		v6->sin6_addr = in6addr_loopback;
	put_in_words(e);
}

/* What the kernel calls this end. */
static struct end name_of(long fd, const char *call, const char *words)
{
	struct end e = { .size = sizeof(e.address) };
	bool is_peer = !strcmp(call, "getpeername");

	if (is_peer)
		CALL(getpeername, fd, P(&e.address), P(&e.size));
	else
		CALL(getsockname, fd, P(&e.address), P(&e.size));
	put_in_words(&e);
	told(NULL, "%s, %s, [%u]", fd_is(fd, words), e.words, (unsigned)e.size);
	return e;
}

/* "TCP a→b" */
static const char *between(const char *protocol, const struct end *local, const struct end *peer)
{
	static char texts[4][200];
	static unsigned turn;
	char *text = texts[turn++ % ARRAY_SIZE(texts)];

	snprintf(text, sizeof(texts[0]), "%s %s→%s", protocol, local->words, peer->words);
	return text;
}

struct server {
	const char *protocol;
	char words[128]; /* of its descriptor */
	struct end at;
	long fd;
};

static void serve(struct server *s, int family, const char *name)
{
	int one = 1;

	make_loopback(&s->at, family);
	s->fd = CALL(socket, family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	told(NULL, "%s, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP", name);
	CALL(setsockopt, s->fd, SOL_SOCKET, SO_REUSEADDR, P(&one), sizeof(one));
	told(NULL, "%s, SOL_SOCKET, SO_REUSEADDR, [1], 4", fd_is(s->fd, s->protocol));
	CALL(setsockopt, s->fd | 0xfffel << 48, IPPROTO_TCP, TCP_NODELAY, P(&one), sizeof(one));
	told(NULL, "%s, SOL_TCP, TCP_NODELAY, [1], 4", fd_is(s->fd, s->protocol));
	CALL(bind, s->fd, P(&s->at.address), s->at.size);
	told(NULL, "%s, %s, %u", fd_is(s->fd, s->protocol), s->at.words, (unsigned)s->at.size);
}

static void listen_at(struct server *s)
{
	struct end at = { .size = sizeof(at.address) };

	/* Its port was given by bind; how it is shown is known after this one. */
	CALL(getsockname, s->fd, P(&at.address), P(&at.size));
	put_in_words(&at);
	snprintf(s->words, sizeof(s->words), "%s %s", s->protocol, at.words);
	told(NULL, "%s, %s, [%u]", fd_is(s->fd, s->words), at.words, (unsigned)at.size);
	s->at = at;
	CALL(listen, s->fd, 5);
	told(NULL, "%s, 5", fd_is(s->fd, s->words));
	strcat(s->words, " listening");
}

/* What was sent need not be there at once, where the machine is busy. */
static void await(long fd, const char *words)
{
	struct pollfd one = { .fd = (int)fd, .events = POLLIN };

	CALL(ppoll, P(&one), 1, 0, 0, 8);
	told(NULL, "[%s POLLIN→POLLIN], 1, NULL, NULL, 8", fd_is(fd, words));
}

static void talk(long calling, const char *calling_text, long called, const char *called_text)
{
	char a[] = "ask", b[] = "again";
	struct iovec parts[2] = { { a, 3 }, { b, 5 } }, room = { got, sizeof(got) };
	struct msghdr out = { .msg_iov = parts, .msg_iovlen = 2 };
	struct msghdr in = { .msg_iov = &room, .msg_iovlen = 1 };
	int error = 0;
	socklen_t size = sizeof(error);

	CALL(sendto, calling, P("hello\n"), 6, MSG_NOSIGNAL, 0, 0);
	told(NULL, "%s, \"hello\\n\", 6, MSG_NOSIGNAL, NULL, 0", fd_is(calling, calling_text));
	await(called, called_text);
	CALL(recvfrom, called, P(got), sizeof(got), MSG_PEEK, 0, 0);
	told(NULL, "%s, \"hello\\n\", 256, MSG_PEEK, NULL, NULL", fd_is(called, called_text));
	CALL(recvfrom, called, P(got), sizeof(got), 0, 0, 0);
	told(NULL, "%s, \"hello\\n\", 256, 0, NULL, NULL", fd_is(called, called_text));
	CALL(recvfrom, called, P(got), sizeof(got), MSG_DONTWAIT, 0, 0);
	told(NULL, "%s, 0x%lx, 256, MSG_DONTWAIT, NULL, NULL", fd_is(called, called_text), P(got));
	CALL(sendmsg, calling, P(&out), 0);
	told(NULL, "%s, {2 parts \"ask\"}, 0", fd_is(calling, calling_text));
	await(called, called_text);
	CALL(recvmsg, called, P(&in), MSG_WAITALL | MSG_DONTWAIT);
	told(NULL, "%s, {1 parts \"askagain\"}, MSG_DONTWAIT|MSG_WAITALL",
		fd_is(called, called_text));
	CALL(getsockopt, calling, SOL_SOCKET, SO_ERROR, P(&error), P(&size));
	told(NULL, "%s, SOL_SOCKET, SO_ERROR, [0], [4]", fd_is(calling, calling_text));
	CALL(shutdown, calling, SHUT_WR);
	told(NULL, "%s, SHUT_WR", fd_is(calling, calling_text));
	CALL(close, calling);
	told(NULL, "%s", fd_is(calling, calling_text));
	CALL(close, called);
	told(NULL, "%s", fd_is(called, called_text));
}

static void connections(int family, const char *name, const char *protocol)
{
	struct server s = { .protocol = protocol };
	struct end mine, peer = { .size = sizeof(peer.address) };
	char calling_text[200];
	long calling, called;

	serve(&s, family, name);
	listen_at(&s);
	calling = CALL(socket, family, SOCK_STREAM, IPPROTO_TCP);
	told(NULL, "%s, SOCK_STREAM, IPPROTO_TCP", name);
	CALL(connect, calling, P(&s.at.address), s.at.size);
	told(NULL, "%s, %s, %u", fd_is(calling, protocol), s.at.words, (unsigned)s.at.size);
	mine.size = sizeof(mine.address);
	CALL(getsockname, calling, P(&mine.address), P(&mine.size));
	put_in_words(&mine);
	snprintf(calling_text, sizeof(calling_text), "%s", between(protocol, &mine, &s.at));
	told(NULL, "%s, %s, [%u]", fd_is(calling, calling_text), mine.words, (unsigned)mine.size);
	name_of(calling, "getpeername", calling_text);
	called = CALL(accept4, s.fd, P(&peer.address), P(&peer.size), SOCK_NONBLOCK | SOCK_CLOEXEC);
	put_in_words(&peer);
	told(NULL, "%s, %s, [%u], SOCK_NONBLOCK|SOCK_CLOEXEC", fd_is(s.fd, s.words), peer.words,
		(unsigned)peer.size);
	talk(calling, calling_text, called, between(protocol, &s.at, &mine));
	CALL(close, s.fd);
	told(NULL, "%s", fd_is(s.fd, s.words));
	/* Nobody is there any more. */
	calling = CALL(socket, family, SOCK_STREAM, 0);
	told(NULL, "%s, SOCK_STREAM, IPPROTO_IP", name);
	CALL(connect, calling, P(&s.at.address), s.at.size);
	told(NULL, "%s, %s, %u", fd_is(calling, protocol), s.at.words, (unsigned)s.at.size);
	CALL(close, calling);
	told(NULL, "%s", fd_is(calling, protocol));
}

static void datagrams(int family, const char *name, const char *protocol)
{
	struct end at, from = { .size = sizeof(from.address) };
	struct iovec part = { (void *)(uintptr_t) "datagram", 8 };
	struct msghdr out = { .msg_iov = &part, .msg_iovlen = 1 };
	char words[200];
	long a = CALL(socket, family, SOCK_DGRAM, 0), b;

	told(NULL, "%s, SOCK_DGRAM, IPPROTO_IP", name);
	b = CALL(socket, family, SOCK_DGRAM, 0);
	told(NULL, "%s, SOCK_DGRAM, IPPROTO_IP", name);
	make_loopback(&at, family);
	CALL(bind, a, P(&at.address), at.size);
	told(NULL, "%s, %s, %u", fd_is(a, protocol), at.words, (unsigned)at.size);
	CALL(getsockname, a, P(&at.address), P(&at.size));
	put_in_words(&at);
	snprintf(words, sizeof(words), "%s %s", protocol, at.words);
	told(NULL, "%s, %s, [%u]", fd_is(a, words), at.words, (unsigned)at.size);
	CALL(sendto, b, P("one"), 3, 0, P(&at.address), at.size);
	told(NULL, "%s, \"one\", 3, 0, %s, %u", fd_is(b, protocol), at.words, (unsigned)at.size);
	CALL(recvfrom, a, P(got), sizeof(got), 0, P(&from.address), P(&from.size));
	put_in_words(&from);
	told(NULL, "%s, \"one\", 256, 0, %s, [%u]", fd_is(a, words), from.words,
		(unsigned)from.size);
	out.msg_name = &at.address;
	out.msg_namelen = at.size;
	CALL(sendmsg, b, P(&out), MSG_DONTWAIT);
	told(NULL, "%s, {%s, 1 parts \"datagram\"}, MSG_DONTWAIT", fd_is(b, protocol), at.words);
	CALL(close, a);
	told(NULL, "%s", fd_is(a, words));
	CALL(close, b);
	told(NULL, "%s", fd_is(b, protocol));
}

/* A unix address of bytes that may hold anything; how it is shown among arguments, and of a
 * descriptor. */
static void unix_socket(const char *bytes, size_t size, const char *quoted, const char *written)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
	char words[512];
	long a = CALL(socket, AF_UNIX, SOCK_SEQPACKET, 0), b;

	told(NULL, "AF_UNIX, SOCK_SEQPACKET, 0");
	memcpy(at.sun_path, bytes, size);
	CALL(bind, a, P(&at), length);
	told(NULL, "%s, %s, %u", fd_is(a, "UNIX"), quoted, (unsigned)length);
	snprintf(words, sizeof(words), "UNIX %s", written);
	CALL(listen, a, 1);
	told(NULL, "%s, 1", fd_is(a, words));
	b = CALL(socket, AF_UNIX, SOCK_SEQPACKET, 0);
	told(NULL, "AF_UNIX, SOCK_SEQPACKET, 0");
	CALL(connect, b, P(&at), length);
	told(NULL, "%s, %s, %u", fd_is(b, "UNIX"), quoted, (unsigned)length);
	snprintf(words, sizeof(words), "UNIX →%s", written);
	CALL(close, b);
	told(NULL, "%s", fd_is(b, words));
	snprintf(words, sizeof(words), "UNIX %s listening", written);
	CALL(close, a);
	told(NULL, "%s", fd_is(a, words));
}

static void unix_sockets(void)
{
	char longest[108], words[120], quoted[120];
	int pair[2];

	CALL(socketpair, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, P(pair));
	told(NULL, "AF_UNIX, SOCK_DGRAM|SOCK_CLOEXEC, 0, [%d<UNIX>, %d<UNIX>]", pair[0], pair[1]);
	CALL(close, pair[0]);
	told(NULL, "%s", fd_is(pair[0], "UNIX"));
	CALL(close, pair[1]);
	told(NULL, "%s", fd_is(pair[1], "UNIX"));
	unix_socket("sock", 5, "\"sock\"", "sock");
	unix_socket("new\nline\033[0m", 13, "\"new\\nline\\x1b[0m\"", "new\\nline\\x1b[0m");
	unix_socket("a\", 1) = 0", 11, "\"a\\\", 1) = 0\"", "a\", 1) = 0");
	unix_socket("\0abs\0tract\n", 11, "@\"abs\\x00tract\\n\"", "@abs@tract\\n");
	unix_socket("\0\xff\xfe", 3, "@\"\\xff\\xfe\"", "@\\xff\\xfe");
	memset(longest, 'l', sizeof(longest));
	snprintf(words, sizeof(words), "%.108s", longest);
	snprintf(quoted, sizeof(quoted), "\"%.108s\"", longest);
	unix_socket(longest, sizeof(longest), quoted, words);
}

/* An error that waits for whoever asks: the other end went without reading. */
static void error_of_socket(void)
{
	socklen_t size = sizeof(int);
	int error = 0, pair[2];

	CALL(socketpair, AF_UNIX, SOCK_SEQPACKET, 0, P(pair));
	told(NULL, "AF_UNIX, SOCK_SEQPACKET, 0, [%d<UNIX>, %d<UNIX>]", pair[0], pair[1]);
	CALL(write, pair[0], P("x"), 1);
	told(NULL, "%s, \"x\", 1", fd_is(pair[0], "UNIX"));
	CALL(close, pair[1]);
	told(NULL, "%s", fd_is(pair[1], "UNIX"));
	CALL(getsockopt, pair[0], SOL_SOCKET, SO_ERROR, P(&error), P(&size));
	told(NULL, "%s, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]", fd_is(pair[0], "UNIX"));
	CALL(close, pair[0]);
	told(NULL, "%s", fd_is(pair[0], "UNIX"));
}

/* An interface that is not there. */
static void address_with_scope(void)
{
	struct sockaddr_in6 at = {
		.sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_scope_id = 4000000000u
	};
	long fd = CALL(socket, AF_INET6, SOCK_DGRAM, 0);

	told(NULL, "AF_INET6, SOCK_DGRAM, IPPROTO_IP");
	inet_pton(AF_INET6, "fe80::1", &at.sin6_addr);
	CALL(bind, fd, P(&at), sizeof(at));
	told(NULL, "%s, [fe80::1%%4000000000]:9, 28", fd_is(fd, "UDP6"));
	CALL(close, fd);
	told(NULL, "%s", fd_is(fd, "UDP6"));
}

static void others(void)
{
	struct sockaddr_nl at = { .nl_family = AF_NETLINK };
	struct sockaddr unknown = { .sa_family = 99 };
	long fd = CALL(socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	told(NULL, "AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_ROUTE");
	CALL(bind, fd, P(&at), sizeof(at));
	told(NULL, "%s, {AF_NETLINK}, 12", fd_is(fd, "NETLINK"));
	CALL(connect, fd, P(&unknown), sizeof(unknown));
	told(NULL, "%s, {99}, 16", fd_is(fd, "NETLINK"));
	CALL(connect, fd, 1, 16);
	told(NULL, "%s, 0x1, 16", fd_is(fd, "NETLINK"));
	CALL(close, fd);
	told(NULL, "%s", fd_is(fd, "NETLINK"));
	CALL(socket, 1000, 77, 0);
	told(NULL, "1000, 0x4d, 0");
}

void calls_of_sockets(void)
{
	connections(AF_INET, "AF_INET", "TCP");
	connections(AF_INET6, "AF_INET6", "TCP6");
	datagrams(AF_INET, "AF_INET", "UDP");
	datagrams(AF_INET6, "AF_INET6", "UDP6");
	unix_sockets();
	error_of_socket();
	address_with_scope();
	others();
}
