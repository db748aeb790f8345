/* SPDX-License-Identifier: BSD-2-Clause */
/* A screen, standard error and the bell. */
#include "cli/watch/alert_line.h"

#include <stdio.h>
#include <unistd.h>

void alert_line(struct alerts *a, const char *text)
{
	if (a->say)
		a->say(a->said_to, text);
	else
		fprintf(stderr, "sooth: %s\n", text);
}

void alert_bell(void)
{
	if (isatty(STDERR_FILENO))
		fputc('\a', stderr);
}
