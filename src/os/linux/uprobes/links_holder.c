/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parent may have threads: between the fork and its end the child calls only
 * async-signal-safe functions.
 */
#include "os/linux/uprobes/links_holder.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "os/linux/files/descriptors.h"
#include "os/linux/uprobes/uprobes_guard.h"

#define STEP_MS	      200
#define SILENT_STEPS  15 /* a busy host may take a second and more from the parent */
#define REAP_NS	      (2 * NS_PER_S)
#define REAP_PAUSE_NS (NS_PER_MS / 5)

struct order {
	enum { ORDER_BEAT, ORDER_HOLD, ORDER_CLOSE } what;
	uint32_t number;
};

/* --- the child --- */

struct held {
	int socket;
	char parent[32]; /* path of its state */
	int links[LINKS_HOLDER_MAX];
};

static bool is_stopped(const struct held *h)
{
	int fd = open(h->parent, O_RDONLY | O_CLOEXEC);
	char text[256];
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *end;

	if (fd >= 0)
		close(fd);
	if (size <= 0) /* a process that is gone closes the socket */
		return false;
	text[size] = '\0';
	end = strrchr(text, ')');
	return end && (end[2] == 'T' || end[2] == 't');
}

/* Returns false at the end of the parent. */
static bool follow_order(struct held *h)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct order order;
	struct iovec data = { &order, sizeof(order) };
	struct msghdr message = { .msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t got = recvmsg(h->socket, &message, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *sent = CMSG_FIRSTHDR(&message);
	int *link;

	if (got < 0 && errno == EINTR)
		return true;
	if (got != sizeof(order) || order.number >= LINKS_HOLDER_MAX)
		return false;
	link = &h->links[order.number];
	if (order.what == ORDER_HOLD && sent && sent->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(link, CMSG_DATA(sent), sizeof(int));
	if (order.what == ORDER_CLOSE && *link >= 0) {
		close(*link);
		*link = -1;
	}
	return true;
}

/* Closes the last links first, so that entries go before their returns. */
static __attribute__((noreturn)) void run_holder(struct held *h)
{
	struct pollfd wait = { .fd = h->socket, .events = POLLIN };

	uprobes_guard_become(&h->socket, 1, "sooth-guard");
	for (int silent = 0; silent < SILENT_STEPS; silent++) {
		int ready = poll(&wait, 1, STEP_MS);

		if (!ready && is_stopped(h))
			break;
		if (ready > 0 && !follow_order(h))
			break;
		if (ready)
			silent = -1;
	}
	close(h->socket); /* the parent learns it before the kernel takes its time */
	for (size_t i = LINKS_HOLDER_MAX; i-- > 0;) {
		if (h->links[i] >= 0)
			close(h->links[i]);
	}
	_exit(0);
}

/* --- the parent --- */

int links_holder_start(struct links_holder *h, struct sooth_error *err)
{
	struct held held;
	sigset_t all, before;
	int pair[2], code;

	assert(h);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return error_errno(err, -errno, "make a socket pair");
	held.socket = pair[1];
	snprintf(held.parent, sizeof(held.parent), "/proc/%d/stat", (int)getpid());
	for (size_t i = 0; i < LINKS_HOLDER_MAX; i++)
		held.links[i] = -1;
	/* No handler of the parent may run in the child. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	*h = (struct links_holder){ .pid = fork(), .socket = pair[0] };
	code = -errno;
	if (!h->pid)
		run_holder(&held);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(pair[1]);
	if (h->pid > 0)
		return 0;
	close(pair[0]);
	h->pid = 0;
	return error_errno(err, code, "fork the process that has the links to probes");
}

int64_t links_holder_give(struct links_holder *h, int link)
{
	struct order order = { .what = ORDER_HOLD };
	int status = h->is_gone ? -EPIPE : 0;

	while (order.number < LINKS_HOLDER_MAX && h->has[order.number])
		order.number++;
	if (order.number == LINKS_HOLDER_MAX)
		return -ENOSPC;
	if (!status)
		status = descriptors_send(h->socket, &link, 1, &order, sizeof(order), MSG_NOSIGNAL);
	h->is_gone |= status == -EPIPE || status == -ECONNRESET;
	if (status)
		return h->is_gone ? -EPIPE : status;
	close(link);
	h->has[order.number] = true;
	return order.number;
}

static bool send_order(struct links_holder *h, struct order order)
{
	if (!h->is_gone && send(h->socket, &order, sizeof(order), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		h->is_gone = errno == EPIPE || errno == ECONNRESET;
	return !h->is_gone;
}

void links_holder_close(struct links_holder *h, uint32_t number)
{
	send_order(h, (struct order){ ORDER_CLOSE, number });
	h->has[number] = false;
}

bool links_holder_beat(struct links_holder *h)
{
	return !h->pid || send_order(h, (struct order){ ORDER_BEAT, 0 });
}

void links_holder_end(struct links_holder *h)
{
	const struct timespec pause = { .tv_nsec = (long)REAP_PAUSE_NS };
	uint64_t begin = clock_monotonic_ns();

	if (!h->pid)
		return;
	close(h->socket);
	while (!waitpid(h->pid, NULL, WNOHANG) && clock_monotonic_ns() - begin < REAP_NS)
		nanosleep(&pause, NULL);
	*h = (struct links_holder){ 0 };
}
