/* SPDX-License-Identifier: BSD-2-Clause */
/* claude-monitor: the daemon and its FIFOs. It is not here yet, and says so, whatever it is asked.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/compat.h"

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

static int run_claude_monitor(const char *name, int argc, char **argv)
{
	struct sooth_error err = { 0 };

	if (argc > 1 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
		print_help(name);
		return 0;
	}
	if (argc > 1 && (!strcmp(argv[1], "-V") || !strcmp(argv[1], "--version"))) {
		printf("%s (sooth) %s\n", name, SOOTH_VERSION);
		return 0;
	}
	error_set(
		&err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "monitor from now on, or write FIFOs");
	error_why(&err, "the daemon is not part of this version");
	error_remedy(&err, "sooth trace --all --io --network --process --memory --interval 5");
	command_print_error(&err);
	return error_exit_status(&err);
}

const struct compat compat_claude_monitor = { run_claude_monitor };
