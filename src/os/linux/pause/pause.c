/* SPDX-License-Identifier: BSD-2-Clause */
/* Pauses threads. */
#include "os/linux/pause/pause.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ptrace.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/task_files.h"

/* --- ptrace --- */

/*
 * One tracee, seen from the thread that traces it. Stops are read by PTRACE_GETSIGINFO, not by
 * wait(2): a stop that was waited for loses its signal if the tracer is killed before the tracee
 * continues, and a waitpid() elsewhere in the process may take it first.
 */

#define REST_NS 500000

/* Returns the cause of a stop. For a stop that is not caused by a signal the kernel writes the wait
 * status into si_code. */
static struct pause_stop stop_of(const siginfo_t *info)
{
	if (info->si_code == (info->si_signo | PTRACE_EVENT_STOP << 8))
		return (struct pause_stop){
			info->si_signo == SIGTRAP ? PAUSE_AT_TRAP : PAUSE_AT_JOB_STOP, 0
		};
	if (info->si_signo == SIGTRAP && info->si_code == (SIGTRAP | 0x80))
		return (struct pause_stop){ PAUSE_AT_CALL, 0 };
	if (info->si_signo == SIGTRAP && info->si_code == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
		return (struct pause_stop){ PAUSE_AT_EXEC, 0 };
	return (struct pause_stop){ PAUSE_AT_SIGNAL, info->si_signo };
}

/* Returns the number behind a name in a status file, -1 if there is none. */
static pid_t status_number(const struct buffer *status, const char *name)
{
	uint64_t number;

	return task_status_number(&number, name, status->data, status->size) ? (pid_t)number : -1;
}

/* Returns whether a process is a child of this one: its exit status belongs to a waitpid() of this
 * process. If that is unknown, true: a status is never taken away. */
static bool is_own_child(pid_t tid)
{
	struct buffer status = { 0 };
	pid_t process, parent;

	procfs_read(tid, "status", &status, PROCFS_SMALL);
	process = status_number(&status, "Tgid:");
	parent = status_number(&status, "PPid:");
	buffer_fini(&status);
	return (process == tid || process < 0) && (parent == getpid() || parent < 0);
}

bool pause_is_seized(pid_t pid)
{
	struct buffer status = { 0 };
	char path[48];

	procfs_read(pid, "status", &status, PROCFS_SMALL);
	snprintf(path, sizeof(path), "/proc/self/task/%d",
		(int)status_number(&status, "TracerPid:"));
	buffer_fini(&status);
	return !access(path, F_OK);
}

static enum pause_state check_wait_status(pid_t tid, int wait_flags)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, (id_t)tid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL | wait_flags))
		return errno == ECHILD ? PAUSE_VANISHED : PAUSE_RUNNING;
	/* Every wait call sees stops of a tracee, whatever its options. */
	if (!info.si_pid || info.si_code == CLD_TRAPPED || info.si_code == CLD_STOPPED)
		return PAUSE_RUNNING;
	if (!is_own_child(tid))
		waitid(P_PID, (id_t)tid, &info, WEXITED | WNOHANG | __WALL | wait_flags);
	return PAUSE_ENDED;
}

/*
 * An ended thread stays, and delays the end or the exec of its process, until its tracer has
 * reaped it; so does a process with another parent. Only a child of this process is left: its
 * status reaches the tracer and the parent together. Any thread may call this.
 */
static void pause_reap_ended(pid_t tid)
{
	check_wait_status(tid, 0);
}

enum pause_state pause_check(pid_t tid, struct pause_stop *stop)
{
	siginfo_t info;

	if (!ptrace(PTRACE_GETSIGINFO, tid, NULL, &info)) {
		*stop = stop_of(&info);
		return PAUSE_STOPPED;
	}
	return check_wait_status(tid, __WNOTHREAD);
}

static bool is_ending(pid_t tid)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	bool is_ending = procfs_read(tid, "stat", &bytes, PROCFS_SMALL) < 0 ||
			 !procfs_parse_stat(&stat, bytes.data, bytes.size) ||
			 procfs_has_ended(&stat);

	buffer_fini(&bytes);
	return is_ending;
}

int pause_seize(pid_t tid, unsigned long options)
{
	/* Twice: an exec may have ended the thread and given its tid to another meanwhile. */
	for (int tries = 0; tries < 2; tries++) {
		if (!ptrace(PTRACE_SEIZE, tid, NULL, options))
			return 0;
		if (errno == ESRCH)
			return -ESRCH;
		/* An exec gives the tid of the process to the calling thread, which may be traced
		 * already. */
		if (!ptrace(PTRACE_INTERRUPT, tid, NULL, NULL))
			return 0;
		/* A thread that is exiting is refused in the same way as one without permission. */
		if (is_ending(tid))
			return -ESRCH;
	}
	return -EPERM;
}

bool pause_detach(pid_t tid, int signal)
{
	return !ptrace(PTRACE_DETACH, tid, NULL, (unsigned long)signal);
}

static sigset_t child_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	return set;
}

void pause_sleep(struct pause_sleeper *p, uint64_t until_ns)
{
	uint64_t now = clock_monotonic_ns();
	struct timespec most = { .tv_nsec = REST_NS };
	sigset_t set = child_signal();

	if (now < p->spin_until_ns || now >= until_ns)
		return;
	if (!p->is_blocking) {
		/* A stop before this is seen by one more check, a later one wakes the thread. */
		p->is_blocking = !pthread_sigmask(SIG_BLOCK, &set, &p->before);
		if (p->is_blocking)
			return;
	}
	if (until_ns - now < REST_NS)
		most.tv_nsec = (long)(until_ns - now);
	if (sigtimedwait(&set, NULL, &most) == SIGCHLD)
		p->has_signal = true;
}

void pause_sleep_end(struct pause_sleeper *p)
{
	if (!p->is_blocking)
		return;
	pthread_sigmask(SIG_SETMASK, &p->before, NULL);
	/* It may have been sent for a child that other code of this process waits for. */
	if (p->has_signal)
		kill(getpid(), SIGCHLD);
	*p = (struct pause_sleeper){ 0 };
}

/* --- pause rescue --- */

/*
 * A second thread that gets the tracer out of a deadlock. A thread that execs ends all others
 * of its process and waits, under a lock, until the traced ones have been reaped; PTRACE_SEIZE
 * of a further one waits for that lock. So seizing is guarded: when it takes too long, this
 * thread reaps the ended ones.
 */

struct rescue {
	pthread_t thread;
	int alarm; /* timerfd(2) */
	int quit;  /* eventfd(2) */
	void (*reap)(void *user);
	void *user;
};

#define GUARD_NS 20000000 /* an exec without a deadlock has released its lock by then */

static void *run_rescue(void *user)
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

/* Starts the rescue. `reap` is called in the second thread. Returns 0 or a negative errno. */
static int rescue_start(struct rescue *r, void (*reap)(void *user), void *user)
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
		code = pthread_create(&r->thread, NULL, run_rescue, r);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	if (code) {
		cleanup_close(&r->alarm);
		cleanup_close(&r->quit);
	}
	return -code;
}

static void rescue_stop(struct rescue *r)
{
	uint64_t one = 1;

	(void)!write(r->quit, &one, sizeof(one));
	pthread_join(r->thread, NULL);
	close(r->alarm);
	close(r->quit);
}

static void rescue_guard(struct rescue *r, bool is_on)
{
	struct timespec when = { .tv_nsec = is_on ? GUARD_NS : 0 };
	struct itimerspec alarm = { .it_value = when, .it_interval = when };

	timerfd_settime(r->alarm, 0, &alarm, NULL);
}

/* --- pause --- */

#define THREADS_MAX ((size_t)1 << 17)
#define REFUSED_MAX ((size_t)1 << 16)
#define SPIN_NS	    10000 /* a thread that runs on another CPU stops sooner */
#define DETACHED_NS 1000000000ULL
#define FREE_NS	    100000000ULL

struct thread {
	bool is_selected;
	bool is_stopped;
	int signal; /* to be delivered when it goes on, or 0 */
};

struct pause {
	struct map threads; /* pid_t to struct thread: all that are traced */
	struct map refused; /* pid_t to a byte */
	size_t refusals;
	size_t selected, stopped;
	/* A thread that execs gets the tid of its process: one that was to stop may do so under a
	 * tid that was never requested. */
	size_t detached;
	uint64_t detached_until_ns;
	struct rescue rescue;
	/* Guards `threads` in pause_threads(), the only time when two threads use them. */
	pthread_mutex_t lock;
	bool is_seizing;
};

static void reap_ended(void *user)
{
	struct pause *p = user;

	pthread_mutex_lock(&p->lock);
	/* Not if pause_threads() has finished meanwhile. */
	map_for_each_key (map_while(p->is_seizing, &p->threads), const pid_t *, key)
		pause_reap_ended(*key);
	pthread_mutex_unlock(&p->lock);
}

int pause_new(struct pause **out, struct sooth_error *err)
{
	struct pause *p = calloc(1, sizeof(*p));
	int code;

	if (!p)
		return error_no_memory(err);
	map_init(&p->threads, sizeof(pid_t), sizeof(struct thread), THREADS_MAX);
	map_init(&p->refused, sizeof(pid_t), 1, REFUSED_MAX);
	pthread_mutex_init(&p->lock, NULL);
	code = rescue_start(&p->rescue, reap_ended, p);
	if (code) {
		pthread_mutex_destroy(&p->lock);
		free(p);
		return error_errno(err, code, "start a thread that guards the seizing");
	}
	*out = p;
	return 0;
}

static void note_refusal(struct pause *p, pid_t tid)
{
	bool is_new;

	map_put(&p->refused, &tid, &is_new);
	p->refusals += is_new;
}

/* Seizes a thread. The lock is held, except during the seizing. */
static int seize_thread(struct pause *p, pid_t tid)
{
	int code;

	pthread_mutex_unlock(&p->lock);
	code = pause_seize(tid, 0);
	if (!code)
		/* fails when the thread has ended, which is seen later */
		ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
	pthread_mutex_lock(&p->lock);
	return code;
}

static bool pause_thread(struct pause *p, pid_t tid)
{
	bool is_new;
	struct thread *t = map_put(&p->threads, &tid, &is_new);
	int code = !t ? -ENOMEM : is_new ? seize_thread(p, tid) : 0;

	if (code) {
		if (t)
			map_remove(&p->threads, &tid);
		if (code != -ESRCH)
			note_refusal(p, tid);
		return false;
	}
	if (t->is_selected)
		return false;
	t->is_selected = true;
	p->selected++;
	return true;
}

size_t pause_threads(struct pause *p, const pid_t *tids, size_t count)
{
	size_t requested = 0;

	assert(p);
	pthread_mutex_lock(&p->lock);
	p->is_seizing = true;
	rescue_guard(&p->rescue, true);
	for (size_t i = 0; i < count; i++)
		requested += pause_thread(p, tids[i]);
	rescue_guard(&p->rescue, false);
	p->is_seizing = false;
	pthread_mutex_unlock(&p->lock);
	return requested;
}

static void drop_thread(struct pause *p, pid_t tid, const struct thread *t)
{
	p->selected -= t->is_selected;
	p->stopped -= t->is_stopped;
	map_remove(&p->threads, &tid);
}

static void check_thread(struct pause *p, pid_t tid, struct thread *t)
{
	struct pause_stop stop;

	switch (pause_check(tid, &stop)) {
	case PAUSE_STOPPED:
		if (t->is_selected) {
			t->is_stopped = true;
			t->signal = stop.signal;
			p->stopped++;
		} else if (pause_detach(tid, stop.signal)) {
			drop_thread(p, tid, t);
		}
		return;
	case PAUSE_RUNNING:
		/* A child of this thread whose tid was taken over by an exec looks like a running
		 * thread, but is no tracee. */
		if (t->is_selected || !ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) || errno != ESRCH)
			return;
		break;
	case PAUSE_ENDED:
		break;
	case PAUSE_VANISHED:
		p->detached++;
		p->detached_until_ns = clock_monotonic_ns() + DETACHED_NS;
		break;
	}
	drop_thread(p, tid, t);
}

static void check_threads(struct pause *p)
{
	map_for_each (&p->threads, const pid_t *, key, struct thread *, t) {
		if (!t->is_stopped)
			check_thread(p, *key, t);
	}
}

size_t pause_wait(struct pause *p, uint64_t timeout_ns)
{
	uint64_t begin_ns = clock_monotonic_ns();
	uint64_t until_ns = timeout_ns < UINT64_MAX - begin_ns ? begin_ns + timeout_ns : UINT64_MAX;
	struct pause_sleeper sleeper = { .spin_until_ns = begin_ns + SPIN_NS };

	assert(p);
	for (;;) {
		check_threads(p);
		if (p->selected == p->stopped || clock_monotonic_ns() >= until_ns)
			break;
		pause_sleep(&sleeper, until_ns);
	}
	pause_sleep_end(&sleeper);
	return p->selected - p->stopped;
}

/* Releases threads that were detached. A thread that vanished may be stopped under another tid,
 * which cannot have been requested. */
static void release_detached(struct pause *p)
{
	uint64_t now = clock_monotonic_ns();
	struct pause_stop stop;

	if (p->stopped) {
		/* These threads are the ones to find. */
		p->detached_until_ns = now + DETACHED_NS;
		return;
	}
	if (now >= p->detached_until_ns)
		p->detached = 0;
	while (p->detached) {
		siginfo_t info = { 0 };

		if (waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG | WNOWAIT | __WALL | __WNOTHREAD)) {
			p->detached = 0; /* this thread traces nothing */
			return;
		}
		if (!info.si_pid || info.si_code != CLD_TRAPPED ||
			map_get(&p->threads, &info.si_pid) ||
			pause_check(info.si_pid, &stop) != PAUSE_STOPPED ||
			!pause_detach(info.si_pid, stop.signal))
			return;
		p->detached--;
	}
}

size_t pause_release_late(struct pause *p)
{
	assert(p);
	if (!p->threads.count && !p->detached)
		return 0;
	check_threads(p);
	release_detached(p);
	return p->threads.count - p->selected + p->detached;
}

void pause_release(struct pause *p)
{
	assert(p);
	/* Stopped threads first: they are losing time. */
	map_for_each (&p->threads, const pid_t *, key, struct thread *, t) {
		pid_t tid = *key;

		if (t->is_stopped && pause_detach(tid, t->signal)) {
			drop_thread(p, tid, t);
			continue;
		}
		/* It has not stopped yet, or was killed while it was stopped. */
		p->stopped -= t->is_stopped;
		p->selected -= t->is_selected;
		t->is_stopped = t->is_selected = false;
	}
	pause_release_late(p);
}

size_t pause_count_selected(const struct pause *p)
{
	assert(p);
	return p->selected;
}

uint64_t pause_address(const struct pause *p, pid_t tid)
{
	assert(p);

	const struct thread *t = map_get(&p->threads, &tid);
	struct __ptrace_syscall_info info;

	if (!t || !t->is_stopped || ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) <= 0)
		return 0;
	return info.instruction_pointer;
}

size_t pause_refused(const struct pause *p)
{
	assert(p);
	return p->refusals;
}

void pause_free(struct pause *p)
{
	uint64_t until_ns = clock_monotonic_ns() + FREE_NS;
	struct pause_sleeper sleeper = { 0 };

	if (!p)
		return;
	pause_release(p);
	while (pause_release_late(p) && clock_monotonic_ns() < until_ns)
		pause_sleep(&sleeper, until_ns);
	pause_sleep_end(&sleeper);
	rescue_stop(&p->rescue);
	pthread_mutex_destroy(&p->lock);
	map_fini(&p->threads);
	map_fini(&p->refused);
	free(p);
}
