/* SPDX-License-Identifier: BSD-2-Clause */
/* By epoll. Each is reported once a change: what stays readable does not keep the loop awake. */
#include "os/linux/os_watch.h"

#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define NS_PER_MS  1000000L
#define MS_PER_S   1000
#define EVENTS_MAX 16

static int add(int epoll, int descriptor)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) ? -errno : 0;
}

static int begin_timer(int timer, int interval_ms)
{
	struct timespec interval = { interval_ms / MS_PER_S, interval_ms % MS_PER_S * NS_PER_MS };
	struct itimerspec times = { interval, interval };

	return timerfd_settime(timer, 0, &times, NULL) ? -errno : 0;
}

int os_watch_begin(const struct os *os, struct os_watch *watch, const int *descriptors,
	size_t count, int interval_ms)
{
	int status;

	watch->descriptor = epoll_create1(EPOLL_CLOEXEC);
	watch->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	status = watch->descriptor < 0 || watch->timer < 0 ? -errno : 0;
	if (!status)
		status = begin_timer(watch->timer, interval_ms);
	if (!status)
		status = add(watch->descriptor, watch->timer);
	for (size_t i = 0; i < count && !status; i++)
		status = add(watch->descriptor, descriptors[i]);
	if (status)
		os_watch_end(os, watch);
	return status;
}

void os_watch_clear(const struct os *os, const struct os_watch *watch)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t ticks;
	ssize_t got;

	(void)os;
	/* A periodic timer is armed again when it is read (timerfd_read_iter() of Linux); while it has
	 * not expired there is nothing to read. */
	got = read(watch->timer, &ticks, sizeof(ticks));
	(void)got;
	while (epoll_wait(watch->descriptor, events, EVENTS_MAX, 0) == EVENTS_MAX)
		;
}

void os_watch_end(const struct os *os, struct os_watch *watch)
{
	(void)os;
	if (watch->descriptor >= 0)
		close(watch->descriptor);
	if (watch->timer >= 0)
		close(watch->timer);
	watch->descriptor = watch->timer = -1;
}
