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
#include <stdlib.h>
#include <string.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "os/linux/files/descriptors.h"
#include "os/linux/files/task_files.h"
#include "os/linux/uprobes/uprobes_guard.h"

#define STEP_MS	      200
#define SILENT_STEPS  15 /* a busy host may take a second and more from the parent */
#define REAP_NS	      (2 * NS_PER_S)
#define ANSWER_MS     2000 /* afterwards it may be stopped */
#define PLACES_MOST   1024
#define FILE_FD	      200 /* of the probed file, in the child */
#define FILE_PATH     "/proc/self/fd/200"
#define REAP_PAUSE_NS (NS_PER_MS / 5)

/* include/uapi/linux/bpf.h of 6.6, which older headers lack. */
#define LINK_CREATE 28

struct link_attributes {
	uint32_t program;
	uint32_t target;
	uint32_t type;
	uint32_t flags;
	uint64_t path;
	uint64_t offsets;
	uint64_t counters;
	uint64_t cookies;
	uint32_t count;
	uint32_t multi_flags;
	uint32_t pid;
	uint32_t unused;
};

static int make_link(const struct links_holder_link *l, const char *path)
{
	const struct link_attributes attributes = { .program = (uint32_t)l->program,
		.type = l->type,
		.path = (uint64_t)(uintptr_t)path,
		.offsets = (uint64_t)(uintptr_t)l->offsets,
		.cookies = (uint64_t)(uintptr_t)l->cookies,
		.count = l->count,
		.multi_flags = l->flags,
		.pid = l->pid };
	int fd = (int)syscall(SYS_bpf, LINK_CREATE, &attributes, sizeof(attributes));

	return fd < 0 ? -errno : fd;
}

int links_make(const struct links_holder_link *link)
{
	char path[64];

	assert(link);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", link->file);
	return make_link(link, path);
}

/* Orders to make and to close a link are answered by a status. */
struct order {
	enum { ORDER_BEAT, ORDER_MAKE, ORDER_CLOSE } what;
	uint32_t number, count, type, flags, pid;
	uint64_t places[2 * PLACES_MOST]; /* offsets, and cookies behind them */
};

#define ORDER_SIZE(count) (offsetof(struct order, places) + 2 * sizeof(uint64_t) * (count))

/* --- the child --- */

struct held {
	int socket;
	char parent[32]; /* path of its state */
	int links[LINKS_HOLDER_MAX];
	struct order order;
};

/* Makes a link from an order with two descriptors: program and file. */
static int make_held(struct held *h, const struct cmsghdr *sent)
{
	const struct order *o = &h->order;
	struct links_holder_link link = { .offsets = o->places,
		.cookies = o->places + o->count,
		.count = o->count,
		.type = o->type,
		.flags = o->flags,
		.pid = o->pid };
	int fds[2], fd = -EBADF;

	if (!sent || sent->cmsg_len != CMSG_LEN(sizeof(fds)))
		return -EMFILE; /* there was no room for them */
	memcpy(fds, CMSG_DATA(sent), sizeof(fds));
	link.program = fds[0];
	if (dup2(fds[1], FILE_FD) >= 0)
		fd = make_link(&link, FILE_PATH);
	close(FILE_FD);
	close(fds[0]);
	close(fds[1]);
	if (fd >= 0)
		h->links[o->number] = fd;
	return fd < 0 ? fd : 0;
}

/* Returns false at the end of the parent. */
static bool follow_order(struct held *h)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct order *o = &h->order;
	struct iovec data = { o, sizeof(*o) };
	struct msghdr message = { .msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t got = recvmsg(h->socket, &message, MSG_CMSG_CLOEXEC);
	int status = 0;

	if (got < 0 && errno == EINTR)
		return true;
	if (got < (ssize_t)ORDER_SIZE(0) || o->number >= LINKS_HOLDER_MAX ||
		o->count > PLACES_MOST || (size_t)got != ORDER_SIZE(o->count))
		return false;
	if (o->what == ORDER_BEAT)
		return true;
	if (o->what == ORDER_MAKE)
		status = make_held(h, CMSG_FIRSTHDR(&message));
	else if (h->links[o->number] >= 0)
		close(h->links[o->number]);
	if (o->what == ORDER_CLOSE)
		h->links[o->number] = -1;
	return send(h->socket, &status, sizeof(status), MSG_NOSIGNAL) == sizeof(status);
}

/* Closes the last links first, so that entries go before their returns. */
static __attribute__((noreturn)) void run_holder(struct held *h)
{
	struct pollfd wait = { .fd = h->socket, .events = POLLIN };

	struct rlimit files;

	uprobes_guard_become(&h->socket, 1, "sooth-guard");
	prctl(PR_SET_PDEATHSIG, SIGCONT); /* it may be stopped when its parent ends */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	for (int silent = 0; silent < SILENT_STEPS; silent++) {
		int ready = poll(&wait, 1, STEP_MS);

		if (!ready && task_is_stopped(h->parent))
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
	struct held *held = calloc(1, sizeof(*held)); /* too large for a stack */
	sigset_t all, before;
	int pair[2], code;

	assert(h);
	if (!held)
		return error_no_memory(err);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		code = -errno;
		free(held);
		return error_errno(err, code, "make a socket pair");
	}
	held->socket = pair[1];
	snprintf(held->parent, sizeof(held->parent), "/proc/%d/stat", (int)getpid());
	for (size_t i = 0; i < LINKS_HOLDER_MAX; i++)
		held->links[i] = -1;
	/* No handler of the parent may run in the child. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	*h = (struct links_holder){ .pid = fork(), .socket = pair[0] };
	code = -errno;
	if (!h->pid)
		run_holder(held);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(pair[1]);
	free(held);
	if (h->pid > 0)
		return 0;
	close(pair[0]);
	h->pid = 0;
	return error_errno(err, code, "fork the process that has the links to probes");
}

/* Waits for an answer. A child that is stopped is resumed. */
static int receive_status(struct links_holder *h)
{
	struct pollfd wait = { .fd = h->socket, .events = POLLIN };
	int status = -EPIPE, ready;

	for (int i = 0; i < 2; i++) {
		do
			ready = poll(&wait, 1, ANSWER_MS);
		while (ready < 0 && errno == EINTR);
		if (ready)
			break;
		kill(h->pid, SIGCONT);
	}
	if (recv(h->socket, &status, sizeof(status), MSG_DONTWAIT) != sizeof(status)) {
		h->is_gone = true;
		return -EPIPE;
	}
	return status;
}

static bool send_order(struct links_holder *h, const struct order *order)
{
	if (!h->is_gone &&
		send(h->socket, order, ORDER_SIZE(order->count), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		h->is_gone = errno == EPIPE || errno == ECONNRESET;
	return !h->is_gone;
}

int64_t links_holder_make(struct links_holder *h, const struct links_holder_link *link)
{
	struct order order = { .what = ORDER_MAKE,
		.count = link->count,
		.type = link->type,
		.flags = link->flags,
		.pid = link->pid };
	int status = h->is_gone ? -EPIPE : 0;

	while (order.number < LINKS_HOLDER_MAX && h->has[order.number])
		order.number++;
	if (order.number == LINKS_HOLDER_MAX)
		return -ENOSPC;
	if (link->count > PLACES_MOST)
		return -E2BIG;
	memcpy(order.places, link->offsets, link->count * sizeof(uint64_t));
	memcpy(order.places + link->count, link->cookies, link->count * sizeof(uint64_t));
	if (!status)
		status = descriptors_send(h->socket, (const int[]){ link->program, link->file }, 2,
			&order, ORDER_SIZE(link->count), MSG_NOSIGNAL);
	h->is_gone |= status == -EPIPE || status == -ECONNRESET;
	if (!status)
		status = receive_status(h);
	if (status)
		return h->is_gone ? -EPIPE : status;
	h->has[order.number] = true;
	return order.number;
}

void links_holder_close(struct links_holder *h, uint32_t number)
{
	struct order order = { .what = ORDER_CLOSE, .number = number };

	if (send_order(h, &order))
		receive_status(h);
	h->has[number] = false;
}

bool links_holder_beat(struct links_holder *h)
{
	struct order order = { .what = ORDER_BEAT };

	return !h->pid || send_order(h, &order);
}

void links_holder_end(struct links_holder *h)
{
	const struct timespec pause = { .tv_nsec = (long)REAP_PAUSE_NS };
	uint64_t begin = clock_monotonic_ns();

	if (!h->pid)
		return;
	close(h->socket);
	kill(h->pid, SIGCONT);
	while (!waitpid(h->pid, NULL, WNOHANG) && clock_monotonic_ns() - begin < REAP_NS)
		nanosleep(&pause, NULL);
	*h = (struct links_holder){ 0 };
}
