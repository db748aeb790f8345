/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parent may have threads: between the fork and its end the child calls only
 * async-signal-safe functions.
 */
#include "os/linux/uprobes/uprobes_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "os/linux/files/descriptors.h"
#include "os/linux/files/close_between.h"
#include "os/linux/uprobes/tracefs.h"
#include "os/linux/rights/needs.h"

#define GUARD_TIMEOUT_NS 10000000000 /* definitions in use longer are left for the next sweep */
#define REAP_NS		 2000000000  /* the guard may have been stopped by a signal */
#define REAP_PAUSE_NS	 200000

/* A message is one byte. */
enum order {
	ORDER_REMOVE,
	ORDER_END,
	ORDER_KEEP, /* with descriptors: they stay open until they are removed */
};

/* Descriptors in one message; the kernel takes 253. */
#define PASSED_MAX 64

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(PASSED_MAX * sizeof(int))];
};

static void close_other_descriptors(int *kept, size_t count)
{
	unsigned next = 0;

	/* In ascending order; there are three. */
	for (size_t i = 1; i < count; i++) {
		for (size_t j = i; j && kept[j - 1] > kept[j]; j--) {
			int higher = kept[j - 1];

			kept[j - 1] = kept[j];
			kept[j] = higher;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (kept[i])
			close_between(next, (unsigned)kept[i] - 1);
		next = (unsigned)kept[i] + 1;
	}
	close_between(next, ~0u);
}

static void set_signals(void)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	sigset_t none;

	/* Resets handlers inherited from the parent. */
	for (int number = 1; number < _NSIG; number++)
		signal(number, SIG_DFL);
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void uprobes_guard_become(int *kept, size_t count, const char *name)
{
	set_signals();
	close_other_descriptors(kept, count);
	setsid();
	prctl(PR_SET_NAME, name); /* last: the name says that it is ready */
}

/* Receives the next order. If the parent is gone without a message, the order is to remove.
 * Descriptors that come with a message stay open. */
static enum order receive_order(int socket)
{
	union control control;
	char order = ORDER_REMOVE;
	struct iovec data = { &order, 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got;

	do
		got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	return got == 1 ? (enum order)order : ORDER_REMOVE;
}

/*
 * Releases the events. If the process gets SIGKILL while the kernel releases an event, the kernel
 * gives up ("failed to unregister, leaking uprobe", seen on 6.18), and a service or container that
 * ends kills the guard at just that moment. A process that exits gets no more signals: so the last
 * process with the descriptors open only exits, once its parent has closed its own.
 */
static void release_events(const struct uprobes_guarded *guarded)
{
	int ends[2];
	pid_t last;
	char byte;

	if (pipe2(ends, O_CLOEXEC))
		return;
	last = _Fork();
	if (!last) {
		close(ends[1]);
		(void)!read(ends[0], &byte, 1);
		_exit(0);
	}
	close_other_descriptors((int[]){ guarded->tracefs, guarded->latch, ends[1] }, 3);
	close(ends[1]);
	if (last > 0)
		waitpid(last, NULL, 0);
}

static int remove_events(const struct uprobes_guarded *guarded, const struct tracefs_group *group)
{
	uint64_t count;

	release_events(guarded);
	close_other_descriptors((int[]){ guarded->tracefs, guarded->latch }, 2);
	/* The parent may have died while the latch was open. */
	if (ftruncate(guarded->latch, 0))
		return -errno;
	count = __atomic_load_n(guarded->count, __ATOMIC_ACQUIRE);
	return uprobes_sweep_group(guarded->tracefs, group, count, GUARD_TIMEOUT_NS);
}

static __attribute__((noreturn)) void run_guard(int socket, const struct uprobes_guarded *guarded)
{
	struct tracefs_group group = { .owner = guarded->owner,
		.guard = (uint64_t)getpid(),
		.pid_namespace = needs_inner_pid_namespace() };
	int kept[] = { socket, guarded->tracefs, guarded->latch };
	enum order order;

	uprobes_guard_become(kept, ARRAY_SIZE(kept), "sooth-guard");
	if (chdir("/"))
		_exit(1);
	do
		order = receive_order(socket);
	while (order == ORDER_KEEP);
	/* The parent reaps its child at once. Without a second child it has to wait some time. */
	if (order == ORDER_END || _Fork() > 0)
		_exit(0);
	_exit(remove_events(guarded, &group) ? 1 : 0);
}

int uprobes_guard_start(
	struct uprobes_guard *guard, const struct uprobes_guarded *guarded, struct sooth_error *err)
{
	sigset_t all, before;
	int pair[2];
	int code;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return error_errno(err, -errno, "make a socket pair");
	/* No handler of the parent may run in the child. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	guard->pid = fork();
	code = -errno;
	if (!guard->pid)
		run_guard(pair[1], guarded);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(pair[1]);
	guard->socket = pair[0];
	if (guard->pid > 0)
		return 0;
	close(pair[0]);
	return error_errno(err, code, "fork the guard of probes");
}

bool uprobes_guard_pass(const struct uprobes_guard *guard, const int *events, size_t count)
{
	const char order = ORDER_KEEP;

	for (size_t i = 0; i < count; i += PASSED_MAX) {
		size_t some = count - i < PASSED_MAX ? count - i : PASSED_MAX;

		if (descriptors_send(guard->socket, events + i, some, &order, 1, MSG_DONTWAIT))
			return false;
	}
	return true;
}

void uprobes_guard_end(struct uprobes_guard *guard, bool is_clean)
{
	const struct timespec pause = { .tv_nsec = REAP_PAUSE_NS };
	uint64_t begin = clock_monotonic_ns();
	char order = is_clean ? ORDER_END : ORDER_REMOVE;

	/* A message is sent, because end of file is not enough: a child forked meanwhile may have
	 * the other end open. */
	(void)!send(guard->socket, &order, 1, MSG_NOSIGNAL);
	close(guard->socket);
	while (!waitpid(guard->pid, NULL, WNOHANG) && clock_monotonic_ns() - begin < REAP_NS)
		nanosleep(&pause, NULL);
}
