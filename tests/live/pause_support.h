/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of holding share: targets made by fork, and a thread that traces them. */
#ifndef SOOTH_TESTS_PAUSE_SUPPORT_H
#define SOOTH_TESTS_PAUSE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/linux/pause/pause.h"

#define MS	    1000000ULL
#define THREADS_MAX 16
#define STATE_TURNS 60000 /* of a millisecond at least: a bound against hanging */

/* Memory that test and target share. */
struct shared {
	volatile int threads_ready;
	volatile pid_t tids[THREADS_MAX];
	volatile uint64_t counts[THREADS_MAX];
	volatile int go, done;
	volatile uint64_t interrupted;
	volatile unsigned char arrived[1 << 16];
	volatile uint64_t alarms;
};

static inline struct shared *share(void)
{
	void *memory = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	return memory;
}

static inline void unshare_memory(struct shared *s)
{
	munmap(s, sizeof(*s));
}

/* A child that dies with the test. */
static inline pid_t start(void (*body)(struct shared *s), struct shared *s)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	body(s);
	_exit(0);
}

static inline void wait_until(volatile int *value, int wanted)
{
	uint64_t until = clock_monotonic_ns() + 60000 * MS;

	while (*value < wanted && clock_monotonic_ns() < until)
		usleep(200);
	assert_true(*value >= wanted);
}

/* As sooth waits for what it launched: by pidfd, then waitpid(). */
static inline int exit_status(pid_t pid)
{
	struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int status = -1;

	assert_true(end.fd >= 0);
	assert_int_equal(poll(&end, 1, 60000), 1);
	close(end.fd);
	assert_int_equal(waitpid(pid, &status, WNOHANG), pid);
	return status;
}

static inline void end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	status = exit_status(pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* The letter that ps shows. */
static inline char state_of(pid_t tid)
{
	char path[64], text[512];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return '-';
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got <= 0)
		return '-';
	text[got] = '\0';
	return *(strrchr(text, ')') + 2);
}

static inline bool becomes(pid_t tid, char state)
{
	for (int i = 0; i < STATE_TURNS && state_of(tid) != state; i++)
		usleep(1000);
	return state_of(tid) == state;
}

static inline size_t threads_of(pid_t pid, pid_t *tids, size_t size)
{
	char path[64];
	struct dirent *entry;
	size_t count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)) && count < size)
		if (atoi(entry->d_name) > 0)
			tids[count++] = atoi(entry->d_name);
	if (dir)
		closedir(dir);
	return count;
}

/* Tracing is done by a thread that forked nothing, as in sooth. Assertions belong to the
 * main thread: what fails in there is counted, and told. */
struct tracer {
	struct shared *shared;
	pid_t pid;
	unsigned failures;
};

#define EXPECT(t, condition)                                                                       \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(t)->failures++;                                                           \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
		}                                                                                  \
	} while (0)

static inline void on_tracer(void *(*body)(void *), void *argument)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, body, argument), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static inline void trace(void *(*body)(void *), struct shared *s, pid_t pid)
{
	struct tracer t = { .shared = s, .pid = pid };

	on_tracer(body, &t);
	assert_int_equal(t.failures, 0);
}

static inline bool all_let_go(struct pause *h)
{
	uint64_t until = clock_monotonic_ns() + 60000 * MS;

	while (pause_release_late(h) && clock_monotonic_ns() < until)
		usleep(500);
	return pause_release_late(h) == 0;
}

#endif
