/* SPDX-License-Identifier: BSD-2-Clause */
/* The tracing process, seen from sooth. */
#include "os/linux/ptrace/tracer.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "os/linux/files/close_between.h"
#include "os/linux/files/procfs.h"
#include "os/linux/ptrace/tracees.h"
#include "os/linux/ptrace/tracer_request.h"

#define ANSWER_NS (5 * NS_PER_S)
#define STUCK_NS  (2 * NS_PER_S) /* of one stop: memory may lie in a file that never answers */
#define STEP_MS	  100
#define SILENT_S  3 /* without a beat the kernel ends the tracer */
#define BEAT_NS	  (500 * NS_PER_MS)

/* --- the process --- */

/* The target waits as long as the tracer does, and sooth may notice nothing: it may be stopped as
 * well, or wait for the reader of its output. So a timer kills the tracer unless it is set again by
 * a handler, which runs only while the tracer is neither stopped nor stuck in the kernel. The
 * timers are system calls, because glibc before 2.34 has them in a library of their own. */
static int killer;

static void postpone_kill(int signal)
{
	static const struct itimerspec after = { .it_value.tv_sec = SILENT_S };

	(void)signal;
	syscall(SYS_timer_settime, killer, 0, &after, NULL);
}

static void end_when_stopped(void)
{
	const struct sigaction action = { .sa_handler = postpone_kill, .sa_flags = SA_RESTART };
	const struct itimerspec each = { { 0, BEAT_NS }, { 0, BEAT_NS } };
	struct sigevent kill = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	struct sigevent beat = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	int beats;

	if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &kill, &killer) ||
		syscall(SYS_timer_create, CLOCK_MONOTONIC, &beat, &beats))
		return;
	sigaction(SIGUSR1, &action, NULL);
	syscall(SYS_timer_settime, beats, 0, &each, NULL);
	postpone_kill(SIGUSR1);
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
	struct tracer *t, const struct tracer_options *options, int control)
{
	struct tracees all = { .ring = &t->ring,
		.state = t->state,
		.config = options->config,
		.is_lossless = options->is_lossless,
		.is_filtered = options->is_filtered };
	sigset_t none;

	setsid();
	for (int number = 1; number < _NSIG; number++)
		signal(number, SIG_DFL);
	close_others(control, t->ring.wake);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	end_when_stopped();
	tracees_serve(&all, control);
	_exit(0);
}

static int fork_tracer(struct tracer *t, const struct tracer_options *options, int ends[2],
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
		run_tracer(t, options, ends[1]);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return t->pid < 0 ? error_errno(err, code, "fork the process that traces") : 0;
}

int tracer_start(struct tracer *t, const struct tracer_options *options, struct sooth_error *err)
{
	int ends[2], status;

	assert(t);
	*t = (struct tracer){ .control = -1, .pid = -1 };
	status = shared_ring_open(&t->ring, options->ring_bytes, err);
	if (status)
		return status;
	t->state = mmap(
		NULL, sizeof(*t->state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t->state == MAP_FAILED) {
		t->state = NULL;
		return error_errno(err, -errno, "map memory");
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return error_errno(err, -errno, "make a pair of sockets");
	t->control = ends[0];
	status = fork_tracer(t, options, ends, err);
	close(ends[1]);
	return status;
}

/* --- requests --- */

static void end_tracer(struct tracer *t, int signal)
{
	if (t->pid <= 0)
		return;
	if (signal)
		kill(t->pid, signal);
	waitpid(t->pid, NULL, 0);
	t->pid = -1;
}

/* Returns whether the tracer has handled one stop for long, and waits for something else than a
 * CPU. */
static bool is_stuck(const struct tracer *t)
{
	uint64_t since_ns = __atomic_load_n(&t->state->busy_since_ns, __ATOMIC_RELAXED);
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	bool waits;

	if (!since_ns || clock_monotonic_ns() < since_ns + STUCK_NS)
		return false;
	waits = procfs_read(t->pid, "stat", &bytes, PROCFS_STAT) >= 0 &&
		procfs_parse_stat(&stat, bytes.data, bytes.size) && stat.state != 'R';
	buffer_fini(&bytes);
	return waits;
}

bool tracer_is_alive(struct tracer *t)
{
	siginfo_t info = { 0 };

	if (t->pid <= 0)
		return false;
	/* Without a result, a program that ignores SIGCHLD has reaped it. */
	if (!waitid(P_PID, (id_t)t->pid, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) &&
		!info.si_pid && !is_stuck(t))
		return true;
	end_tracer(t, SIGKILL);
	return false;
}

/* Reads records until the answer comes: the tracer may wait for room. It may end after its answer.
 */
static int request(struct tracer *t, const struct tracer_request *request, struct buffer *out)
{
	struct pollfd fds[] = { { .fd = t->control, .events = POLLIN },
		{ .fd = t->ring.wake, .events = POLLIN } };
	uint64_t until_ns = clock_monotonic_ns() + ANSWER_NS;
	int status = 0;
	bool is_alive;

	if (send(t->control, request, sizeof(*request), MSG_NOSIGNAL) != sizeof(*request))
		return -EPIPE;
	do {
		is_alive = tracer_is_alive(t);
		poll(fds, ARRAY_SIZE(fds), is_alive ? STEP_MS : 0);
		shared_ring_read(&t->ring, out);
		if (fds[0].revents)
			return recv(t->control, &status, sizeof(status), MSG_DONTWAIT) ==
					       sizeof(status)
				       ? status
				       : -EPIPE;
	} while (is_alive && clock_monotonic_ns() < until_ns);
	return -EPIPE;
}

int tracer_seize(
	struct tracer *t, const struct process_id *process, unsigned interest, struct buffer *out)
{
	const struct tracer_request seizing = { *process, TRACER_SEIZE, interest };

	return request(t, &seizing, out);
}

int tracer_begin(struct tracer *t, struct buffer *out)
{
	const struct tracer_request beginning = { .what = TRACER_BEGIN };

	return request(t, &beginning, out);
}

int tracer_forget(struct tracer *t, const struct process_id *process, struct buffer *out)
{
	const struct tracer_request forgetting = { *process, TRACER_FORGET, 0 };

	return request(t, &forgetting, out);
}

int tracer_stop(struct tracer *t, struct buffer *out)
{
	const struct tracer_request stopping = { .what = TRACER_STOP };
	int status = request(t, &stopping, out);
	uint64_t until_ns = clock_monotonic_ns() + ANSWER_NS;

	/* It ends when everything was read. */
	while (!status && tracer_is_alive(t) && clock_monotonic_ns() < until_ns) {
		struct pollfd wake = { .fd = t->ring.wake, .events = POLLIN };

		poll(&wake, 1, 1);
		shared_ring_read(&t->ring, out);
	}
	if (!status && tracer_is_alive(t))
		status = -EPIPE; /* it could not hand over everything */
	end_tracer(t, SIGKILL);
	shared_ring_read(&t->ring, out);
	return status;
}

void tracer_close(struct tracer *t)
{
	assert(t);
	end_tracer(t, SIGKILL);
	cleanup_close(&t->control);
	if (t->state)
		munmap(t->state, sizeof(*t->state));
	shared_ring_close(&t->ring);
	*t = (struct tracer){ .control = -1, .pid = -1, .ring.wake = -1 };
}
