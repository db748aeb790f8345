/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches over a pause. The parent has threads: between the fork and its end the child calls only
 * async-signal-safe functions.
 */
#include "os/linux/pause/pause_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/close_between.h"

#define STEP_MS	      100
#define STOPPED_STEPS 10 /* a second, before it is let go */
#define RELEASE_STEPS 50 /* of RELEASE_MS, for the release */
#define RELEASE_MS    10

struct watch {
	struct pause_state *state;
	pid_t parent;
	int alive, stat;
};

static bool load(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

static void store(bool *flag, bool value)
{
	__atomic_store_n(flag, value, __ATOMIC_SEQ_CST);
}

/* By a stop signal: in state T, which stands behind the name in parentheses. */
static bool is_stopped(int stat)
{
	char text[128];
	ssize_t got = pread(stat, text, sizeof(text) - 1, 0);
	const char *name_end;

	if (got <= 0)
		return false;
	text[got] = '\0';
	name_end = strrchr(text, ')');
	return name_end && name_end[1] == ' ' && name_end[2] == 'T';
}

static bool has_ended(const struct watch *w, int timeout_ms)
{
	struct pollfd alive = { .fd = w->alive, .events = POLLIN };

	return poll(&alive, 1, timeout_ms) > 0;
}

/* It is stopped again in any case: a user wished that. */
static void let_go(const struct watch *w)
{
	store(&w->state->releases, true);
	kill(w->parent, SIGCONT);
	for (int i = 0; i < RELEASE_STEPS && load(&w->state->is_paused); i++) {
		if (has_ended(w, RELEASE_MS))
			return;
	}
	kill(w->parent, SIGSTOP);
}

static __attribute__((noreturn)) void watch(const struct watch *w)
{
	int higher = w->alive > w->stat ? w->alive : w->stat, lower = w->alive + w->stat - higher;
	int stopped = 0;
	sigset_t none;

	prctl(PR_SET_NAME, "sooth-pause");
	setsid();
	for (int number = 1; number < _NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (lower > 0)
		close_between(0, (unsigned)lower - 1);
	close_between((unsigned)lower + 1, (unsigned)higher - 1);
	close_between((unsigned)higher + 1, ~0u);
	while (!has_ended(w, STEP_MS)) {
		bool is_over = !is_stopped(w->stat);

		/* It runs again, and may pause again. */
		if (is_over)
			store(&w->state->releases, load(&w->state->ends));
		stopped = load(&w->state->is_paused) && !is_over ? stopped + 1 : 0;
		if (stopped < STOPPED_STEPS)
			continue;
		if (getppid() == w->parent)
			let_go(w);
		stopped = 0;
	}
	_exit(0);
}

static int start(struct pause_guard *g, int ends[2], int stat, struct sooth_error *err)
{
	struct watch w = { .state = g->state, .parent = getpid(), .alive = ends[0], .stat = stat };
	sigset_t all, before;
	int code;

	/* No handler of the parent may run in the child. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	g->pid = fork();
	code = -errno;
	if (!g->pid)
		watch(&w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return g->pid < 0 ? error_errno(err, code, "fork the process that watches a pause") : 0;
}

int pause_guard_start(struct pause_guard *g, struct sooth_error *err)
{
	_cleanup_close_ int stat = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	int ends[2], status;

	*g = (struct pause_guard){ .alive = -1 };
	if (stat < 0 || pipe2(ends, O_CLOEXEC))
		return error_errno(err, -errno, "watch a pause");
	g->state = mmap(
		NULL, sizeof(*g->state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	status = g->state == MAP_FAILED ? error_errno(err, -errno, "map memory")
					: start(g, ends, stat, err);
	close(ends[0]);
	g->alive = ends[1];
	if (status) {
		if (g->state != MAP_FAILED)
			munmap(g->state, sizeof(*g->state));
		close(g->alive);
		*g = (struct pause_guard){ .alive = -1 };
	}
	return status;
}

void pause_guard_set(struct pause_guard *g, bool is_paused)
{
	store(&g->state->is_paused, is_paused);
}

void pause_guard_cancel(struct pause_guard *g)
{
	store(&g->state->ends, true);
	store(&g->state->releases, true);
}

bool pause_guard_asks(const struct pause_guard *g)
{
	return load(&g->state->releases);
}

/* By a signal: a child that was forked meanwhile may have the other end of `alive` open. */
void pause_guard_end(struct pause_guard *g)
{
	if (!g->pid)
		return;
	kill(g->pid, SIGKILL);
	waitpid(g->pid, NULL, 0);
	close(g->alive);
	munmap(g->state, sizeof(*g->state));
	*g = (struct pause_guard){ .alive = -1 };
}
