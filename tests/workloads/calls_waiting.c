/* SPDX-License-Identifier: BSD-2-Clause */
/* What waits for events and for time, and what times are asked for. */
#include "calls.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/time.h>
#include <sys/timerfd.h>

static struct epoll_event events[16];

static void epolls(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u64 = 4711 };
	struct timespec no_time = { 0, 5 };
	long ep = CALL(epoll_create1, EPOLL_CLOEXEC), fd;
	const char *at = fd_is(ep, "epoll"), *counter;

	told(NULL, "EPOLL_CLOEXEC");
	fd = CALL(eventfd2, 3, EFD_NONBLOCK | EFD_SEMAPHORE);
	told(NULL, "3, EFD_SEMAPHORE|EFD_NONBLOCK");
	counter = fd_is(fd, "eventfd");
	CALL(epoll_ctl, ep, EPOLL_CTL_ADD, fd, P(&event));
	told(NULL, "%s, EPOLL_CTL_ADD, %s, [EPOLLIN|EPOLLET data 4711]", at, counter);
	CALL(epoll_pwait, ep, P(events), 16, 10, 0, 8);
	told(NULL, "%s, [EPOLLIN data 4711], 16, 10, NULL, 8", at);
	event.events = EPOLLOUT | EPOLLRDHUP | EPOLLONESHOT;
	CALL(epoll_ctl, ep, EPOLL_CTL_MOD, fd, P(&event));
	told(NULL, "%s, EPOLL_CTL_MOD, %s, [EPOLLOUT|EPOLLRDHUP|EPOLLONESHOT data 4711]", at,
		counter);
#ifdef SYS_epoll_wait
	CALL(epoll_wait, ep, P(events), 4, 0);
	told(NULL, "%s, [EPOLLOUT data 4711], 4, 0", at);
#endif
	CALL(epoll_ctl, ep, EPOLL_CTL_DEL, fd, 0);
	told(NULL, "%s, EPOLL_CTL_DEL, %s, NULL", at, counter);
	/* Linux 5.11; before, nothing was written there. */
	if (CALL(epoll_pwait2, ep, P(events), 4, P(&no_time), 0, 8) < 0)
		told(NULL, "%s, 0x%lx, 4, 0.000000005s, NULL, 8", at, P(events));
	else
		told(NULL, "%s, [], 4, 0.000000005s, NULL, 8", at);
	CALL(close, ep);
	told(NULL, "%s", at);
	CALL(close, fd);
	told(NULL, "%s", counter);
}

static void polls(void)
{
	int ends[2];
	struct pollfd fds[12];
	struct timespec no_time = { 0, 0 }, long_time = { 3600, 7 };
	char a[64], b[64];

	CALL(pipe2, P(ends), 0);
	snprintf(a, sizeof(a), "%d<pipe with %d>", ends[0], ends[1]);
	snprintf(b, sizeof(b), "%d<pipe with %d>", ends[1], ends[0]);
	told(NULL, "[%s, %s], 0", a, b);
	fds[0] = (struct pollfd){ ends[0], POLLIN | POLLPRI, 0 };
	fds[1] = (struct pollfd){ ends[1], POLLOUT, 0 };
	fds[2] = (struct pollfd){ -1, POLLIN, 0 };
	CALL(ppoll, P(fds), 3, P(&no_time), 0, 8);
	told(NULL, "[%s POLLIN|POLLPRI, %s POLLOUT→POLLOUT, -1 POLLIN], 3, 0.000000000s, NULL, 8",
		a, b);
	/* What is left of the time is written over it. */
	CALL(ppoll, P(fds), 2, P(&long_time), 0, 8);
	told(NULL, "[%s POLLIN|POLLPRI, %s POLLOUT→POLLOUT], 2, 3600.000000007s, NULL, 8", a, b);
#ifdef SYS_poll
	fds[0].fd = 998;
	CALL(poll, P(fds), 2, 0);
	told(NULL, "[998<?> POLLIN|POLLPRI→POLLNVAL, %s POLLOUT→POLLOUT], 2, 0", b);
#endif
	CALL(close, ends[0]);
	told(NULL, "%s", a);
	CALL(close, ends[1]);
	told(NULL, "%s", b);
}

/* Time passes, so none of it is left. */
static void selects(void)
{
	struct timespec little = { 0, 1000007 };

	CALL(pselect6, 0, 0, 0, 0, P(&little), 0);
	told(NULL, "0, NULL, NULL, NULL, 0.001000007s, NULL");
#ifdef SYS_select
	struct timeval short_time = { 0, 1007 };

	CALL(select, 0, 0, 0, 0, P(&short_time));
	told(NULL, "0, NULL, NULL, NULL, 0.001007s");
#endif
}

static void watches(void)
{
	long fd = CALL(inotify_init1, IN_NONBLOCK | IN_CLOEXEC), watch;

	told(NULL, "IN_NONBLOCK|IN_CLOEXEC");
	watch = CALL(inotify_add_watch, fd, P("."), IN_CREATE | IN_MODIFY | IN_ONLYDIR);
	told(calls_folder, "%s, \".\", IN_MODIFY|IN_CREATE|IN_ONLYDIR", fd_is(fd, "inotify"));
	CALL(inotify_rm_watch, fd, watch);
	told(NULL, "%s, %ld", fd_is(fd, "inotify"), watch);
	CALL(close, fd);
	told(NULL, "%s", fd_is(fd, "inotify"));
}

static void signal_descriptors(void)
{
	uint64_t set = 1ull << (SIGUSR1 - 1) | 1ull << (SIGTERM - 1);
	long fd = CALL(signalfd4, -1, P(&set), 8, 02000000 /* SFD_CLOEXEC */);

	told(NULL, "-1, [SIGUSR1 SIGTERM], 8, SFD_CLOEXEC");
	CALL(close, fd);
	told(NULL, "%s", fd_is(fd, "signalfd"));
}

void calls_of_waiting(void)
{
	epolls();
	polls();
	selects();
	watches();
	signal_descriptors();
}

/* --- time --- */

static void sleeps(void)
{
	struct timespec little = { 0, 1000 }, past = { 1, 2 }, wrong = { 0, 2000000000 };

	CALL(nanosleep, P(&little), 0);
	told(NULL, "0.000001000s, NULL");
	CALL(nanosleep, P(&wrong), 0);
	told(NULL, "0.2000000000s, NULL");
	CALL(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, P(&past), 0);
	told(NULL, "CLOCK_MONOTONIC, TIMER_ABSTIME, 1.000000002s, NULL");
}

static void clocks(void)
{
	struct timespec now = { 0 };
	struct timeval of_day = { 0 };

	CALL(clock_getres, CLOCK_BOOTTIME, P(&now));
	told(NULL, "CLOCK_BOOTTIME, %ld.%09lds", (long)now.tv_sec, now.tv_nsec);
	CALL(clock_gettime, CLOCK_THREAD_CPUTIME_ID, P(&now));
	told(NULL, "CLOCK_THREAD_CPUTIME_ID, %ld.%09lds", (long)now.tv_sec, now.tv_nsec);
	CALL(clock_gettime, 77, P(&now));
	told(NULL, "77, 0x%lx", P(&now));
	CALL(gettimeofday, P(&of_day), 0);
	told(NULL, "%ld.%06lds, NULL", (long)of_day.tv_sec, (long)of_day.tv_usec);
}

static void timers(void)
{
	struct itimerspec once = { .it_value = { 3600, 7 } };
	struct itimerspec again = { .it_interval = { 60, 0 }, .it_value = { 3600, 0 } };
	struct itimerval interval = { .it_interval = { 100, 5 }, .it_value = { 7200, 0 } };
	struct itimerval off = { 0 };
	long fd = CALL(timerfd_create, CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);

	told(NULL, "CLOCK_BOOTTIME, TFD_NONBLOCK|TFD_CLOEXEC");
	CALL(timerfd_settime, fd, 0, P(&again), 0);
	told(NULL, "%s, 0, {in 3600.000000000s, every 60.000000000s}, NULL", fd_is(fd, "timerfd"));
	CALL(timerfd_settime, fd, TFD_TIMER_ABSTIME, P(&once), 0);
	told(NULL, "%s, TFD_TIMER_ABSTIME, {in 3600.000000007s}, NULL", fd_is(fd, "timerfd"));
	CALL(close, fd);
	told(NULL, "%s", fd_is(fd, "timerfd"));
	CALL(setitimer, ITIMER_PROF, P(&interval), 0);
	told(NULL, "ITIMER_PROF, {in 7200.000000s, every 100.000005s}, NULL");
	CALL(setitimer, ITIMER_PROF, P(&off), 0);
	told(NULL, "ITIMER_PROF, {in 0.000000s}, NULL");
}

void calls_of_time(void)
{
	sleeps();
	clocks();
	timers();
}
