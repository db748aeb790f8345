/* SPDX-License-Identifier: BSD-2-Clause */
/* Resolves the deadlock of seizing and exec. */
#include "os/linux/pause/pause_rescue.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"

#define GUARD_NS 20000000 /* an exec without a deadlock has released its lock by then */

static void *run(void *user)
{
	struct rescue *r = user;

	for (;;) {
		struct pollfd fds[] = { { .fd = r->quit, .events = POLLIN },
			{ .fd = r->alarm, .events = POLLIN } };
		uint64_t count;

		poll(fds, ARRAY_SIZE(fds), -1);
		if (fds[0].revents)
			return NULL;
		/* It may have been canceled meanwhile. */
		if (read(r->alarm, &count, sizeof(count)) == sizeof(count))
			r->reap(r->user);
	}
}

int rescue_start(struct rescue *r, void (*reap)(void *user), void *user)
{
	sigset_t all, before;
	int code = 0;

	*r = (struct rescue){ .alarm = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
		.quit = eventfd(0, EFD_CLOEXEC),
		.reap = reap,
		.user = user };
	if (r->alarm < 0 || r->quit < 0)
		code = errno;
	/* Signals are for the program's own threads. */
	sigfillset(&all);
	if (!code)
		code = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (!code) {
		code = pthread_create(&r->thread, NULL, run, r);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	if (code) {
		cleanup_close(&r->alarm);
		cleanup_close(&r->quit);
	}
	return -code;
}

void rescue_stop(struct rescue *r)
{
	uint64_t one = 1;

	(void)!write(r->quit, &one, sizeof(one));
	pthread_join(r->thread, NULL);
	close(r->alarm);
	close(r->quit);
}

void rescue_guard(struct rescue *r, bool is_on)
{
	struct timespec when = { .tv_nsec = is_on ? GUARD_NS : 0 };
	struct itimerspec alarm = { .it_value = when, .it_interval = when };

	timerfd_settime(r->alarm, 0, &alarm, NULL);
}
