/* SPDX-License-Identifier: BSD-2-Clause */
/* Handles requests to stop. A second request kills the program. */
#include "cli/terminal/stop.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/units.h"

static volatile sig_atomic_t wanted;

static void note_signal(int number)
{
	wanted = 1;
	signal(number, SIG_DFL);
}

static void catch_signal(int number)
{
	/* Waits are interrupted (poll(2) is never restarted); a line that is being written is
	 * finished. */
	struct sigaction action = { .sa_handler = note_signal, .sa_flags = SA_RESTART };
	struct sigaction before;

	/* nohup and background shells ignore some signals on purpose. */
	if (!sigaction(number, NULL, &before) && before.sa_handler == SIG_IGN)
		return;
	sigaction(number, &action, NULL);
}

void stop_catch(void)
{
	catch_signal(SIGINT);
	catch_signal(SIGTERM);
	catch_signal(SIGHUP);
}

void stop_catch_quit(void)
{
	catch_signal(SIGQUIT);
}

bool stop_is_selected(void)
{
	return wanted;
}

/* --- settings --- */

static volatile sig_atomic_t reload_wanted;

static void note_hangup(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code == SI_USER || info->si_code == SI_QUEUE)
		reload_wanted = 1;
	else
		note_signal(number);
}

void reload_catch(void)
{
	struct sigaction action = { .sa_sigaction = note_hangup,
		.sa_flags = SA_RESTART | SA_SIGINFO };

	sigaction(SIGHUP, &action, NULL);
}

bool reload_was_requested(void)
{
	bool was_wanted = reload_wanted;

	reload_wanted = 0;
	return was_wanted;
}

/* --- a time limit --- */

/* Sets a time limit, as a last resort against a call of another library that cannot be interrupted:
 * when the time is over a signal handler ends the program with an error. Only one limit at a
 * time. */

static char message[1024];
static int exit_status;

static void give_up(int number)
{
	ssize_t written = write(STDERR_FILENO, message, strlen(message));

	(void)number;
	(void)written;
	_exit(exit_status);
}

void deadline_set(uint64_t after_ns, const struct sooth_error *err)
{
	struct sigaction action = { .sa_handler = give_up };
	struct itimerval timer = { .it_value = { (time_t)(after_ns / NS_PER_S),
					   (suseconds_t)(after_ns % NS_PER_S / NS_PER_US) } };

	snprintf(message, sizeof(message), "sooth: cannot %s\n  why: %s\n  try: %s\n", err->tried,
		err->why, err->remedy);
	exit_status = error_exit_status(err);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

void deadline_clear(void)
{
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
}
