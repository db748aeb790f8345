/* SPDX-License-Identifier: BSD-2-Clause */
/* claude-monitor: the daemon and its FIFOs. It is not here yet, and says so, whatever it is asked.
 */
#include <errno.h>
#include <stdio.h>

#include "cli/command/command.h"
#include "cli/command/compat.h"

static void print_help(const char *name)
{
	printf("%s - a daemon that watches agents, with FIFOs to read from (sooth)\n\n"
	       "It comes with `sooth monitor`, which this version does not have. Until then\n"
	       "`sooth trace --all --io --network --process --memory --interval 5` tells the same\n"
	       "while it runs.\n\n"
	       "  -h, --help                   this\n"
	       "  -V, --version                the version\n",
		name);
}

static int run_claude_monitor(const char *name, int argc, char **argv, struct sooth_error *err)
{
	if (argc > 1 && compat_answer(compat_requested_by(argv[1]), name, print_help))
		return 0;
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "monitor from now on, or write FIFOs");
	error_why(err, "the daemon is not part of this version");
	return error_remedy(
		err, "sooth trace --all --io --network --process --memory --interval 5");
}

const struct compat compat_claude_monitor = { run_claude_monitor };
