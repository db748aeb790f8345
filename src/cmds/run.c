/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth run: runs a command and says why it failed, hung or was killed. */
#include <errno.h>

#include "base/units.h"
#include "cli/command/command.h"
#include "cli/supervise/outcome.h"
#include "cli/supervise/supervise.h"

#define OWN_ERROR     125 /* exit status, as of env(1) and timeout(1) */
#define KILL_AFTER_NS (10 * NS_PER_S)

struct run_config {
	struct {
		uint64_t limit_ns, kill_after_ns;
		const char *json;
		bool errors;
	} run;
};

static const struct run_config defaults = { .run.kill_after_ns = KILL_AFTER_NS };

static const struct option run_options[] = {
	VALUE_ROW('t', "timeout", DURATION, "TIME", run_config, run.limit_ns,
		"time limit: then SIGTERM to the command and all its descendants, exit status 124",
		.min = NS_PER_MS, .max = 366 * 86400 * NS_PER_S),
	VALUE_ROW(0, "kill-after", DURATION, "TIME", run_config, run.kill_after_ns,
		"time from SIGTERM to SIGKILL (10s)", .min = NS_PER_MS, .max = 86400 * NS_PER_S),
	VALUE_ROW(0, "json", FILE, "FILE", run_config, run.json,
		"also write the result as JSON to FILE"),
	FLAG_ROW(0, "errors", run_config, run.errors,
		"also read the errors that it prints to a terminal or pipe: as root, 0.1 s slower "
		"to start, and each write takes longer"),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Run", run_options, 0),
};

static const struct option_rule rules[] = {
	{ OPTION_NEEDS, "kill-after", "timeout", "SIGKILL follows only after a time limit", NULL },
};

static int run_run(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	const struct run_config *c = config;
	struct supervise_options options = { .command = arguments->command,
		.limit_ns = c->run.limit_ns,
		.kill_after_ns = c->run.kill_after_ns,
		.reads_errors = c->run.errors,
		.json = c->run.json };

	if (arguments->count || !arguments->command || !arguments->command[0]) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "run %s",
			arguments->count ? arguments->items[0] : "a command");
		error_why(err, "the command stands after --");
		return error_remedy(err, "sooth run -- COMMAND [ARG...]");
	}
	return supervise_run(&options, err);
}

const struct command command_run = {
	.tables = outcome_tables,
	.main_options = "timeout,kill-after,json,errors",
	.name = "run",
	.summary = "run a command, and say why it failed, hung or was killed",
	.usage = "[-t TIME] [--json FILE] -- COMMAND [ARG...]",
	.about = "Runs the command with its terminal, streams and environment untouched, and\n"
		 "passes its exit status through: 128+N after signal N, 126 or 127 if it cannot\n"
		 "be run, 125 for errors of sooth. A command that succeeds prints nothing of\n"
		 "sooth. Otherwise one paragraph says what ended it, what it waited for, and\n"
		 "what it left running. After the time limit sooth ends only the command and its\n"
		 "descendants. In GitHub Actions the paragraph is an annotation too.",
	.examples = "  sooth run -- make check             say why it failed\n"
		    "  sooth run -t 10m -- npm test        end it after ten minutes, say why\n"
		    "  sooth run --json end.json -- make   the same as JSON, for a script\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.defaults = &defaults,
	.own_error = OWN_ERROR,
	.config_size = sizeof(struct run_config),
	.run = run_run,
};
