/* SPDX-License-Identifier: BSD-2-Clause */
/* claude-monitor: the daemon and its FIFOs. Not implemented: every use is an error that says so. */
#include <errno.h>
#include <stdio.h>

#include "cli/command/command.h"
#include "cli/command/compat.h"

static void print_help(const char *name)
{
	printf("%s - a daemon that watches agents, with FIFOs to read from (sooth)\n\nNot "
	       "implemented in this version. Until then\n`sooth trace --all --io --network "
	       "--process --memory --interval 5` prints the same\nwhile it runs.\n\n  -h, --help   "
	       "                this help\n  -V, --version                the version\n",
		name);
}

static int run_claude_monitor(const char *name, int argc, char **argv, struct sooth_error *err)
{
	if (argc > 1 && compat_answer(compat_requested_by(argv[1]), name, print_help))
		return 0;
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "run as a daemon that writes FIFOs");
	error_why(err, "this version of sooth has no daemon");
	return error_remedy(
		err, "sooth trace --all --io --network --process --memory --interval 5");
}

const struct compat compat_claude_monitor = { run_claude_monitor };
