/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A child with a thread inside of a blocking call, ended there by SIGKILL from its parent. strace
 * shows that call as unfinished and does not count it. The tracepoint sys_exit does fire (seen on
 * Linux 6.18: pause, -514, ERESTARTNOHAND), on the way out of the kernel to the signal, with a
 * value which user space never sees; a call without exit is one which is still going on.
 */
#include "killed.h"
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define BLOCK_WAIT_NS (10 * NS_PER_SEC)

#ifdef SYS_pause
const char killed_call_name[] = "pause";
#define blocking_call() syscall(SYS_pause)
#else
const char killed_call_name[] = "rt_sigsuspend";
#define blocking_call() syscall(SYS_rt_sigsuspend, &(uint64_t){ 0 }, sizeof(uint64_t))
#endif

static void *blocked_run(void *arg)
{
	atomic_int *tid = arg;

	/* No system call may follow this except the blocking one: see blocked_wait(). */
	atomic_store(tid, gettid());
	blocking_call();
	return NULL;
}

/* The state letter of a thread, after the last ')' of its stat file. */
static char thread_state(pid_t pid, pid_t tid)
{
	autoclose int fd = -1;
	char text[512], path[64], *at;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return '?';
	text[n] = '\0';
	at = strrchr(text, ')');
	return at && at[1] ? at[2] : '?';
}

/* Asleep after it has said its tid means: inside of the call. */
static int blocked_wait(pid_t pid, atomic_int *tid)
{
	uint64_t end = clock_ns(CLOCK_MONOTONIC) + BLOCK_WAIT_NS;

	while (clock_ns(CLOCK_MONOTONIC) < end) {
		if (atomic_load(tid) && thread_state(pid, atomic_load(tid)) == 'S')
			return 0;
		sleep_ns(NS_PER_MS);
	}
	return -ETIMEDOUT;
}

int killed_run(int parent_fd)
{
	atomic_int *tid =
		mmap(NULL, sizeof(*tid), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_t thread;
	pid_t pid;
	int err;

	if (tid == MAP_FAILED)
		return -errno;
	pid = child_fork(parent_fd);
	if (!pid) {
		if (!pthread_create(&thread, NULL, blocked_run, tid))
			pthread_join(thread, NULL);
		_exit(EXIT_FAILURE);
	}
	err = pid < 0 ? pid : blocked_wait(pid, tid);
	if (pid > 0) {
		kill(pid, SIGKILL);
		child_wait(pid);
	}
	munmap(tid, sizeof(*tid));
	return err;
}
