/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs another command of sooth beside this one. */
#include "cli/command/own_command.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/closed_at_exec.h"
#include "os/os.h"

#define READ_AT_ONCE 65536 /* bytes, after which the keys are read again */
#define END_STEP_MS  5
#define END_STEPS    200

static void run_child(const char *const *words, int life, int out, int columns, pid_t parent)
{
	char width[16];
	int none = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(life, STDIN_FILENO);
	os_native.end_with_parent(&os_native, STDIN_FILENO);
	if (getppid() != parent) /* the parent has ended already */
		_exit(127);
	dup2(columns ? out : none, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	snprintf(width, sizeof(width), "%d", columns);
	if (columns)
		setenv("SOOTH_COLUMNS", width, 1);
	execv("/proc/self/exe", (char *const *)(uintptr_t)words);
	_exit(127);
}

static void close_pipes(struct own_command *c)
{
	if (c->out >= 0)
		close(TAKE_FD(c->out));
	if (c->life >= 0)
		close(TAKE_FD(c->life));
}

int own_command_start(struct own_command *c, const char *const *words, int columns)
{
	pid_t parent = getpid();
	int ends[2], life[2];

	assert(c);
	*c = (struct own_command){ .out = -1, .life = -1, .status = SIGKILL };
	if (closed_at_exec_pipe(ends))
		return -errno;
	if (closed_at_exec_pipe(life)) {
		close(ends[0]);
		close(ends[1]);
		return -EMFILE;
	}
	c->out = ends[0];
	c->life = life[1];
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	c->pid = fork();
	if (!c->pid)
		run_child(words, life[0], ends[1], columns, parent);
	close(ends[1]);
	close(life[0]);
	if (c->pid > 0)
		return 0;
	c->pid = 0;
	close_pipes(c);
	return -EAGAIN;
}

bool own_command_read(struct own_command *c, struct buffer *text)
{
	char bytes[4096];
	size_t taken = 0;
	ssize_t got = 1;

	assert(c);
	while (c->pid && taken < READ_AT_ONCE && got > 0) {
		got = read(c->out, bytes, sizeof(bytes));
		if (got > 0)
			buffer_append(text, bytes, (size_t)got);
		taken += got > 0 ? (size_t)got : 0;
		if (!got || (got < 0 && errno != EAGAIN && errno != EINTR)) {
			own_command_end(c); /* it has closed its output, and so has exited */
			return true;
		}
	}
	return taken > 0;
}

void own_command_end(struct own_command *c)
{
	assert(c);
	if (!c->pid)
		return;
	kill(c->pid, SIGKILL);
	/* Inside a system call that cannot be interrupted the command may take longer: then init
	 * reaps it. */
	for (int i = 0; i < END_STEPS && !waitpid(c->pid, &c->status, WNOHANG); i++)
		poll(NULL, 0, END_STEP_MS);
	close_pipes(c);
	c->pid = 0;
}
