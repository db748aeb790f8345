/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of signals. */
#include "cli/act/act_signals.h"

#include <signal.h>
#include <string.h>

#include "base/cleanup.h"

const struct act_signal act_signals[] = {
	{ "TERM", SIGTERM, "end: the process may clean up" },
	{ "INT", SIGINT, "interrupt, as Ctrl-C" },
	{ "HUP", SIGHUP, "its terminal is closed" },
	{ "QUIT", SIGQUIT, "end with a core file, as Ctrl-\\" },
	{ "ABRT", SIGABRT, "end with a core file" },
	{ "KILL", SIGKILL, "end at once: it cannot clean up" },
};
const size_t act_signal_count = ARRAY_SIZE(act_signals);

size_t act_signal_default(void)
{
	return 0;
}

const char *act_signal_name(size_t index)
{
	return index < ARRAY_SIZE(act_signals) ? act_signals[index].name : NULL;
}

int act_signal_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(act_signals); i++) {
		if (!strcmp(act_signals[i].name, name))
			return act_signals[i].number;
	}
	return 0;
}
