/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/timed_call.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/closed_at_exec.h"
#include "base/units.h"

#define DESCRIPTORS_MAX 4096 /* number of descriptors that are closed in the child */
#define REAP_MS		20
#define REAP_TRIES	5

/* Returns a free slot for a child. NULL: each slot has a child that has not ended. */
static pid_t *free_slot(struct timed_calls *t)
{
	pid_t *found = NULL;

	for (unsigned i = 0; i < TIMED_CALL_STUCK_MAX; i++) {
		pid_t *p = &t->stuck[i];

		if (*p && waitpid(*p, NULL, WNOHANG))
			*p = 0;
		if (!*p)
			found = p;
	}
	return found;
}

/* The child closes its descriptors: other processes may wait until they are closed. */
static __attribute__((noreturn)) void run_child(
	timed_work work, void *argument, size_t size, int out)
{
	const char *at = argument;
	ssize_t written = 0;

	for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
		if (fd != out)
			close(fd);
	}
	work(argument);
	for (size_t done = 0; done < size && written >= 0; done += (size_t)written)
		written = write(out, at + done, size - done);
	_exit(0);
}

/* Returns the milliseconds until `end_ns`. */
static int left_ms(uint64_t end_ns)
{
	uint64_t now_ns = clock_monotonic_ns();

	return now_ns < end_ns ? (int)((end_ns - now_ns) / NS_PER_MS) + 1 : 0;
}

static int receive_answer(int in, void *argument, size_t size, int timeout_ms)
{
	uint64_t end_ns = clock_monotonic_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	struct pollfd polled = { .fd = in, .events = POLLIN };
	char *at = argument;
	size_t done = 0;

	while (done < size) {
		int ms = left_ms(end_ns), ready = poll(&polled, 1, ms);
		ssize_t got = ready > 0 ? read(in, at + done, size - done) : 0;

		if (!ready && !ms)
			return -ETIMEDOUT;
		if ((ready < 0 || got < 0) && errno != EINTR)
			return -errno;
		if (ready > 0 && !got)
			return -EIO; /* it ended early */
		done += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

/* Returns whether the child has ended, and reaps it. */
static bool reap_child(pid_t pid)
{
	for (unsigned i = 0; i < REAP_TRIES; i++) {
		pid_t ended = waitpid(pid, NULL, WNOHANG);

		if (ended == pid || (ended < 0 && errno != EINTR))
			return true;
		poll(NULL, 0, REAP_MS);
	}
	return false;
}

static int end_child(pid_t pid, pid_t *slot, int status)
{
	if (status)
		kill(pid, SIGKILL);
	else
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	*slot = status && !reap_child(pid) ? pid : 0;
	return status;
}

int timed_call(struct timed_calls *t, timed_work work, void *argument, size_t size, int timeout_ms)
{
	pid_t *slot = free_slot(t), pid;
	int ends[2], status;

	if (!slot)
		return -EBUSY;
	if (closed_at_exec_pipe(ends))
		return -errno;
	pid = fork();
	if (!pid)
		run_child(work, argument, size, ends[1]);
	status = pid < 0 ? -errno : 0;
	close(ends[1]);
	if (!status)
		status = end_child(pid, slot, receive_answer(ends[0], argument, size, timeout_ms));
	close(ends[0]);
	return status;
}
