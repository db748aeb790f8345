/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/supervise/job.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define WAKE_MS 2

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGUSR1,
	SIGUSR2 };

static volatile sig_atomic_t has_come[ARRAY_SIZE(caught)];
static volatile pid_t senders[ARRAY_SIZE(caught)];
static struct sigaction before[ARRAY_SIZE(caught)];
static sigset_t mask_before;
static volatile pid_t command; /* 0: not started yet */

static void note_signal(int number, siginfo_t *info, void *context)
{
	(void)context;
	/* The kernel sends the signals of a terminal to the whole process group. */
	if (info->si_code > 0 && (!command || getpgid(command) == getpgrp()))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++) {
		if (caught[i] == number) {
			senders[i] = info->si_pid;
			has_come[i] = 1;
		}
	}
}

static void note_child(int number)
{
	(void)number; /* it ends a wait */
}

static void restore_signals(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		sigaction(caught[i], &before[i], NULL);
	sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

static void catch_signal(size_t i)
{
	struct sigaction action = { .sa_sigaction = note_signal,
		.sa_flags = SA_SIGINFO | SA_RESTART };

	sigaction(caught[i], NULL, &before[i]);
	/* nohup ignores signals for the command too. */
	if (before[i].sa_handler != SIG_IGN)
		sigaction(caught[i], &action, NULL);
}

void job_begin(void)
{
	struct sigaction child = { .sa_handler = note_child, .sa_flags = SA_RESTART };
	sigset_t all;

	sigemptyset(&all);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		sigaddset(&all, caught[i]);
	sigprocmask(SIG_BLOCK, &all, &mask_before);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		catch_signal(i);
	sigaction(SIGCHLD, &child, NULL);
	pthread_atfork(NULL, NULL, restore_signals);
}

void job_over(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		sigaction(caught[i], &before[i], NULL);
}

void job_started(pid_t pid)
{
	command = pid;
	sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

bool job_next_signal(int *number, pid_t *sender)
{
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++) {
		if (!has_come[i])
			continue;
		has_come[i] = 0;
		*number = caught[i];
		*sender = senders[i];
		return true;
	}
	return false;
}

/* Returns whether sooth is in the foreground of its terminal: a shell then waits for the job. */
static bool is_foreground(void)
{
	_cleanup_close_ int terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	return terminal >= 0 && tcgetpgrp(terminal) == getpgrp();
}

/* Returns whether the parent can be a shell that continues the job: it has a group of its own. */
static bool has_shell(void)
{
	pid_t group = getpgid(getppid());

	return group > 0 && group != getpgrp() && getsid(getppid()) == getsid(0);
}

/* Stops with the default action, which the kernel skips where no shell could continue the job. */
static void stop_like(int number)
{
	struct sigaction action = { .sa_handler = SIG_DFL }, mine;

	sigaction(number, &action, &mine);
	raise(number);
	sigaction(number, &mine, NULL);
}

void job_follow_stop(void)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, (id_t)command, &info, WSTOPPED | WNOHANG | WNOWAIT) || !info.si_pid)
		return;
	/* A shell that continues the job wakes sooth perhaps a moment before the command. */
	poll(NULL, 0, WAKE_MS);
	info.si_pid = 0;
	if (waitid(P_PID, (id_t)command, &info, WSTOPPED | WNOHANG) || !info.si_pid)
		return;
	/* Without a shell that waits, a stopped command is one that hangs. */
	if (!is_foreground() || !has_shell())
		return;
	stop_like(info.si_status == SIGSTOP ? SIGSTOP : info.si_status);
	kill(command, SIGCONT);
}
