/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guard. The parent may have threads: between the fork and its end the child calls only
 * async-signal-safe functions.
 */
#include "os/linux/uprobes/uprobes_guard.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "os/linux/files/close_between.h"
#include "os/linux/uprobes/uprobes_sweep.h"

#define TIMEOUT_NS    10000000000 /* definitions in use longer are left for the next sweep */
#define REAP_NS	      2000000000  /* the guard may have been stopped by a signal */
#define REAP_PAUSE_NS 200000

static void close_others(int *kept, size_t count)
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

static __attribute__((noreturn)) void watch(int socket, const struct uprobes_guarded *guarded)
{
	struct tracefs_group group = { .owner = guarded->owner, .guard = (uint64_t)getpid() };
	int kept[] = { socket, guarded->tracefs, guarded->latch };
	uint64_t count;
	char is_clean = 0;
	ssize_t got;

	prctl(PR_SET_NAME, "sooth-guard");
	set_signals();
	close_others(kept, ARRAY_SIZE(kept));
	setsid();
	if (chdir("/"))
		_exit(1);
	do
		got = read(socket, &is_clean, 1);
	while (got < 0 && errno == EINTR);
	if (got == 1 && is_clean)
		_exit(0);
	/* The parent may have died while the latch was open. */
	if (ftruncate(guarded->latch, 0))
		_exit(1);
	count = __atomic_load_n(guarded->count, __ATOMIC_ACQUIRE);
	_exit(uprobes_sweep_group(guarded->tracefs, &group, count, TIMEOUT_NS) ? 1 : 0);
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
		watch(pair[1], guarded);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(pair[1]);
	guard->socket = pair[0];
	if (guard->pid > 0)
		return 0;
	close(pair[0]);
	return error_errno(err, code, "fork the guard of probes");
}

void uprobes_guard_end(struct uprobes_guard *guard, bool is_clean)
{
	const struct timespec pause = { .tv_nsec = REAP_PAUSE_NS };
	uint64_t begin = clock_monotonic_ns();
	char byte = is_clean;

	/* A message, because end of file is not enough: a child forked meanwhile may have the
	 * other end open. */
	(void)!send(guard->socket, &byte, 1, MSG_NOSIGNAL);
	close(guard->socket);
	while (is_clean && !waitpid(guard->pid, NULL, WNOHANG) &&
		clock_monotonic_ns() - begin < REAP_NS)
		nanosleep(&pause, NULL);
}
