/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts other programs. */
#include "cli/top/elsewhere.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/closed_at_exec.h"
#include "base/escape.h"
#include "cli/rights/invoker.h"

#define LIST_SIZE 16384

bool top_resume_command(const struct top_session *s, char *out, size_t size)
{
	static const struct {
		const char *agent, *command;
	} known[] = { { "claude", "claude --resume" }, { "codex", "codex resume" },
		{ "opencode", "opencode --session" } };

	/* The command is pasted into a shell. */
	if (!s->session[0] || !escape_is_shell_word(s->session, strlen(s->session)))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (!strcmp(known[i].agent, s->agent)) {
			snprintf(out, size, "%s %s", known[i].command, s->session);
			return true;
		}
	}
	return false;
}

/* Runs as the user of sudo: a server of tmux can have its clients start programs. */
static void run_child(const char *const *words, int out)
{
	int none = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (dup2(none, STDIN_FILENO) == STDIN_FILENO && dup2(out, STDOUT_FILENO) == STDOUT_FILENO &&
		dup2(none, STDERR_FILENO) == STDERR_FILENO && invoker_become())
		execvp(words[0], (char *const *)(uintptr_t)words);
	_exit(EXIT_FAILURE);
}

/* Gets the output of a program, cut at `size`; false: the program could not be run, or failed. */
static bool run_program(const char *const *words, char *out, size_t size)
{
	size_t used = 0;
	ssize_t got = 1;
	int ends[2], status = -1;
	pid_t child;

	out[0] = '\0';
	if (closed_at_exec_pipe(ends))
		return false;
	child = fork();
	if (!child)
		run_child(words, ends[1]);
	close(ends[1]);
	while (child > 0 && got > 0 && used + 1 < size) {
		got = read(ends[0], out + used, size - 1 - used);
		used += got > 0 ? (size_t)got : 0;
	}
	out[used] = '\0';
	close(ends[0]);
	if (child > 0)
		waitpid(child, &status, 0);
	return child > 0 && !status;
}

/* Finds the pane of the terminal in lines of "/dev/pts/3 %12\n". */
static bool find_pane(char *list, const char *terminal, char pane[16])
{
	char *saved = NULL, tty[64];

	for (char *line = strtok_r(list, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved)) {
		if (sscanf(line, "/dev/%63s %15s", tty, pane) == 2 && !strcmp(tty, terminal))
			return true;
	}
	return false;
}

bool top_jump(struct top *t, const char *terminal)
{
	const char *const panes[] = { "tmux", "list-panes", "-a", "-F", "#{pane_tty} #{pane_id}",
		NULL };
	_cleanup_free_ char *list = malloc(LIST_SIZE);
	char pane[16], out[64];

	if (!list || !getenv("TMUX") || !run_program(panes, list, LIST_SIZE) ||
		!find_pane(list, terminal, pane))
		return false;
	const char *const go[] = { "tmux", "switch-client", "-t", pane, NULL };

	if (!run_program(go, out, sizeof(out)))
		return false;
	top_say(t, "tmux shows the pane of %s", terminal);
	return true;
}
