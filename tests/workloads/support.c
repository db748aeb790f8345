/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocol between a scenario and its test. "ready" on stdout means: the state is in place.
 * With --hold the program then blocks on stdin, so that the test can attach first; the end of
 * stdin counts as "go", so a test which dies lets its workload go too. Nothing waits for longer
 * than WORKLOAD_SECONDS_MAX.
 *
 * Children ask for SIGKILL when their parent ends. The parent may end before the child has
 * asked, and the usual check by getppid(2) would blur a name which scenarios count; so the child
 * looks at a pidfd of its parent instead.
 */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts = { 0 };

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

static int wait_until(struct pollfd *fd, uint64_t end_ns)
{
	uint64_t now;

	while ((now = clock_ns(CLOCK_MONOTONIC)) < end_ns) {
		struct timespec left = {
			.tv_sec = (time_t)((end_ns - now) / NS_PER_SEC),
			.tv_nsec = (long)((end_ns - now) % NS_PER_SEC),
		};
		int n = ppoll(fd, fd ? 1 : 0, &left, NULL);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
	return -ETIMEDOUT;
}

void sleep_ns(uint64_t ns)
{
	wait_until(NULL, clock_ns(CLOCK_MONOTONIC) + ns);
}

/* Feeds one byte to a matcher of whole lines "go"; *at is the position, -1: not this line. */
static bool ends_go(char c, int *at)
{
	static const char go[] = "go\n";

	if (*at >= 0 && c == go[*at])
		return ++*at == (int)sizeof(go) - 1;
	*at = c == '\n' ? 0 : -1;
	return false;
}

static int hold(void)
{
	uint64_t end = clock_ns(CLOCK_MONOTONIC) + WORKLOAD_SECONDS_MAX * NS_PER_SEC;
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	int at = 0;

	for (;;) {
		int err = wait_until(&in, end);
		ssize_t n;
		char c;

		if (err)
			return err;
		n = read(STDIN_FILENO, &c, 1);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n == 0 || (n == 1 && ends_go(c, &at)))
			return 0;
	}
}

int workload_ready(const struct workload *w)
{
	if (puts("ready") == EOF || fflush(stdout))
		return -errno;
	return w->hold ? hold() : 0;
}

int workload_stay(const struct workload *w)
{
	int err = workload_ready(w);

	if (!err && !w->hold)
		sleep_ns(w->duration_ns);
	return err;
}

int truth_begin(struct truth *truth)
{
	truth->out = open_memstream(&truth->text, &truth->size);
	return truth->out ? 0 : -errno;
}

void truth_fini(struct truth *truth)
{
	if (truth->out)
		fclose(truth->out);
	free(truth->text);
	*truth = (struct truth){ 0 };
}

static int write_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t n = write(fd, text, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		size -= (size_t)n;
	}
	return 0;
}

int truth_commit(struct truth *truth, const struct workload *w)
{
	autofree char *path = NULL;
	autoclose int fd = -1;
	int err;

	if (fflush(truth->out))
		return -errno;
	if (!w->truth_path)
		return 0;
	if (asprintf(&path, "%s.%d.new", w->truth_path, getpid()) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, truth->text, truth->size);
	if (!err && rename(path, w->truth_path))
		err = -errno;
	if (err)
		unlink(path);
	return err;
}

int parent_open(void)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	return fd < 0 ? -errno : fd;
}

pid_t child_fork(int parent_fd)
{
	struct pollfd parent = { .fd = parent_fd, .events = POLLIN };
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid > 0)
		return pid;
	/* A pidfd becomes readable when its process ends. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || poll(&parent, 1, 0) != 0)
		_exit(EXIT_FAILURE);
	return 0;
}

int child_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}
