/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One process with a thread for each way to wait and to be scheduled, a signal for each way
 * to be treated, and lowered limits. Everything stands before "ready" and stays until the end.
 *
 * The main thread blocks SIGTERM and a real-time signal before it makes others, so that what
 * is sent to the process waits for all of it.
 */
#include "workload.h"

#include <dlfcn.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define QUEUED	    3
#define NOFILE_SOFT 64
#define NOFILE_HARD 128

struct task {
	const char *name;
	void (*wait)(void); /* for ever */
	int policy, priority, nice;
	pid_t tid;
	int refused; /* errno of setting its policy */
};

static pthread_barrier_t all_stand;
static int pipe_ends[2];
static uint32_t futex_word;
static pthread_t blocker;

static void spin(void)
{
	for (volatile uint64_t turns = 0;; turns++)
		;
}

static void wait_in_pipe(void)
{
	char c;

	while (read(pipe_ends[0], &c, 1) < 0 && errno == EINTR)
		;
}

static void wait_in_futex(void)
{
	for (;;)
		syscall(SYS_futex, &futex_word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void sleep_on(void)
{
	for (;;)
		clock_nanosleep(CLOCK_MONOTONIC, 0,
			&(struct timespec){ .tv_sec = WORKLOAD_SECONDS_MAX }, NULL);
}

static void block_and_sleep(void)
{
	sleep_on();
}

static struct task tasks[] = {
	{ "spinner", spin, SCHED_OTHER, 0, 0, 0, 0 },
	{ "in-pipe", wait_in_pipe, SCHED_OTHER, 0, 0, 0, 0 },
	{ "in-futex", wait_in_futex, SCHED_OTHER, 0, 0, 0, 0 },
	{ "in-sleep", sleep_on, SCHED_OTHER, 0, 0, 0, 0 },
	{ "blocker", block_and_sleep, SCHED_OTHER, 0, 0, 0, 0 },
	{ "nice-five", sleep_on, SCHED_OTHER, 0, 5, 0, 0 },
	{ "batch", sleep_on, SCHED_BATCH, 0, 0, 0, 0 },
	{ "idle", sleep_on, SCHED_IDLE, 0, 0, 0, 0 },
	{ "fifo", sleep_on, SCHED_FIFO, 50, 0, 0, 0 },
	{ "rr", sleep_on, SCHED_RR, 10, 0, 0, 0 },
	/* A name that tries to end its field and to draw on the terminal. */
	{ ") R 1\n\033[31m\"", sleep_on, SCHED_OTHER, 0, 0, 0, 0 },
};

static void take_policy(struct task *t)
{
	const struct sched_param param = { .sched_priority = t->priority };

	if (t->policy != SCHED_OTHER && sched_setscheduler(0, t->policy, &param))
		t->refused = errno;
	if (t->nice && setpriority(PRIO_PROCESS, (id_t)gettid(), t->nice))
		t->refused = errno;
}

static void *task_main(void *argument)
{
	struct task *t = argument;
	sigset_t blocked;

	t->tid = gettid();
	pthread_setname_np(pthread_self(), t->name);
	take_policy(t);
	if (t->wait == block_and_sleep) {
		sigemptyset(&blocked);
		sigaddset(&blocked, SIGALRM);
		sigaddset(&blocked, SIGWINCH);
		pthread_sigmask(SIG_BLOCK, &blocked, NULL);
	}
	pthread_barrier_wait(&all_stand);
	t->wait();
	return NULL;
}

static int start_tasks(void)
{
	int err = 0;

	pthread_barrier_init(&all_stand, NULL, ARRAY_SIZE(tasks) + 1);
	for (size_t i = 0; i < ARRAY_SIZE(tasks) && !err; i++) {
		pthread_t thread;

		err = -pthread_create(&thread, NULL, task_main, &tasks[i]);
		if (tasks[i].wait == block_and_sleep)
			blocker = thread;
	}
	if (!err)
		pthread_barrier_wait(&all_stand);
	return err;
}

static void task_handler(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
}

static int handle_in_library(void)
{
	char program[PATH_MAX], path[PATH_MAX + 32];
	ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
	struct sigaction action = { .sa_flags = SA_NODEFER };
	void *library;

	if (size < 0)
		return -errno;
	program[size] = '\0';
	snprintf(path, sizeof(path), "%s/libtask-library.so", dirname(program));
	library = dlopen(path, RTLD_NOW);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return -EOPNOTSUPP;
	}
	*(void **)&action.sa_handler = dlsym(library, "task_library_handler");
	sigaddset(&action.sa_mask, SIGHUP);
	return sigaction(SIGUSR2, &action, NULL) ? -errno : 0;
}

/* Before there are threads: they inherit what is blocked. */
static int treat_signals(void)
{
	struct sigaction caught = { .sa_sigaction = task_handler,
		.sa_flags = SA_SIGINFO | SA_RESTART };
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGRTMIN + 3);
	if (sigprocmask(SIG_BLOCK, &blocked, NULL) || sigaction(SIGUSR1, &caught, NULL) ||
		signal(SIGHUP, SIG_IGN) == SIG_ERR)
		return -errno;
	return handle_in_library();
}

static int send_signals(void)
{
	if (kill(getpid(), SIGTERM) || pthread_kill(blocker, SIGWINCH))
		return -errno;
	for (int i = 0; i < QUEUED; i++) {
		if (sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ .sival_int = i }))
			return -errno;
	}
	return 0;
}

static int lower_limits(void)
{
	const struct rlimit files = { NOFILE_SOFT, NOFILE_HARD }, core = { 0, 0 },
			    processor = { 3600, 7200 };

	return setrlimit(RLIMIT_NOFILE, &files) || setrlimit(RLIMIT_CORE, &core) ||
			       setrlimit(RLIMIT_CPU, &processor)
		       ? -errno
		       : 0;
}

static void tell(FILE *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(tasks); i++) {
		const struct task *t = &tasks[i];

		fprintf(out, "thread %d %zu policy %d priority %d nice %d refused %d\n", t->tid, i,
			t->policy, t->priority, t->nice, t->refused);
	}
	fprintf(out, "blocker %d\n", tasks[4].tid);
	fprintf(out, "queued %d\n", QUEUED);
	fprintf(out, "nofile %d %d\n", NOFILE_SOFT, NOFILE_HARD);
}

static int run(const struct workload *w)
{
	autotruth truth = { 0 };
	int err = pipe(pipe_ends) ? -errno : truth_begin(&truth);

	if (!err)
		err = treat_signals();
	if (!err)
		err = start_tasks();
	if (!err)
		err = send_signals();
	if (!err)
		err = lower_limits();
	if (err)
		return err;
	tell(truth.out);
	err = truth_commit(&truth, w);
	return err ? err : workload_stay(w);
}

const struct scenario scenario_tasks = {
	.name = "tasks",
	.help = "a thread for each way to wait and be scheduled, signals treated in each way",
	.run = run,
};
