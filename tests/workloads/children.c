/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A parent with sleeping children and with children which have ended and are not waited for.
 * The sleepers are copies of their parent, or with --exec each is a program started for itself,
 * without any output and with an input that is at its end.
 * Before "ready" it prints "pid N" for each sleeping child and "pid N zombie" for each zombie;
 * by then all of them are in that state. It ends and reaps them all itself; when it is killed
 * instead, the kernel kills the sleepers and init reaps the zombies.
 */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#define CHILDREN_MAX 16384

static uint64_t sleeper_count = 1;
static uint64_t zombie_count;
static bool has_exec;

/* The exec closes the pipe, which is waited for. */
static void sleeper_exec(void)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null_fd >= 0 && dup2(null_fd, STDIN_FILENO) >= 0 && dup2(null_fd, STDOUT_FILENO) >= 0)
		execl("/proc/self/exe", "workloads", "sleep", "--seconds", "3600", NULL);
}

/* A sleeper says one byte when it is bound to its parent, then only sleeps. */
static pid_t sleeper_start(int parent_fd, const int *pipe_fds)
{
	pid_t pid = child_fork(parent_fd);
	char byte = 0;

	if (pid)
		return pid;
	close(pipe_fds[0]);
	if (write(pipe_fds[1], &byte, 1) == 1) {
		if (has_exec) {
			sleeper_exec();
			_exit(EXIT_FAILURE);
		}
		close(pipe_fds[1]);
		sleep_ns(WORKLOAD_SECONDS_MAX * NS_PER_SEC);
	}
	_exit(EXIT_SUCCESS);
}

static int sleepers_start(int parent_fd, pid_t *pids)
{
	int pipe_fds[2], err = 0;
	char byte;

	if (pipe2(pipe_fds, O_CLOEXEC))
		return -errno;
	for (uint64_t i = 0; i < sleeper_count && !err; i++) {
		pids[i] = sleeper_start(parent_fd, pipe_fds);
		if (pids[i] < 0)
			err = pids[i];
		else
			printf("pid %d\n", pids[i]);
	}
	close(pipe_fds[1]);
	for (uint64_t i = 0; i < sleeper_count && !err; i++)
		if (read(pipe_fds[0], &byte, 1) != 1)
			err = -ECHILD;
	if (!err && read(pipe_fds[0], &byte, 1) != 0)
		err = -ECHILD;
	close(pipe_fds[0]);
	return err;
}

static int zombies_start(int parent_fd, pid_t *pids)
{
	for (uint64_t i = 0; i < zombie_count; i++) {
		siginfo_t info;

		pids[i] = child_fork(parent_fd);
		if (!pids[i])
			_exit(EXIT_SUCCESS);
		if (pids[i] < 0)
			return pids[i];
		if (waitid(P_PID, (id_t)pids[i], &info, WEXITED | WNOWAIT))
			return -errno;
		printf("pid %d zombie\n", pids[i]);
	}
	return 0;
}

static int truth_write(const struct workload *w, const pid_t *pids)
{
	autotruth truth = { 0 };
	int err = truth_begin(&truth);

	if (err)
		return err;
	for (uint64_t i = 0; i < sleeper_count + zombie_count; i++)
		fprintf(truth.out, "pid %d%s\n", pids[i], i < sleeper_count ? "" : " zombie");
	return truth_commit(&truth, w);
}

static int run(const struct workload *w)
{
	autofree pid_t *pids = calloc(sleeper_count + zombie_count + 1, sizeof(*pids));
	autoclose int parent_fd = parent_open();
	int err;

	if (!pids)
		return -ENOMEM;
	if (parent_fd < 0)
		return parent_fd;
	fflush(stdout);
	setvbuf(stdout, NULL, _IOLBF, 0); /* a fork must not inherit lines yet to be written */
	err = sleepers_start(parent_fd, pids);
	if (!err)
		err = zombies_start(parent_fd, pids + sleeper_count);
	if (!err)
		err = truth_write(w, pids);
	if (!err)
		err = workload_stay(w);
	for (uint64_t i = 0; i < sleeper_count + zombie_count; i++) {
		if (pids[i] <= 0)
			continue;
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	return err;
}

static const struct param params[] = {
	{ "count", "N", "children that sleep (1)", PARAM_NUMBER, &sleeper_count, 0, CHILDREN_MAX },
	{ "zombies", "Z", "children that have ended, unreaped (0)", PARAM_NUMBER, &zombie_count, 0,
		CHILDREN_MAX },
	{ "exec", NULL, "the sleepers are programs of their own", PARAM_FLAG, &has_exec, 0, 0 },
	{ 0 },
};

const struct scenario scenario_children = {
	.name = "children",
	.help = "children that sleep, and zombies",
	.params = params,
	.run = run,
};
