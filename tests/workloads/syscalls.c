/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exactly known numbers of system calls by name, in threads, forked children and fresh images
 * after execve(2). The names are chosen so that neither the dynamic loader, libc's start-up,
 * thread creation, stdio nor the rest of this program uses them: the counts hold for the whole
 * life of the process tree, from the first execve to the last exit (checked with strace -f -c).
 *
 * Each result is compared with the plan as it is made, and the truth is written only after the
 * whole tree has done exactly that. The seed shuffles the order of the calls. With --killed one
 * more child is ended inside of a call: see killed.c.
 */
#include "killed.h"
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define MISSING_PATH "/nonexistent-workloads/missing"
#define THREADS_MAX  1024
#define FORKS_MAX    1024
#define SLOW_CALLS   3

struct worker {
	pthread_t thread;
	uint64_t random;
	int zero_fd;
	int err;
};

/* Each worker makes count / divisor of these; every fail_every-th of them fails with error. */
struct call {
	const char *name;
	uint64_t divisor;
	uint64_t fail_every; /* 0: none fails */
	int error;
	long (*make)(const struct worker *worker, bool fails);
};

static struct {
	uint64_t threads;
	uint64_t forks;
	uint64_t exec;
	uint64_t count;
	uint64_t slow_ms;
	uint64_t killed;
	bool is_fresh;
} options = { .threads = 1, .count = 100, .slow_ms = 20 };

static long make_getppid(const struct worker *worker, bool fails)
{
	(void)worker, (void)fails;
	return syscall(SYS_getppid);
}

static long make_mkdirat(const struct worker *worker, bool fails)
{
	(void)worker, (void)fails;
	return syscall(SYS_mkdirat, AT_FDCWD, MISSING_PATH, 0700);
}

static long make_preadv(const struct worker *worker, bool fails)
{
	char byte;
	struct iovec to = { .iov_base = &byte, .iov_len = 1 };

	(void)fails;
	return syscall(SYS_preadv, worker->zero_fd, &to, 1, 0L, 0L);
}

static long make_faccessat2(const struct worker *worker, bool fails)
{
	(void)worker;
	return syscall(SYS_faccessat2, AT_FDCWD, fails ? MISSING_PATH : "/", F_OK, 0);
}

static long make_fchmod(const struct worker *worker, bool fails)
{
	(void)worker, (void)fails;
	return syscall(SYS_fchmod, -1, 0);
}

static long make_sched_yield(const struct worker *worker, bool fails)
{
	(void)worker, (void)fails;
	return syscall(SYS_sched_yield);
}

static const struct call calls[] = {
	{ "getppid", 1, 0, 0, make_getppid },
	{ "mkdirat", 2, 1, ENOENT, make_mkdirat },
	{ "preadv", 4, 0, 0, make_preadv },
	{ "faccessat2", 5, 2, ENOENT, make_faccessat2 },
	{ "fchmod", 10, 1, EBADF, make_fchmod },
	{ "sched_yield", 10, 0, 0, make_sched_yield },
};

static uint64_t call_count(const struct call *call)
{
	return options.count / call->divisor;
}

static uint64_t call_errors(const struct call *call)
{
	return call->fail_every ? call_count(call) / call->fail_every : 0;
}

static int call_make(const struct call *call, const struct worker *worker, uint64_t turn)
{
	bool fails = call->fail_every && turn % call->fail_every == call->fail_every - 1;
	long ret;

	errno = 0;
	ret = call->make(worker, fails);
	if ((ret < 0) == fails && (!fails || errno == call->error))
		return 0;
	fprintf(stderr, "workloads: syscalls: %s: not as planned: %ld, %s\n", call->name, ret,
		strerror(errno));
	return -EIO;
}

/* Draws from what is left, so that the order is random and the sums are not. */
static void *worker_run(void *arg)
{
	struct worker *worker = arg;
	uint64_t made[ARRAY_SIZE(calls)] = { 0 };
	uint64_t left = 0;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		left += call_count(&calls[i]);
	for (; left && !worker->err; left--) {
		uint64_t pick = random_next(&worker->random) % left;
		size_t i = 0;

		while (pick >= call_count(&calls[i]) - made[i]) {
			pick -= call_count(&calls[i]) - made[i];
			i++;
		}
		worker->err = call_make(&calls[i], worker, made[i]++);
	}
	return NULL;
}

/*
 * SLOW_CALLS times at least slow_ms, in the main thread of the tree and before it has children:
 * under ptrace their SIGCHLD would interrupt the call, which strace counts as an error.
 */
static int make_slow_calls(void)
{
	struct timespec ts = {
		.tv_sec = (time_t)(options.slow_ms / 1000),
		.tv_nsec = (long)(options.slow_ms % 1000 * NS_PER_MS),
	};

	for (int i = 0; i < SLOW_CALLS; i++)
		if (syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ts, NULL))
			return -errno;
	return 0;
}

/* All workers of one process image. */
static int image_run(uint64_t seed)
{
	autoclose int zero_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	autofree struct worker *workers = calloc(options.threads, sizeof(*workers));
	uint64_t started;
	int err = 0;

	if (zero_fd < 0)
		return -errno;
	if (!workers)
		return -ENOMEM;
	for (started = 0; started < options.threads && !err; started++) {
		workers[started].random = random_next(&seed);
		workers[started].zero_fd = zero_fd;
		err = -pthread_create(
			&workers[started].thread, NULL, worker_run, &workers[started]);
	}
	if (err)
		started--;
	for (uint64_t i = 0; i < started; i++) {
		pthread_join(workers[i].thread, NULL);
		if (workers[i].err)
			err = workers[i].err;
	}
	return err;
}

/* The same again in a fresh image, whose comm is "exe". */
static void exec_again(uint64_t seed)
{
	char threads[24], count[24], text[24];
	char *argv[] = { "workloads", "syscalls", "--fresh", "--threads", threads, "--count", count,
		"--seed", text, NULL };

	snprintf(threads, sizeof(threads), "%" PRIu64, options.threads);
	snprintf(count, sizeof(count), "%" PRIu64, options.count);
	snprintf(text, sizeof(text), "%" PRIu64, seed);
	execv("/proc/self/exe", argv);
	perror("workloads: syscalls: execv");
}

_Noreturn static void child_run(uint64_t seed)
{
	int err = image_run(seed);

	if (!err && options.exec) {
		exec_again(seed + 1);
		err = -EIO;
	}
	_exit(err ? EXIT_FAILURE : EXIT_SUCCESS);
}

static int truth_write(const struct workload *w)
{
	uint64_t images = 1 + options.forks * (1 + options.exec);
	uint64_t workers = images * options.threads;
	autotruth truth = { 0 };
	int err = truth_begin(&truth);

	if (err)
		return err;
	fprintf(truth.out, "# forks %" PRIu64 " images %" PRIu64 " workers %" PRIu64 "\n",
		options.forks + options.killed, images, workers);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (call_count(&calls[i]))
			fprintf(truth.out, "%s %" PRIu64 " %" PRIu64 "\n", calls[i].name,
				workers * call_count(&calls[i]), workers * call_errors(&calls[i]));
	fprintf(truth.out, "clock_nanosleep %d 0\n", SLOW_CALLS);
	fprintf(truth.out, "# slow clock_nanosleep %d %" PRIu64 "\n", SLOW_CALLS,
		options.slow_ms * NS_PER_MS);
	if (options.killed)
		fprintf(truth.out, "# unfinished %s 1\n", killed_call_name);
	return truth_commit(&truth, w);
}

/* On an error the children which still run end with us. */
static int tree_run(const struct workload *w)
{
	autofree pid_t *pids = calloc(options.forks + 1, sizeof(*pids));
	autoclose int parent_fd = parent_open();
	int err;

	if (!pids)
		return -ENOMEM;
	if (parent_fd < 0)
		return parent_fd;
	err = make_slow_calls();
	if (err)
		return err;
	for (uint64_t i = 0; i < options.forks; i++) {
		pids[i] = child_fork(parent_fd);
		if (pids[i] < 0)
			return pids[i];
		if (!pids[i])
			child_run(w->seed + 2 * (i + 1));
	}
	err = image_run(w->seed);
	for (uint64_t i = 0; i < options.forks && !err; i++)
		err = child_wait(pids[i]);
	if (!err && options.killed)
		err = killed_run(parent_fd);
	return err;
}

static int run(const struct workload *w)
{
	int err;

	if (options.is_fresh)
		return image_run(w->seed);
	err = workload_ready(w);
	if (!err)
		err = tree_run(w);
	return err ? err : truth_write(w);
}

static const struct param params[] = {
	{ "threads", "T", "worker threads of each process (1)", PARAM_NUMBER, &options.threads, 1,
		THREADS_MAX },
	{ "forks", "F", "forked children, each doing the same (0)", PARAM_NUMBER, &options.forks, 0,
		FORKS_MAX },
	{ "exec", "0|1", "each child does it again after execve (0)", PARAM_NUMBER, &options.exec,
		0, 1 },
	{ "count", "N", "calls of the most frequent name per worker (100)", PARAM_NUMBER,
		&options.count, 0, 1000000000 },
	{ "slow-ms", "MS", "requested time of each slow call (20)", PARAM_NUMBER, &options.slow_ms,
		1, 60000 },
	{ "killed", "0|1", "one more child is killed inside of a call (0)", PARAM_NUMBER,
		&options.killed, 0, 1 },
	{ "fresh", NULL, NULL, PARAM_FLAG, &options.is_fresh, 0, 0 },
	{ 0 },
};

const struct scenario scenario_syscalls = {
	.name = "syscalls",
	.help = "exactly known numbers of system calls by name",
	.params = params,
	.run = run,
};
