/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth report: everything a capture holds, each probe in its default view. */
#include <errno.h>

#include "cli/command.h"
#include "cli/run.h"

struct report_config {
	struct target_options target; /* which processes of the capture */
	struct output_options output;
};

static const struct option_group groups[] = {
	TARGET_GROUP(struct report_config, target),
	OUTPUT_GROUP(struct report_config, output),
	FILE_GROUP(struct report_config, output),
};

static int run_report_command(
	void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct report_config *c = config;
	struct run run = {
		.name = "report",
		.target = &c->target,
		.output = &c->output,
		.arguments = arguments,
		.default_views = true,
	};

	if (arguments->count != 1 || arguments->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "report without a capture");
		error_why(err, "a report explains one file");
		return error_remedy(err, "give one file that `sooth record` or --save wrote");
	}
	return run_report(&run, err);
}

const struct command command_report = {
	.name = "report",
	.summary = "explain a capture",
	.usage = "FILE.sooth [-p PID] [-j] [-o FILE]",
	.about = "Shows each probe in the capture in its default view.",
	.examples = "  sooth report build.sooth\n  sooth report -j - < build.sooth\n",
	COMMAND_GROUPS(groups),
	.config_size = sizeof(struct report_config),
	.run = run_report_command,
};
