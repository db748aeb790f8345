/* SPDX-License-Identifier: BSD-2-Clause */
/* Watches processes and all that they fork, by kqueue(2) with NOTE_TRACK. */
#include <errno.h>
#include <fcntl.h>
#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/freebsd/freebsd_source.h"

int freebsd_watch_lives(void)
{
	int queue = kqueue();

	if (queue < 0)
		return -errno;
	fcntl(queue, F_SETFD, FD_CLOEXEC);
	return queue;
}

int freebsd_watch_life(int descriptor, pid_t pid)
{
	struct kevent change;

	EV_SET(&change, pid, EVFILT_PROC, EV_ADD | EV_CLEAR, NOTE_EXEC | NOTE_EXIT | NOTE_TRACK, 0,
		NULL);
	return kevent(descriptor, &change, 1, NULL, 0, NULL) ? -errno : 0;
}

/* Reads the next event. A child's first event has NOTE_CHILD and its parent, the last its
 * status. */
int freebsd_next_life(int descriptor, struct bsd_life_event *out)
{
	const struct timespec now = { 0 };
	struct kevent event;
	int count = kevent(descriptor, NULL, 0, &event, 1, &now);

	if (count <= 0)
		return count && errno != EINTR ? -errno : 0;
	*out = (struct bsd_life_event){ .pid = (uint32_t)event.ident,
		.starts = event.fflags & NOTE_CHILD,
		.execs = event.fflags & NOTE_EXEC,
		.ends = event.fflags & NOTE_EXIT,
		.is_lost = event.fflags & NOTE_TRACKERR };
	if (out->starts)
		out->parent = (uint32_t)event.data;
	if (out->ends)
		out->status = (uint32_t)event.data;
	return 1;
}
