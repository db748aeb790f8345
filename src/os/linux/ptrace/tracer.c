/* SPDX-License-Identifier: BSD-2-Clause */
/* The tracing process, seen from sooth. */
#include "os/linux/ptrace/tracer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "os/linux/files/close_between.h"
#include "os/linux/ptrace/tracees.h"
#include "os/linux/ptrace/tracer_request.h"

#define ANSWER_MS  5000 /* a thread may be in a long exec */
#define LEAVING_MS 10
#define LEAVING_NS (5 * NS_PER_S)

/* --- the process --- */

void tracer_notify_requests(int control)
{
	fcntl(control, F_SETOWN, getpid());
	fcntl(control, F_SETFL, O_ASYNC);
}

static void close_others(int a, int b)
{
	int lower = a < b ? a : b, higher = a < b ? b : a;

	if (lower > 0)
		close_between(0, (unsigned)lower - 1);
	close_between((unsigned)lower + 1, (unsigned)higher - 1);
	close_between((unsigned)higher + 1, ~0u);
}

static __attribute__((noreturn)) void run_tracer(
	struct tracer *t, const struct syscalls_config *config, int control)
{
	struct tracees all = { .ring = &t->ring, .losses = t->losses, .config = config };
	sigset_t none;

	setsid();
	for (int number = 1; number < _NSIG; number++)
		signal(number, SIG_DFL);
	close_others(control, t->ring.wake);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	tracees_serve(&all, control);
	_exit(0);
}

static int fork_tracer(struct tracer *t, const struct syscalls_config *config, int ends[2],
	struct sooth_error *err)
{
	sigset_t all, before;
	int code;

	/* No handler of the parent may run in the child. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	t->pid = fork();
	code = -errno;
	if (!t->pid)
		run_tracer(t, config, ends[1]);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return t->pid < 0 ? error_errno(err, code, "fork the process that traces") : 0;
}

int tracer_start(struct tracer *t, const struct syscalls_config *config, uint64_t ring_bytes,
	struct sooth_error *err)
{
	int ends[2], status;

	assert(t);
	*t = (struct tracer){ .control = -1, .pid = -1 };
	status = shared_ring_open(&t->ring, ring_bytes, err);
	if (status)
		return status;
	t->losses = mmap(NULL, sizeof(*t->losses), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t->losses == MAP_FAILED) {
		t->losses = NULL;
		return error_errno(err, -errno, "map memory");
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return error_errno(err, -errno, "make a pair of sockets");
	t->control = ends[0];
	status = fork_tracer(t, config, ends, err);
	close(ends[1]);
	return status;
}

/* --- requests --- */

static int request(struct tracer *t, const struct tracer_request *request)
{
	struct pollfd answer = { .fd = t->control, .events = POLLIN };
	int status;

	if (send(t->control, request, sizeof(*request), MSG_NOSIGNAL) != sizeof(*request))
		return -EPIPE;
	while (poll(&answer, 1, ANSWER_MS) < 0 && errno == EINTR)
		;
	if (recv(t->control, &status, sizeof(status), MSG_DONTWAIT) != sizeof(status))
		return -EPIPE;
	return status;
}

int tracer_seize(struct tracer *t, const struct process_id *process, unsigned interest)
{
	const struct tracer_request seizing = { *process, TRACER_SEIZE, interest };

	return request(t, &seizing);
}

int tracer_begin(struct tracer *t)
{
	const struct tracer_request beginning = { .what = TRACER_BEGIN };

	return request(t, &beginning);
}

int tracer_forget(struct tracer *t, const struct process_id *process)
{
	const struct tracer_request forgetting = { *process, TRACER_FORGET, 0 };

	return request(t, &forgetting);
}

static void end_tracer(struct tracer *t, int signal)
{
	if (t->pid <= 0)
		return;
	if (signal)
		kill(t->pid, signal);
	waitpid(t->pid, NULL, 0);
	t->pid = -1;
}

bool tracer_is_alive(struct tracer *t)
{
	siginfo_t info = { 0 };

	if (t->pid <= 0)
		return false;
	waitid(P_PID, (id_t)t->pid, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT);
	if (!info.si_pid)
		return true;
	end_tracer(t, SIGKILL);
	return false;
}

int tracer_stop(struct tracer *t, struct buffer *out)
{
	const struct tracer_request stopping = { .what = TRACER_STOP };
	uint64_t until_ns = clock_monotonic_ns() + LEAVING_NS;
	int status = t->pid > 0 ? request(t, &stopping) : -EPIPE;

	/* It ends when everything was read. */
	while (!status && tracer_is_alive(t) && clock_monotonic_ns() < until_ns) {
		struct pollfd wake = { .fd = t->ring.wake, .events = POLLIN };

		shared_ring_read(&t->ring, out);
		poll(&wake, 1, LEAVING_MS);
	}
	end_tracer(t, SIGKILL);
	shared_ring_read(&t->ring, out);
	return status;
}

void tracer_close(struct tracer *t)
{
	assert(t);
	end_tracer(t, SIGKILL);
	cleanup_close(&t->control);
	if (t->losses)
		munmap(t->losses, sizeof(*t->losses));
	shared_ring_close(&t->ring);
	*t = (struct tracer){ .control = -1, .pid = -1, .ring.wake = -1 };
}
