/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to sock_diag(7). The kernel fills one buffer at a time, while it is read: so a table of
 * any length needs one buffer here. It may change between two of them; the kernel reports that for
 * some families (NLM_F_DUMP_INTR).
 */
#include "os/linux/sock_diag/socket_diag.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/descriptors.h"
#include "os/linux/files/procfs.h"
#include "probes/sockets.h"

#define ANSWER_BYTES	65536	    /* the kernel gives 32 KiB at most */
#define MESSAGES_MAX	(16u << 20) /* per answer */
#define RETRIES		3	    /* if the table changed while it was read */
#define TUPLES_MAX	(1u << 20)  /* TCP connections searched for pairs */
#define ANSWER_S	5	    /* without a byte: far longer than the kernel takes */
#define INTERRUPTED_MAX 64	    /* signals during one receive */

/* --- a socket in another namespace --- */

static int make_socket(void)
{
	struct timeval timeout = { .tv_sec = ANSWER_S };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout))) {
		int status = -errno;

		close(fd);
		return status;
	}
	return fd;
}

struct entry {
	int namespace;
	int result;
};

/* Makes a socket in the namespace, which only this thread enters, and where it ends. */
static void *enter_and_make(void *user)
{
	struct entry *e = user;

	e->result = setns(e->namespace, CLONE_NEWNET) ? -errno : make_socket();
	return NULL;
}

static int make_socket_in(int namespace)
{
	struct entry e = { namespace, -EAGAIN };
	sigset_t all, before;
	pthread_t thread;
	int status;

	/* Signals are for the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	status = pthread_create(&thread, NULL, enter_and_make, &e);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (status)
		return -status;
	pthread_join(thread, NULL);
	return e.result;
}

/* In a child: enters the user namespace, in which its owner has every capability, and sends a
 * socket of the network namespace. Nothing in these namespaces may trace the child. */
static __attribute__((noreturn)) void enter_and_send(int user, int namespace, int to)
{
	char answer = 0;
	int fd = -1;

	prctl(PR_SET_DUMPABLE, 0);
	if (!setns(user, CLONE_NEWUSER) && !setns(namespace, CLONE_NEWNET))
		fd = make_socket();
	if (fd >= 0)
		descriptors_send(to, &fd, 1, &answer, sizeof(answer), 0);
	_exit(0);
}

/* Makes a socket in a namespace of the caller's own, such as that of a container without root. A
 * thread cannot enter a user namespace by itself. */
static int make_socket_as_owner(int process, int namespace)
{
	_cleanup_close_ int user = openat(process, "ns/user", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int ours = -1, theirs = -1;
	sigset_t all, before;
	int ends[2], fd = -1, status;
	char answer;
	pid_t pid;

	if (user < 0 || procfs_shares_namespace(process, "ns/user") ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -EPERM;
	ours = ends[0];
	theirs = ends[1];
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (!pid)
		enter_and_send(user, namespace, theirs);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(TAKE_FD(theirs));
	status = pid < 0 ? -EPERM : descriptors_receive(ours, &fd, 1, &answer, sizeof(answer), 0);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return status ? -EPERM : fd;
}

int socket_diag_open(int process, struct sooth_error *err)
{
	_cleanup_close_ int namespace = openat(process, "ns/net", O_RDONLY | O_CLOEXEC);
	struct stat own, theirs;
	int fd;

	if (namespace < 0)
		return error_errno(err, -errno, "read the network namespace of the process");
	if (fstat(namespace, &theirs) || stat("/proc/thread-self/ns/net", &own))
		return error_errno(err, -errno, "compare network namespaces");
	if (own.st_ino == theirs.st_ino && own.st_dev == theirs.st_dev) {
		fd = make_socket();
		return fd < 0 ? error_errno(err, fd, "read the kernel's sockets") : fd;
	}
	fd = make_socket_in(namespace);
	if (fd == -EPERM)
		fd = make_socket_as_owner(process, namespace);
	if (fd >= 0)
		return fd;
	error_errno(err, fd, "read sockets of another network namespace");
	if (fd == -EPERM)
		error_remedy(err, "run sooth as root or with cap_sys_admin");
	return fd;
}

/* --- request and answer --- */

static int receive_messages(int netlink, void *buffer, size_t size, size_t *got)
{
	for (int i = 0; i < INTERRUPTED_MAX; i++) {
		struct sockaddr_nl from = { 0 };
		socklen_t from_size = sizeof(from);
		ssize_t n = recvfrom(netlink, buffer, size, MSG_TRUNC, (void *)&from, &from_size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (from.nl_pid)
			continue; /* not from the kernel */
		if (!n)
			return -EPIPE;
		*got = (size_t)n;
		return *got > size ? -EMSGSIZE : 0;
	}
	return -EINTR;
}

static int request_once(int netlink, struct socket_answer *answer, void *buffer,
	socket_fact_consumer take, void *user)
{
	unsigned char request[SOCKET_REQUEST_MAX];
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	size_t size, got = 0;
	struct timespec now;
	int status = 0;

	/* Distinguishes the rest of an abandoned answer from the new one. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	answer->sequence = (uint32_t)now.tv_nsec ^ (uint32_t)now.tv_sec << 30;
	size = socket_messages_request(request, answer->request, answer->sequence);
	if (sendto(netlink, request, size, 0, (void *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	while (!status && !answer->is_done) {
		status = receive_messages(netlink, buffer, ANSWER_BYTES, &got);
		if (!status)
			status = socket_messages_parse(answer, buffer, got, take, user);
		if (!status && answer->messages > MESSAGES_MAX)
			status = -EFBIG;
	}
	return status;
}

int socket_diag_request(int netlink, const struct socket_request *request,
	socket_fact_consumer take, void *user, struct sooth_error *err)
{
	_cleanup_free_ void *buffer = malloc(ANSWER_BYTES);

	assert(request);
	if (!buffer)
		return error_no_memory(err);
	for (int i = 0; i < RETRIES; i++) {
		struct socket_answer answer = { .request = request };
		int status = request_once(netlink, &answer, buffer, take, user);

		if (status)
			return error_errno(err, status,
				"read the kernel's sockets of family %d, protocol %d",
				request->family, request->protocol);
		if (!answer.is_interrupted)
			return 0;
	}
	return 1;
}

/* --- peers --- */

/* Both ends of a connection; IPv4 addresses are mapped into IPv6, because one end may be an IPv6
 * socket. */
struct tuple {
	unsigned char local[16], peer[16];
	uint16_t local_port, peer_port;
	uint32_t unused;
};

struct pairing {
	struct map *peers;
	struct map tuples; /* struct tuple -> uint64_t inode */
};

static void put_address(unsigned char out[16], int family, const unsigned char *address)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (family == AF_INET6) {
		memcpy(out, address, 16);
		return;
	}
	memcpy(out, mapped, sizeof(mapped));
	memcpy(out + sizeof(mapped), address, 4);
}

static void add_local_socket(void *user, const struct socket_fact *f)
{
	struct pairing *p = user;
	uint64_t *peer;

	if (!f->inode || !f->peer_inode)
		return;
	peer = map_put(p->peers, &f->inode, NULL);
	if (peer)
		*peer = f->peer_inode;
}

static void add_connection(void *user, const struct socket_fact *f)
{
	struct pairing *p = user;
	struct tuple t = { .local_port = f->local_port, .peer_port = f->peer_port };
	uint64_t *inode;

	if (!f->inode || !f->peer_port || f->state == SOCKETS_LISTEN)
		return;
	put_address(t.local, f->family, f->local);
	put_address(t.peer, f->family, f->peer);
	inode = map_put(&p->tuples, &t, NULL);
	if (inode)
		*inode = f->inode;
}

static void pair_connections(struct pairing *p)
{
	map_for_each (&p->tuples, const struct tuple *, t, void *, value) {
		struct tuple other = { .local_port = t->peer_port, .peer_port = t->local_port };
		const uint64_t *found;
		uint64_t *peer;

		memcpy(other.local, t->peer, sizeof(other.local));
		memcpy(other.peer, t->local, sizeof(other.peer));
		found = map_get(&p->tuples, &other);
		peer = found ? map_put(p->peers, value, NULL) : NULL;
		if (peer)
			*peer = *found;
	}
}

int socket_diag_peers(int netlink, struct map *peers, struct sooth_error *err)
{
	assert(peers);

	static const struct socket_request requests[] = {
		{ .family = AF_UNIX },
		{ .family = AF_INET, .protocol = IPPROTO_TCP },
		{ .family = AF_INET6, .protocol = IPPROTO_TCP },
	};
	struct pairing p = { .peers = peers };
	struct sooth_error refused;
	int status = 0;

	map_init(&p.tuples, sizeof(struct tuple), sizeof(uint64_t), TUPLES_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		int one = socket_diag_request(netlink, &requests[i],
			requests[i].family == AF_UNIX ? add_local_socket : add_connection, &p,
			&refused);

		if (one < 0 && !status) {
			status = one;
			if (err)
				*err = refused;
		}
	}
	pair_connections(&p);
	peers->refused += p.tuples.refused;
	map_fini(&p.tuples);
	return status;
}
