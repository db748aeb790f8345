/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to stop. A second one kills the program. */
#include "cli/terminal/stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t wanted;

static void note(int number)
{
	wanted = 1;
	signal(number, SIG_DFL);
}

void stop_catch(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		/* Waits are interrupted (poll(2) is never restarted); a line that is being
		 * written is finished. */
		struct sigaction action = { .sa_handler = note, .sa_flags = SA_RESTART };
		struct sigaction before;

		/* nohup and background shells ignore some on purpose. */
		if (!sigaction(numbers[i], NULL, &before) && before.sa_handler == SIG_IGN)
			continue;
		sigaction(numbers[i], &action, NULL);
	}
}

bool stop_is_selected(void)
{
	return wanted;
}
