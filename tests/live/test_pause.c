/* SPDX-License-Identifier: BSD-2-Clause */
/* Holding threads: they stand, they go on, and nothing of it stays behind. */
#include "pause_support.h"

#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/time.h>

#define BUSY 5

static struct shared *here; /* in a target */

/* --- threads that count --- */

static void *count_up(void *argument)
{
	size_t number = (size_t)(uintptr_t)argument;

	here->tids[number] = (pid_t)syscall(SYS_gettid);
	__atomic_add_fetch(&here->threads_ready, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		here->counts[number]++;
		if (number % 2) /* half of them make calls */
			syscall(SYS_getppid);
	}
	return NULL;
}

static void busy(struct shared *s)
{
	pthread_t thread;

	here = s;
	for (uintptr_t i = 1; i < BUSY; i++)
		pthread_create(&thread, NULL, count_up, (void *)i);
	count_up(NULL);
}

static bool moved(const struct shared *s, const uint64_t *before, bool all)
{
	for (size_t i = 0; i < BUSY; i++)
		if ((s->counts[i] != before[i]) != all)
			return !all;
	return all;
}

static void note(const struct shared *s, uint64_t *counts)
{
	for (size_t i = 0; i < BUSY; i++)
		counts[i] = s->counts[i];
}

/* Threads get a processor sooner or later. */
static bool all_move(const struct shared *s)
{
	uint64_t before[BUSY];

	note(s, before);
	for (int i = 0; i < 5000; i++) {
		if (moved(s, before, true))
			return true;
		usleep(1000);
	}
	return false;
}

static void *trace_busy(void *argument)
{
	struct tracer *t = argument;
	const pid_t *tids = (const pid_t *)t->shared->tids;
	uint64_t before[BUSY];
	struct pause *h;

	EXPECT(t, !pause_new(&h, NULL));
	for (int round = 0; round < 50; round++) {
		EXPECT(t, pause_threads(h, tids, BUSY) == BUSY);
		EXPECT(t, pause_threads(h, tids, BUSY) == 0);
		EXPECT(t, pause_count_selected(h) == BUSY);
		EXPECT(t, pause_wait(h, 5000 * MS) == 0);
		note(t->shared, before);
		usleep(round < 5 ? 20000 : 200);
		EXPECT(t, !moved(t->shared, before, false));
		pause_release(h);
		EXPECT(t, pause_count_selected(h) == 0);
		EXPECT(t, pause_release_late(h) == 0);
		if (round < 5)
			EXPECT(t, all_move(t->shared));
	}
	/* And when it is freed while they stand. */
	EXPECT(t, pause_threads(h, tids, BUSY) == BUSY);
	EXPECT(t, pause_wait(h, 5000 * MS) == 0);
	EXPECT(t, pause_refused(h) == 0);
	pause_free(h);
	EXPECT(t, all_move(t->shared));
	return NULL;
}

static void test_busy(void **state)
{
	struct shared *s = share();
	pid_t pid = start(busy, s);

	(void)state;
	wait_until(&s->threads_ready, BUSY);
	trace(trace_busy, s, pid);
	assert_false(pause_is_seized(pid));
	end(pid);
	unshare_memory(s);
}

/* A waitpid() for anything is told of stops, and takes the report: nothing depends on it. */
static void test_stolen(void **state)
{
	struct shared *s = share();
	pid_t pid = start(busy, s);
	struct tracer t = { .shared = s, .pid = pid };
	pthread_t tracer;
	int status, stops = 0;

	(void)state;
	wait_until(&s->threads_ready, BUSY);
	assert_int_equal(pthread_create(&tracer, NULL, trace_busy, &t), 0);
	while (pthread_tryjoin_np(tracer, NULL))
		if (waitpid(-1, &status, WNOHANG | __WALL) > 0)
			stops += WIFSTOPPED(status);
	assert_true(stops > 0);
	assert_int_equal(t.failures, 0);
	end(pid);
	unshare_memory(s);
}

/* --- a tracer that is killed --- */

static void hold_for_ever(struct shared *s)
{
	struct pause *h;

	if (pause_new(&h, NULL) || pause_threads(h, (const pid_t *)s->tids, BUSY) != BUSY ||
		pause_wait(h, 5000 * MS))
		_exit(1);
	s->done = 1;
	for (;;)
		pause();
}

static void test_killed_tracer(void **state)
{
	struct shared *s = share();
	pid_t pid = start(busy, s), tracer;
	uint64_t before[BUSY];

	(void)state;
	wait_until(&s->threads_ready, BUSY);
	if (geteuid()) /* it is no child of the tracer */
		skip();
	tracer = start(hold_for_ever, s);
	wait_until(&s->done, 1);
	note(s, before);
	usleep(20000);
	assert_false(moved(s, before, false));
	end(tracer);
	assert_true(all_move(s));
	end(pid);
	unshare_memory(s);
}

/* --- signals --- */

static void on_queued(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	here->arrived[info->si_value.sival_int]++;
	__atomic_add_fetch(&here->interrupted, 1, __ATOMIC_RELAXED);
}

static void on_alarm(int signal)
{
	(void)signal;
	here->alarms++;
}

static void handle_signals(struct shared *s)
{
	struct itimerval timer = { { 0, 500 }, { 0, 500 } };
	struct sigaction queued = { .sa_sigaction = on_queued, .sa_flags = SA_SIGINFO };
	struct sigaction alarmed = { .sa_handler = on_alarm };
	pthread_t thread;

	here = s;
	sigfillset(&queued.sa_mask);
	sigaction(SIGRTMIN, &queued, NULL);
	sigaction(SIGALRM, &alarmed, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (uintptr_t i = 1; i < 2; i++)
		pthread_create(&thread, NULL, count_up, (void *)i);
	count_up(NULL);
}

#define QUEUED 30000

static void *send_signals(void *argument)
{
	struct tracer *t = argument;

	for (int i = 0; i < QUEUED;) {
		if (!sigqueue(t->pid, SIGRTMIN, (union sigval){ .sival_int = i }))
			i++;
		else
			usleep(100); /* the queue is full */
		if (i % 16 == 0)
			usleep(50);
	}
	t->shared->done = 1;
	return NULL;
}

static void *trace_signals(void *argument)
{
	struct tracer *t = argument;
	struct pause *h;
	int rounds = 0;

	EXPECT(t, !pause_new(&h, NULL));
	for (; !t->shared->done || rounds < 2000; rounds++) {
		EXPECT(t, pause_threads(h, (const pid_t *)t->shared->tids, 2) == 2);
		if (rounds % 4) /* sometimes let go before they stand */
			EXPECT(t, pause_wait(h, 5000 * MS) == 0);
		pause_release(h);
		EXPECT(t, all_let_go(h));
	}
	pause_free(h);
	return NULL;
}

/* Again and again until it is killed. */
static void hold_in_turns(struct shared *s)
{
	struct pause *h;

	if (pause_new(&h, NULL))
		_exit(1);
	for (;;) {
		pause_threads(h, (const pid_t *)s->tids, 2);
		pause_wait(h, 5000 * MS);
		pause_release(h);
	}
}

static void check_signals(bool kills_tracers)
{
	struct shared *s = share();
	pid_t pid = start(handle_signals, s);
	struct tracer t = { .shared = s, .pid = pid };
	pthread_t sender;
	uint64_t alarms;

	wait_until(&s->threads_ready, 2);
	assert_int_equal(pthread_create(&sender, NULL, send_signals, &t), 0);
	if (!kills_tracers)
		trace(trace_signals, s, pid);
	for (useconds_t delay = 0; !s->done; delay = (delay + 170) % 5000) {
		pid_t tracer = start(hold_in_turns, s);

		usleep(delay);
		end(tracer);
	}
	pthread_join(sender, NULL);
	for (int i = 0; i < STATE_TURNS && s->interrupted < QUEUED; i++)
		usleep(1000);
	for (int i = 0; i < QUEUED; i++)
		if (s->arrived[i] != 1)
			fail_msg("signal %d came %d times", i, s->arrived[i]);
	alarms = s->alarms;
	for (int i = 0; i < STATE_TURNS && s->alarms == alarms; i++)
		usleep(1000);
	assert_true(s->alarms > alarms);
	end(pid);
	unshare_memory(s);
}

static void test_signals(void **state)
{
	(void)state;
	check_signals(false);
}

static void test_signals_killed_tracer(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	check_signals(true);
}

/* --- stopped by a signal --- */

static void *trace_once(void *argument)
{
	struct tracer *t = argument;
	struct pause *h;

	EXPECT(t, !pause_new(&h, NULL));
	EXPECT(t, pause_threads(h, (const pid_t *)t->shared->tids, BUSY) == BUSY);
	EXPECT(t, pause_wait(h, 5000 * MS) == 0);
	if (t->shared->go) /* a stop that comes while they are held */
		kill(t->pid, t->shared->go);
	usleep(5000);
	pause_release(h);
	EXPECT(t, all_let_go(h));
	pause_free(h);
	return NULL;
}

static bool all_are(const struct shared *s, char state)
{
	for (size_t i = 0; i < BUSY; i++)
		if (!becomes(s->tids[i], state))
			return false;
	return true;
}

static void test_stopped(void **state)
{
	struct shared *s = share();
	pid_t pid = start(busy, s);
	uint64_t before[BUSY];

	(void)state;
	wait_until(&s->threads_ready, BUSY);
	kill(pid, SIGSTOP);
	assert_true(all_are(s, 'T'));
	trace(trace_once, s, pid);
	assert_true(all_are(s, 'T'));
	note(s, before);
	usleep(20000);
	assert_false(moved(s, before, false));
	kill(pid, SIGCONT);
	assert_true(all_move(s));

	s->go = SIGSTOP;
	trace(trace_once, s, pid);
	assert_true(all_are(s, 'T'));
	/* It was stopped before; this time it is held meanwhile and told to go on. */
	s->go = SIGCONT;
	trace(trace_once, s, pid);
	assert_true(all_move(s));
	end(pid);
	unshare_memory(s);
}

/* --- a thread that is not taken --- */

static void sleep_in_epoll(struct shared *s)
{
	struct epoll_event event;
	pthread_t thread;
	int fd = epoll_create1(0);

	here = s;
	for (uintptr_t i = 0; i < 2; i++)
		pthread_create(&thread, NULL, count_up, (void *)i);
	for (;;)
		if (epoll_wait(fd, &event, 1, -1) < 0)
			s->interrupted++;
}

static void *trace_two(void *argument)
{
	struct tracer *t = argument;
	struct pause *h;

	EXPECT(t, !pause_new(&h, NULL));
	for (int round = 0; round < 200; round++) {
		EXPECT(t, pause_threads(h, (const pid_t *)t->shared->tids, 2) == 2);
		EXPECT(t, pause_wait(h, 5000 * MS) == 0);
		pause_release(h);
	}
	EXPECT(t, all_let_go(h));
	pause_free(h);
	return NULL;
}

static void test_sleeper(void **state)
{
	struct shared *s = share();
	pid_t pid = start(sleep_in_epoll, s);

	(void)state;
	wait_until(&s->threads_ready, 2);
	assert_true(becomes(pid, 'S'));
	trace(trace_two, s, pid);
	assert_int_equal(s->interrupted, 0);
	end(pid);
	unshare_memory(s);
}

/* --- a thread that cannot stop --- */

static void wait_in_vfork(struct shared *s)
{
	here = s;
	s->tids[0] = getpid();
	s->threads_ready = 1;
	if (!vfork()) {
		for (int i = 0; i < STATE_TURNS && !s->go; i++)
			usleep(1000);
		_exit(0);
	}
	s->threads_ready = 2;
	for (;;)
		s->counts[0]++;
}

static void *trace_lingering(void *argument)
{
	struct tracer *t = argument;
	struct shared *s = t->shared;
	uint64_t count, begin = clock_monotonic_ns();
	struct pause *h;

	EXPECT(t, !pause_new(&h, NULL));
	EXPECT(t, pause_threads(h, (const pid_t *)s->tids, 1) == 1);
	EXPECT(t, pause_wait(h, 20 * MS) == 1);
	EXPECT(t, clock_monotonic_ns() - begin >= 20 * MS);
	pause_release(h);
	EXPECT(t, pause_count_selected(h) == 0);
	EXPECT(t, pause_release_late(h) == 1);
	/* Wanted again before it has stopped: it is held then. */
	EXPECT(t, pause_threads(h, (const pid_t *)s->tids, 1) == 1);
	EXPECT(t, pause_release_late(h) == 0);
	s->go = 1;
	EXPECT(t, pause_wait(h, 5000 * MS) == 0);
	count = s->counts[0];
	usleep(10000);
	EXPECT(t, s->counts[0] == count);
	pause_release(h);
	EXPECT(t, pause_release_late(h) == 0);
	pause_free(h);
	return NULL;
}

static void *trace_left_lingering(void *argument)
{
	struct tracer *t = argument;
	struct pause *h;

	EXPECT(t, !pause_new(&h, NULL));
	EXPECT(t, pause_threads(h, (const pid_t *)t->shared->tids, 1) == 1);
	pause_release(h);
	EXPECT(t, pause_release_late(h) == 1);
	t->shared->go = 1;
	EXPECT(t, all_let_go(h));
	EXPECT(t, !pause_is_seized(t->pid));
	pause_free(h);
	return NULL;
}

static void test_lingering(void **state)
{
	void *(*bodies[])(void *) = { trace_lingering, trace_left_lingering };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct shared *s = share();
		pid_t pid = start(wait_in_vfork, s);

		wait_until(&s->threads_ready, 1);
		assert_true(becomes(pid, 'D'));
		trace(bodies[i], s, pid);
		wait_until(&s->threads_ready, 2);
		end(pid);
		unshare_memory(s);
	}
}

/* --- threads that end, processes that end, and exec --- */

static void *be_short(void *argument)
{
	for (volatile int i = 0; i < 20000; i++)
		continue;
	return argument;
}

static void make_threads(struct shared *s)
{
	pthread_t threads[4];

	s->threads_ready = 1;
	while (!s->go) {
		for (size_t i = 0; i < 4; i++)
			if (pthread_create(&threads[i], NULL, be_short, NULL))
				_exit(1);
		for (size_t i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
	}
	_exit(42);
}

static void *trace_ending(void *argument)
{
	struct tracer *t = argument;
	struct pause *h;

	EXPECT(t, !pause_new(&h, NULL));
	for (int round = 0; round < 1500; round++) {
		pid_t tids[64];
		size_t count = threads_of(t->pid, tids, 64);

		t->shared->go = round >= 1490; /* the last rounds go over its end */
		pause_threads(h, tids, count);
		if (round % 3)
			EXPECT(t, pause_wait(h, 5000 * MS) == 0);
		pause_release(h);
		if (round % 2)
			EXPECT(t, all_let_go(h));
	}
	EXPECT(t, all_let_go(h));
	EXPECT(t, pause_refused(h) == 0);
	pause_free(h);
	return NULL;
}

static void test_threads_end(void **state)
{
	struct shared *s = share();
	pid_t pid = start(make_threads, s);
	int status;

	(void)state;
	wait_until(&s->threads_ready, 1);
	trace(trace_ending, s, pid);
	status = exit_status(pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	unshare_memory(s);
}

static void *trace_killed(void *argument)
{
	struct tracer *t = argument;
	struct pause *h;

	EXPECT(t, !pause_new(&h, NULL));
	EXPECT(t, pause_threads(h, (const pid_t *)t->shared->tids, BUSY) == BUSY);
	EXPECT(t, pause_wait(h, 5000 * MS) == 0);
	kill(t->pid, SIGKILL);
	usleep(5000);
	pause_release(h);
	EXPECT(t, all_let_go(h));
	pause_free(h);
	return NULL;
}

static void test_killed_while_held(void **state)
{
	struct shared *s = share();
	pid_t pid = start(busy, s);
	int status;

	(void)state;
	wait_until(&s->threads_ready, BUSY);
	trace(trace_killed, s, pid);
	status = exit_status(pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	unshare_memory(s);
}

static void *exec_later(void *argument)
{
	char *const command[] = { "sh", "-c", "exit 5", NULL };

	usleep((useconds_t)(uintptr_t)argument);
	execv("/bin/sh", command);
	_exit(1);
}

/* An exec by another thread than the first, while the others work. */
static void exec_among_threads(struct shared *s)
{
	pthread_t thread;

	here = s;
	for (uintptr_t i = 1; i < 4; i++)
		pthread_create(&thread, NULL, count_up, (void *)i);
	wait_until(&s->threads_ready, 3);
	s->go = 1;
	pthread_create(&thread, NULL, exec_later, (void *)(uintptr_t)(getpid() % 16 * 300));
	count_up(NULL);
}

static void *trace_exec(void *argument)
{
	struct tracer *t = argument;
	uint64_t until = clock_monotonic_ns() + 15 * MS;
	struct pause *h;

	EXPECT(t, !pause_new(&h, NULL));
	while (clock_monotonic_ns() < until) {
		pid_t tids[64];
		size_t count = threads_of(t->pid, tids, 64);

		pause_threads(h, tids, count);
		pause_wait(h, 2 * MS);
		pause_release(h);
	}
	EXPECT(t, all_let_go(h));
	EXPECT(t, pause_refused(h) == 0);
	pause_free(h);
	return NULL;
}

static void test_exec(void **state)
{
	(void)state;
	for (int round = 0; round < 100; round++) {
		struct shared *s = share();
		pid_t pid = start(exec_among_threads, s);
		int status;

		wait_until(&s->go, 1);
		trace(trace_exec, s, pid);
		status = exit_status(pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 5)
			fail_msg("round %d: status %x", round, (unsigned)status);
		unshare_memory(s);
	}
}

/* --- refused --- */

static void trace_another(struct shared *s)
{
	if (ptrace(PTRACE_SEIZE, s->tids[0], NULL, NULL))
		_exit(1);
	s->done = 1;
	for (;;)
		pause();
}

static void *trace_refused(void *argument)
{
	struct tracer *t = argument;
	const pid_t own = getpid(), gone = 0x3ffffff;
	struct pause *h;

	EXPECT(t, !pause_new(&h, NULL));
	EXPECT(t, pause_threads(h, (const pid_t *)t->shared->tids, 1) == 0);
	EXPECT(t, pause_refused(h) == 1);
	EXPECT(t, pause_threads(h, (const pid_t *)t->shared->tids, 2) == 1);
	EXPECT(t, pause_refused(h) == 1);
	EXPECT(t, pause_threads(h, &own, 1) == 0);
	EXPECT(t, pause_refused(h) == 2);
	EXPECT(t, pause_threads(h, &gone, 1) == 0);
	EXPECT(t, pause_refused(h) == 2);
	EXPECT(t, pause_wait(h, 5000 * MS) == 0);
	EXPECT(t, pause_count_selected(h) == 1);
	pause_free(h);
	pause_free(NULL);
	return NULL;
}

static void test_refused(void **state)
{
	struct shared *s = share();
	pid_t pid = start(busy, s), tracer;

	(void)state;
	wait_until(&s->threads_ready, BUSY);
	if (geteuid())
		skip();
	tracer = start(trace_another, s);
	wait_until(&s->done, 1);
	trace(trace_refused, s, pid);
	end(tracer);
	assert_true(all_move(s));
	end(pid);
	unshare_memory(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_stolen),
		cmocka_unit_test(test_killed_tracer),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_signals_killed_tracer),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_sleeper),
		cmocka_unit_test(test_lingering),
		cmocka_unit_test(test_threads_end),
		cmocka_unit_test(test_killed_while_held),
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
