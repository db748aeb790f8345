/* SPDX-License-Identifier: BSD-2-Clause */
/* Small demo processes with a busy worker, and an agent whose tool is stuck. */
#include "cli/demo_workloads.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/closed_at_exec.h"
#include "cli/rights/invoker.h"

#define WORKER_PAUSE_MS 20
#define WORKER_BYTES	3000
#define LIFE_ROUNDS	6000 /* two minutes */
#define STUCK_PAUSE_MS	20
#define STUCK_ROUNDS	100 /* two seconds: a tool that does not start is shown as it is */

/* A busy little process: opens a missing file, reads another one, allocates memory for a
 * moment, and waits. */
static __attribute__((noreturn)) void run_worker(void)
{
	char byte;

	signal(SIGTERM, SIG_DFL); /* default action: signals that sooth handles end the worker */
	for (int round = 0; round < LIFE_ROUNDS && getppid() != 1; round++) {
		int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
		/* volatile: the compiler would remove an allocation that is never read */
		void *volatile block = malloc(WORKER_BYTES);

		free(block);
		if (fd >= 0) {
			while (read(fd, &byte, 1) != 1)
				;
			close(fd);
		}
		if (access("/etc/sooth-demo-is-looking-for-this", R_OK))
			poll(NULL, 0, WORKER_PAUSE_MS);
	}
	_exit(0);
}

static int copy_file(const char *from, const char *to)
{
	_cleanup_close_ int in = open(from, O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int out =
		open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0700);
	char bytes[16384];
	ssize_t got = -1;

	if (in < 0 || out < 0)
		return -errno;
	while ((got = read(in, bytes, sizeof(bytes))) > 0) {
		if (write(out, bytes, (size_t)got) != got)
			return -EIO;
	}
	return got < 0 ? -errno : 0;
}

/* Starts a tool that fills the pipe and is stuck; SIGPIPE ends it when its reader is gone. */
static pid_t start_tool(int output)
{
	pid_t pid = fork();

	if (!pid) {
		dup2(output, STDOUT_FILENO);
		signal(SIGPIPE, SIG_DFL);
		execlp("yes", "yes", (char *)NULL);
		_exit(127);
	}
	return pid;
}

/* An exec closes all descriptors except one: through that one the agent could read the pipe. */
static __attribute__((noreturn)) void be_agent(
	const struct demo_workloads *s, int report, const int pipe_ends[2])
{
	pid_t tool = chdir(s->directory) ? -1 : start_tool(pipe_ends[1]);

	if (tool < 0 || write(report, &tool, sizeof(tool)) != sizeof(tool) || dup(pipe_ends[0]) < 0)
		_exit(127);
	execl(s->agent_path, "claude", "30", (char *)NULL);
	_exit(127);
}

/* Waits until the tool is stuck: until the pipe holds data that came more than a moment ago. */
static void wait_until_stuck(int pipe_end)
{
	int before = 0, now = 0;

	for (int round = 0; round < STUCK_ROUNDS && (!now || now != before); round++) {
		before = now;
		poll(NULL, 0, STUCK_PAUSE_MS);
		if (ioctl(pipe_end, FIONREAD, &now))
			return;
	}
}

static int start_stuck_tool(struct demo_workloads *s, const int pipe_ends[2])
{
	_cleanup_close_ int told = -1;
	int ends[2], status;

	if (closed_at_exec_pipe(ends))
		return -errno;
	told = ends[0];
	s->agent = fork();
	if (!s->agent)
		be_agent(s, ends[1], pipe_ends);
	status = s->agent < 0 ? -errno : 0;
	close(ends[1]);
	if (!status && read(told, &s->tool, sizeof(s->tool)) != sizeof(s->tool))
		status = -ECHILD;
	if (!status)
		wait_until_stuck(pipe_ends[0]);
	return status;
}

static int start_agent(struct demo_workloads *s)
{
	static const char *const places[] = { "/bin/sleep", "/usr/bin/sleep" };
	int status = -ENOENT, ends[2];

	for (size_t i = 0; i < ARRAY_SIZE(places) && status; i++)
		status = copy_file(places[i], s->agent_path);
	if (status)
		return status;
	if (closed_at_exec_pipe(ends))
		return -errno;
	status = start_stuck_tool(s, ends);
	close(ends[0]);
	close(ends[1]);
	return status;
}

int demo_workloads_start(struct demo_workloads *s, struct sooth_error *err)
{
	const char *parent = getenv("TMPDIR");
	struct trust trust = invoker_trust();
	int status;

	assert(s);
	/* Programs are started from this folder: no user may exchange them before root starts
	 * them. */
	trust.user = 0;
	if (parent && !trusted_is_folder(&trust, parent))
		parent = NULL;

	snprintf(s->directory, sizeof(s->directory), "%.40s/sooth-demo.XXXXXX",
		parent && parent[0] == '/' && strlen(parent) < 40 ? parent : "/tmp");
	if (!mkdtemp(s->directory))
		return error_errno(err, -errno, "make the directory %s", s->directory);
	snprintf(s->agent_path, sizeof(s->agent_path), "%s/claude", s->directory);
	snprintf(s->capture, sizeof(s->capture), "%s/demo.sooth", s->directory);
	fflush(stdout);
	s->worker = fork();
	if (!s->worker)
		run_worker();
	status = s->worker < 0 ? -errno : start_agent(s);
	return status ? error_errno(err, status, "start the demo") : 0;
}

static void terminate_process(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

void demo_workloads_end(struct demo_workloads *s)
{
	assert(s);
	terminate_process(s->worker);
	/* The tool ends before its parent: until then its PID is not given to another process. */
	if (s->tool > 0)
		kill(s->tool, SIGTERM);
	terminate_process(s->agent);
	unlink(s->agent_path);
	unlink(s->capture);
	rmdir(s->directory);
}
