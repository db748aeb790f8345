/* SPDX-License-Identifier: BSD-2-Clause */
/* Pauses followed threads while the ring is full. */
#include "os/linux/bpf/ring_pauser.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/units.h"
#include "os/linux/bpf/follow.h"
#include "os/linux/files/close_between.h"
#include "os/linux/pause/pause.h"
#include "os/linux/pause/thread_priority.h"
#include "probes/pause.h"

/* --- the guard --- */

/*
 * A process that sooth stops cannot let its target continue: only the tracer may, and it is
 * stopped, too. So while something is paused, a small process watches. It has a process group and
 * a session of its own, so that Ctrl-Z and a stop of sooth do not reach it. When sooth has been
 * stopped for a second with something paused, it continues sooth for the moment that the release
 * takes, and stops it again.
 *
 * The parent has threads: between the fork and its end the child calls only async-signal-safe
 * functions.
 */

#define STEP_MS	      100
#define STOPPED_STEPS 10 /* checks, in one second, before the target is released */
#define RELEASE_STEPS 50 /* number of steps of RELEASE_MS that the release may take */
#define RELEASE_MS    10

struct watch {
	struct guard_state *state;
	pid_t parent;
	int alive, stat;
};

static bool load_flag(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

static void store_flag(bool *flag, bool value)
{
	__atomic_store_n(flag, value, __ATOMIC_SEQ_CST);
}

/* Returns whether a process was stopped by a stop signal: in state T, which stands behind the name
 * in parentheses. */
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

/* Releases the target. sooth is stopped again in any case, because a user wanted that. */
static void resume_target(const struct watch *w)
{
	store_flag(&w->state->releases, true);
	kill(w->parent, SIGCONT);
	for (int i = 0; i < RELEASE_STEPS && load_flag(&w->state->is_paused); i++) {
		if (has_ended(w, RELEASE_MS))
			return;
	}
	kill(w->parent, SIGSTOP);
}

static __attribute__((noreturn)) void run_guard(const struct watch *w)
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

		/* sooth runs again, and may pause again. */
		if (is_over)
			store_flag(&w->state->releases, load_flag(&w->state->ends));
		stopped = load_flag(&w->state->is_paused) && !is_over ? stopped + 1 : 0;
		if (stopped < STOPPED_STEPS)
			continue;
		if (getppid() == w->parent)
			resume_target(w);
		stopped = 0;
	}
	_exit(0);
}

static int guard_start(struct pause_guard *g, int ends[2], int stat, struct sooth_error *err)
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
		run_guard(&w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return g->pid < 0 ? error_errno(err, code, "fork the process that watches a pause") : 0;
}

static int pause_guard_start(struct pause_guard *g, struct sooth_error *err)
{
	_cleanup_close_ int stat = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	int ends[2], status;

	*g = (struct pause_guard){ .alive = -1 };
	if (stat < 0 || pipe2(ends, O_CLOEXEC))
		return error_errno(err, -errno, "watch a pause");
	g->state = mmap(
		NULL, sizeof(*g->state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	status = g->state == MAP_FAILED ? error_errno(err, -errno, "map memory")
					: guard_start(g, ends, stat, err);
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

static void pause_guard_set(struct pause_guard *g, bool is_paused)
{
	store_flag(&g->state->is_paused, is_paused);
}

/* Requests the end until the guard confirms it. */
static void pause_guard_cancel(struct pause_guard *g)
{
	store_flag(&g->state->ends, true);
	store_flag(&g->state->releases, true);
}

static bool pause_guard_asks(const struct pause_guard *g)
{
	return load_flag(&g->state->releases);
}

/* Ends the guard by a signal: a child that was forked meanwhile may have the other end of `alive`
 * open. */
static void pause_guard_end(struct pause_guard *g)
{
	if (!g->pid)
		return;
	kill(g->pid, SIGKILL);
	waitpid(g->pid, NULL, 0);
	close(g->alive);
	munmap(g->state, sizeof(*g->state));
	*g = (struct pause_guard){ .alive = -1 };
}

#define STOP_TIMEOUT_NS	 (20 * NS_PER_MS)
#define IDLE_MS		 100
#define FILLING_MS	 1 /* polling interval once the ring fills */
#define DRAIN_STEP_US	 200
#define STEPS_PER_SEARCH 5 /* newly woken threads are looked for each millisecond */

static uint64_t size_of(const struct ring_pauser *p)
{
	return p->follow->ring.size;
}

static uint64_t waiting_bytes(const struct ring_pauser *p)
{
	return ring_waiting(&p->follow->ring);
}

bool ring_pauser_has_room(const struct ring_pauser *p)
{
	return waiting_bytes(p) <= size_of(p) / 2;
}

static void measure_rate(struct ring_pauser *p)
{
	uint64_t now = clock_monotonic_ns(), produced = ring_produced(&p->follow->ring);

	if (now > p->produced_ns)
		p->rate = (double)(produced - p->produced) / (double)(now - p->produced_ns);
	p->produced = produced;
	p->produced_ns = now;
}

/* Pauses threads that run or wait for a CPU: sleeping ones produce nothing. */
static uint32_t pause_running(struct ring_pauser *p)
{
	struct buffer list = { 0 }, tids = { 0 };
	struct sooth_error ignored;
	size_t paused = 0;

	if (!follow_list(p->follow, &list, &ignored)) {
		const struct follow_listed *threads = (const void *)list.data;

		for (size_t i = 0; i < list.size / sizeof(*threads); i++) {
			pid_t tid = (pid_t)threads[i].tid;

			if (threads[i].is_running)
				buffer_append(&tids, &tid, sizeof(tid));
		}
		if (tids.size)
			paused = pause_threads(
				p->pause, (const void *)tids.data, tids.size / sizeof(pid_t));
	}
	buffer_fini(&list);
	buffer_fini(&tids);
	return (uint32_t)paused;
}

static void report_pause(struct ring_pauser *p, struct pause_event *event)
{
	event->record.time_ns = clock_monotonic_ns();
	event->record.cpu = SOOTH_CPU_NONE;
	event->refused = (uint32_t)pause_refused(p->pause);
	event->lost = p->follow->control->lost_records;
	p->work.report(p->work.user, event);
}

/* Pauses when the ring is more than half full, until only an eighth is left. */
static void pause_until_drained(struct ring_pauser *p)
{
	struct pause_event event = { .asked_ns = clock_monotonic_ns() };
	uint64_t left = size_of(p) - waiting_bytes(p);

	ring_pauser_hold(p);
	measure_rate(p);
	event.reserve_ns = p->rate > 0 ? (uint64_t)((double)left / p->rate) : 0;
	event.threads = pause_running(p);
	pause_wait(p->pause, STOP_TIMEOUT_NS);
	event.stopped_ns = clock_monotonic_ns();
	for (unsigned step = 1;
		waiting_bytes(p) > size_of(p) / 8 && !p->stops && !pause_guard_asks(&p->guard);
		step++) {
		usleep(DRAIN_STEP_US);
		if (step % STEPS_PER_SEARCH == 0)
			event.threads += pause_running(p);
	}
	pause_release(p->pause);
	ring_pauser_let_go(p);
	if (event.threads || pause_refused(p->pause))
		report_pause(p, &event);
	measure_rate(p);
}

const volatile bool *ring_pauser_hold(struct ring_pauser *p)
{
	assert(p);
	pause_guard_set(&p->guard, true);
	return &p->guard.state->releases;
}

void ring_pauser_let_go(struct ring_pauser *p)
{
	assert(p);
	pause_guard_set(&p->guard, false);
}

bool ring_pauser_pause(struct ring_pauser *p, pid_t tid, uint64_t *next)
{
	assert(p);
	*next = 0;
	if (*ring_pauser_hold(p) || !pause_threads(p->pause, &tid, 1) ||
		pause_wait(p->pause, STOP_TIMEOUT_NS) || !pause_count_selected(p->pause)) {
		ring_pauser_continue(p);
		return false;
	}
	*next = pause_address(p->pause, tid);
	return true;
}

void ring_pauser_continue(struct ring_pauser *p)
{
	assert(p);
	pause_release(p->pause);
	ring_pauser_let_go(p);
}

static void read_ring(struct ring_pauser *p)
{
	struct pollfd polled[] = { { .fd = p->wake, .events = POLLIN },
		{ .fd = p->filling, .events = POLLIN },
		{ .fd = p->work.event ? p->work.events : -1, .events = POLLIN } };

	while (!p->stops) {
		bool is_filling = pause_release_late(p->pause) || waiting_bytes(p) > size_of(p) / 4;
		uint64_t wakes;

		poll(polled, ARRAY_SIZE(polled), is_filling ? FILLING_MS : IDLE_MS);
		(void)!read(p->wake, &wakes, sizeof(wakes));
		ring_forget(p->filling);
		if (!p->stops && p->work.event)
			p->work.event(p->work.user);
		if (!ring_pauser_has_room(p) && !pause_guard_asks(&p->guard))
			pause_until_drained(p);
		else
			measure_rate(p);
		if (!p->stops && p->work.room && ring_pauser_has_room(p))
			p->work.room(p->work.user);
	}
}

static void *run_thread(void *user)
{
	struct ring_pauser *p = user;
	struct sooth_error ignored;

	/* A pauser that waits behind the threads that it has to pause would be too late. */
	thread_runs_first();
	if (p->work.begin)
		p->work.begin(p->work.user);
	if (!pause_new(&p->pause, &ignored))
		read_ring(p);
	pause_free(TAKE_PTR(p->pause)); /* only this thread, which seized them, may release them */
	return NULL;
}

static void close_all(struct ring_pauser *p)
{
	if (p->wake >= 0)
		close(p->wake);
	if (p->filling >= 0)
		close(p->filling);
	pause_guard_end(&p->guard);
}

static int start_thread(struct ring_pauser *p, struct sooth_error *err)
{
	int code;

	p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->wake < 0)
		return error_errno(err, -errno, "make an eventfd");
	p->filling = ring_watch(bpf_code_map(&p->follow->code, "ring"));
	if (p->filling < 0)
		return error_errno(err, p->filling, "wait for the ring");
	if (pause_guard_start(&p->guard, err))
		return -EIO;
	code = pthread_create(&p->thread, NULL, run_thread, p);
	return code ? error_errno(err, -code, "start the thread that pauses the target") : 0;
}

int ring_pauser_start(struct ring_pauser *p, struct follow *follow,
	const struct ring_pauser_work *work, struct sooth_error *err)
{
	int status;

	*p = (struct ring_pauser){ .follow = follow, .work = *work, .wake = -1, .filling = -1 };
	status = start_thread(p, err);
	if (status)
		close_all(p);
	return status;
}

void ring_pauser_wake(struct ring_pauser *p)
{
	assert(p);
	(void)!write(p->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
}

void ring_pauser_stop(struct ring_pauser *p)
{
	assert(p);
	p->stops = true;
	pause_guard_cancel(&p->guard);
	ring_pauser_wake(p);
	pthread_join(p->thread, NULL);
	close_all(p);
}
