/* SPDX-License-Identifier: BSD-2-Clause */
/* trace-claude: traces by a menu; with a PID, traces all calls of that process. */
#include <errno.h>
#include <stdio.h>

#include "base/units.h"
#include "cli/command/command.h"
#include "cli/command/compat.h"
#include "cli/tracing_menu.h"

static void print_help(const char *name)
{
	printf("%s - trace the system calls of an agent (sooth)\n\nUsage: %s [PID]\n\nWithout a "
	       "PID it shows a menu of agents and of what to trace. `sooth trace` does the\nsame "
	       "by options.\n\n  -h, --help                   this help\n  -V, --version           "
	       "     the version\n",
		name, name);
}

static int refuse_word(const char *name, const char *word, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand \"%s\"", word);
	error_why(err, "%s takes only a PID", name);
	return error_remedy(err, "for more options: sooth trace -p PID");
}

static int refuse_without_terminal(const char *name, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "ask which processes to trace");
	error_why(err, "there is no terminal on which sooth could ask");
	return error_remedy(err, "%s PID, or sooth trace -p PID", name);
}

static int run_trace_claude(const char *name, int argc, char **argv, struct sooth_error *err)
{
	char *words[] = { (char *)"trace", (char *)"-p", NULL, NULL };
	uint64_t pid;

	if (argc > 1 && compat_answer(compat_requested_by(argv[1]), name, print_help))
		return 0;
	if (argc > 2 || (argc == 2 && !parse_u64(argv[1], &pid)))
		return refuse_word(name, argv[argc - 1], err);
	if (argc == 2) {
		words[2] = argv[1];
		return command_main(command_find("trace"), 3, words);
	}
	if (!tracing_menu_can_ask())
		return refuse_without_terminal(name, err);
	return tracing_menu_run(err);
}

const struct compat compat_trace_claude = { run_trace_claude };
