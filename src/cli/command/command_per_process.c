/* SPDX-License-Identifier: BSD-2-Clause */
/* A command in a child process. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command/command.h"

int command_per_process(char *const *words)
{
	int count = 0, status;
	pid_t pid;

	while (words[count])
		count++;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		signal(SIGINT, SIG_DFL);
		status = command_main(command_find(words[0]), count, (char **)(uintptr_t)words);
		fflush(stdout);
		_exit(status);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
