/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process with sockets of every kind and state that a descriptor can have, all on
 * loopback. States that a healthy network leaves at once are held by a filter on the
 * receiving end that drops every segment (SO_ATTACH_FILTER). Kernels may ask cap_net_admin
 * for that on TCP; --uid gives up root when all is made.
 *
 * Cannot be promised: SYN_SENT ends after some two minutes, as the kernel gives up; raw
 * and packet sockets are there for root only; families the kernel lacks are left out.
 * A TIME_WAIT belongs to no descriptor: one is made, and must not be told.
 */
#include "workload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define UNREAD_BYTES 100
#define ECHO	     5
#define TEXT_MAX     108

static char *folder;
static uint64_t uid;	/* 0: as it was started */
static int losing = -1; /* whose data nobody acknowledges */

/* Every call must succeed, or the state is not the one that was promised. */
#define MUST(call)                                                                                 \
	({                                                                                         \
		int result_ = (call);                                                              \
		if (result_ < 0) {                                                                 \
			fprintf(stderr, "sockets:%d: %s: %s\n", __LINE__, #call, strerror(errno)); \
			return -errno;                                                             \
		}                                                                                  \
		result_;                                                                           \
	})

/* A line of the truth: descriptor, protocol, state as they must be told. */
static void tell(struct truth *t, int fd, const char *protocol, const char *state)
{
	fprintf(t->out, "socket %d %s %s\n", fd, protocol, state);
}

/* --- addresses --- */

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un local;
	};
	socklen_t size;
};

static struct address loopback(int family)
{
	struct address a = { 0 };

	if (family == AF_INET) {
		a.v4 = (struct sockaddr_in){ .sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		a.size = sizeof(a.v4);
	} else {
		a.v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
			.sin6_addr = IN6ADDR_LOOPBACK_INIT };
		a.size = sizeof(a.v6);
	}
	return a;
}

static int address_of(int fd, struct address *a)
{
	a->size = sizeof(struct sockaddr_un);
	return getsockname(fd, &a->any, &a->size);
}

static int bound(int family, int type)
{
	struct address a = loopback(family);
	int fd = socket(family, type, 0);

	return fd >= 0 && bind(fd, &a.any, a.size) ? -1 : fd;
}

/* --- TCP --- */

struct pair {
	int client, server;
};

static int listening(int family, int backlog)
{
	int fd = bound(family, SOCK_STREAM);

	return fd >= 0 && listen(fd, backlog) ? -1 : fd;
}

static int connected(int listener, struct pair *p)
{
	struct address a;

	if (address_of(listener, &a))
		return -1;
	p->client = socket(a.any.sa_family, SOCK_STREAM, 0);
	if (p->client < 0 || connect(p->client, &a.any, a.size))
		return -1;
	p->server = accept(listener, NULL, NULL);
	return p->server;
}

/* From here on nothing reaches it. */
static int make_deaf(int fd)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &drop };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int make_established(struct truth *t, int listener, const char *protocol)
{
	static const char unread[UNREAD_BYTES];
	struct pair p;

	MUST(connected(listener, &p));
	MUST((int)write(p.client, unread, sizeof(unread)));
	tell(t, p.client, protocol, "ESTABLISHED");
	tell(t, p.server, protocol, "ESTABLISHED");
	fprintf(t->out, "unread %d %d\n", p.server, UNREAD_BYTES);
	return 0;
}

/* Both ends close in turn; deaf ones never learn of it. */
static int make_closing(struct truth *t, int listener)
{
	struct pair half, last, lost;

	MUST(connected(listener, &half));
	MUST(shutdown(half.client, SHUT_WR));
	tell(t, half.client, "tcp", "FIN_WAIT_2");
	tell(t, half.server, "tcp", "CLOSE_WAIT");

	MUST(connected(listener, &last));
	MUST(shutdown(last.client, SHUT_WR));
	sleep_ns(20 * NS_PER_MS); /* the FIN must arrive before the ears close */
	MUST(make_deaf(last.client));
	MUST(shutdown(last.server, SHUT_WR));
	tell(t, last.client, "tcp", "FIN_WAIT_2");
	tell(t, last.server, "tcp", "LAST_ACK");

	MUST(connected(listener, &lost));
	MUST(make_deaf(lost.server));
	MUST(shutdown(lost.client, SHUT_WR));
	tell(t, lost.client, "tcp", "FIN_WAIT_1");
	tell(t, lost.server, "tcp", "ESTABLISHED");

	MUST(connected(listener, &lost));
	MUST(make_deaf(lost.server));
	MUST(shutdown(lost.client, SHUT_WR));
	MUST(shutdown(lost.server, SHUT_WR));
	tell(t, lost.client, "tcp", "CLOSING");
	tell(t, lost.server, "tcp", "FIN_WAIT_1");
	return 0;
}

static int make_troubled(struct truth *t, int listener)
{
	static const char unsent[UNREAD_BYTES];
	struct linger reset = { .l_onoff = 1 };
	struct address a;
	struct pair p;
	int fd;

	MUST(connected(listener, &p));
	MUST(make_deaf(p.server));
	MUST((int)write(p.client, unsent, sizeof(unsent)));
	tell(t, p.client, "tcp", "ESTABLISHED");
	tell(t, p.server, "tcp", "ESTABLISHED");
	fprintf(t->out, "retransmits %d\n", p.client);
	losing = p.client;

	fd = MUST(listening(AF_INET, 1));
	MUST(make_deaf(fd));
	MUST(address_of(fd, &a));
	tell(t, fd, "tcp", "LISTEN");
	fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	if (connect(fd, &a.any, a.size) != -1 || errno != EINPROGRESS)
		return -EIO;
	tell(t, fd, "tcp", "SYN_SENT");

	/* Reset by its peer: it stands in no table any more. */
	MUST(connected(listener, &p));
	MUST(setsockopt(p.client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)));
	MUST(close(p.client));
	tell(t, p.server, "tcp", "none");

	/* Closed in order: what remains has no descriptor. */
	MUST(connected(listener, &p));
	MUST(close(p.client));
	MUST(close(p.server));
	return 0;
}

static int make_tcp(struct truth *t)
{
	struct address a;
	struct pair p;
	int off = 0, waiting, listener = MUST(listening(AF_INET, 16)), six, both;

	MUST(make_established(t, listener, "tcp"));
	MUST(make_closing(t, listener));
	MUST(make_troubled(t, listener));
	/* One that nobody accepts. */
	MUST(address_of(listener, &a));
	waiting = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(connect(waiting, &a.any, a.size));
	tell(t, waiting, "tcp", "ESTABLISHED");
	tell(t, listener, "tcp", "LISTEN");
	fprintf(t->out, "waiting %d 1 16\n", listener);
	MUST(dup(listener));
	fprintf(t->out, "twice %d\n", listener);

	tell(t, MUST(socket(AF_INET, SOCK_STREAM, 0)), "tcp", "none");
	six = listening(AF_INET6, 4);
	if (six < 0)
		return 0; /* a kernel without version 6 */
	tell(t, six, "tcp6", "LISTEN");
	MUST(make_established(t, six, "tcp6"));
	/* A listener of both versions: its end of a connection of version 4 is one of 6. */
	both = MUST(socket(AF_INET6, SOCK_STREAM, 0));
	MUST(setsockopt(both, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)));
	MUST(listen(both, 4));
	tell(t, both, "tcp6", "LISTEN");
	a.size = sizeof(a.v6);
	MUST(getsockname(both, &a.any, &a.size));
	a = (struct address){ .v4 = { .sin_family = AF_INET,
				      .sin_port = a.v6.sin6_port,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
		.size = sizeof(a.v4) };
	p.client = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(connect(p.client, &a.any, a.size));
	p.server = MUST(accept(both, NULL, NULL));
	tell(t, p.client, "tcp", "ESTABLISHED");
	tell(t, p.server, "tcp6", "ESTABLISHED");
	return 0;
}

/* --- others --- */

static int make_datagrams(struct truth *t)
{
	static const int families[] = { AF_INET, AF_INET6 };
	static const char *const names[] = { "udp", "udp6" };

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		int open = bound(families[i], SOCK_DGRAM), fd;
		struct address a;

		if (open < 0)
			continue;
		MUST(address_of(open, &a));
		fd = MUST(socket(families[i], SOCK_DGRAM, 0));
		MUST(connect(fd, &a.any, a.size));
		MUST((int)write(fd, "datagram", 8));
		tell(t, open, names[i], "CLOSE");
		tell(t, fd, names[i], "ESTABLISHED");
		fprintf(t->out, "unread %d more\n", open);
	}
	tell(t, MUST(socket(AF_INET, SOCK_DGRAM, 0)), "udp", "none");
	return 0;
}

static int make_privileged(struct truth *t)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int fd = MUST(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));

	MUST(bind(fd, (void *)&kernel, sizeof(kernel)));
	tell(t, fd, "netlink_route", "CLOSE");
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	if (fd >= 0)
		tell(t, fd, "raw", "CLOSE");
	fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	if (fd >= 0)
		tell(t, fd, "packet_dgram", "CLOSE");
	fd = socket(AF_ALG, SOCK_SEQPACKET, 0);
	if (fd >= 0)
		tell(t, fd, "ALG", "unknown");
	fd = socket(AF_VSOCK, SOCK_STREAM, 0);
	if (fd >= 0)
		tell(t, fd, "vsock", "unknown");
	return 0;
}

/* --- unix --- */

static int local(const char *name, size_t size, int type)
{
	struct address a = { .local = { .sun_family = AF_UNIX } };
	int fd = socket(AF_UNIX, type, 0);

	memcpy(a.local.sun_path, name, size);
	a.size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
	return fd >= 0 && bind(fd, &a.any, a.size) ? -1 : fd;
}

static int make_pairs(struct truth *t, ino_t *inode)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	static const char *const names[] = { "unix_stream", "unix_dgram", "unix_seqpacket" };
	struct stat st;
	int ends[2];

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		MUST(socketpair(AF_UNIX, types[i], 0, ends));
		MUST((int)write(ends[0], "unread", 6));
		tell(t, ends[0], names[i], "ESTABLISHED");
		tell(t, ends[1], names[i], "ESTABLISHED");
		fprintf(t->out, "unread %d 6\n", ends[1]);
	}
	MUST(fstat(ends[0], &st));
	*inode = st.st_ino;
	return 0;
}

/* A listener with one accepted and one waiting connection. */
static int make_served(struct truth *t, int fd, const char *protocol, int type)
{
	struct address a;
	int client;

	MUST(listen(fd, 7));
	MUST(address_of(fd, &a));
	tell(t, fd, protocol, "LISTEN");
	for (int i = 0; i < 2; i++) {
		client = MUST(socket(AF_UNIX, type, 0));
		MUST(connect(client, &a.any, a.size));
		tell(t, client, protocol, "ESTABLISHED");
		if (!i)
			tell(t, MUST(accept(fd, NULL, NULL)), protocol, "ESTABLISHED");
	}
	fprintf(t->out, "waiting %d 1 7\n", fd);
	return 0;
}

static int make_unix(struct truth *t)
{
	char name[TEXT_MAX];
	ino_t inode = 0;
	int size, fd;

	MUST(make_pairs(t, &inode));
	/* An abstract name with what a terminal must not be shown. */
	size = snprintf(name, sizeof(name), "%csooth\x1b[31m\n%d", 0, getpid());
	fd = MUST(local(name, (size_t)size, SOCK_STREAM));
	MUST(make_served(t, fd, "unix_stream", SOCK_STREAM));
	size = snprintf(name, sizeof(name), "%csooth packets %d", 0, getpid());
	fd = MUST(local(name, (size_t)size, SOCK_SEQPACKET));
	MUST(make_served(t, fd, "unix_seqpacket", SOCK_SEQPACKET));
	tell(t, MUST(socket(AF_UNIX, SOCK_STREAM, 0)), "unix_stream", "CLOSE");
	if (!folder)
		return 0;
	size = snprintf(name, sizeof(name), "%s/stream", folder);
	fd = MUST(local(name, (size_t)size + 1, SOCK_STREAM));
	MUST(make_served(t, fd, "unix_stream", SOCK_STREAM));
	/* In /proc/net/unix this path makes a line of its own, about another socket. */
	size = snprintf(name, sizeof(name), "%s/f\n0: 2 0 10000 1 1 %lu forged", folder,
		(unsigned long)inode);
	if (size >= TEXT_MAX)
		return -ENAMETOOLONG;
	tell(t, MUST(local(name, (size_t)size + 1, SOCK_DGRAM)), "unix_dgram", "CLOSE");
	fprintf(t->out, "forged %lu\n", (unsigned long)inode);
	return 0;
}

/* What is another user's to read must be dumpable again. */
static int become(void)
{
	if (!uid)
		return 0;
	MUST(setgroups(0, NULL));
	MUST(setresgid((gid_t)uid, (gid_t)uid, (gid_t)uid));
	MUST(setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid));
	MUST(prctl(PR_SET_DUMPABLE, 1));
	return 0;
}

/* A busy machine takes its time for it. */
static int wait_for_retransmission(void)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	while (!info.tcpi_total_retrans || !info.tcpi_retransmits) {
		sleep_ns(10 * NS_PER_MS);
		MUST(getsockopt(losing, IPPROTO_TCP, TCP_INFO, &info, &size));
	}
	return 0;
}

static int run(const struct workload *w)
{
	autotruth truth = { 0 };
	int err = truth_begin(&truth);

	if (!err)
		err = make_tcp(&truth);
	if (!err)
		err = make_datagrams(&truth);
	if (!err)
		err = make_privileged(&truth);
	if (!err)
		err = make_unix(&truth);
	if (err)
		return err == -EPERM ? -EOPNOTSUPP : err;
	err = wait_for_retransmission();
	if (!err)
		err = truth_commit(&truth, w);
	if (!err)
		err = become();
	return err ? err : workload_stay(w);
}

static const struct param params[] = {
	{ "folder", "DIR", "where unix sockets with a path are made (none)", PARAM_TEXT, &folder, 0,
		0 },
	{ "uid", "N", "become this user when all is made", PARAM_NUMBER, &uid, 1, 65534 },
	{ 0 },
};

const struct scenario scenario_sockets = {
	.name = "sockets",
	.help = "sockets of every kind and state",
	.params = params,
	.run = run,
};
