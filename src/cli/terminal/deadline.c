/* SPDX-License-Identifier: BSD-2-Clause */
/* See deadline.h. What the handler needs is made before. */
#include "cli/terminal/deadline.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/units.h"

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
