/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth why: what a process waits for, and which process could end that. */
#include "analyze/waits/waits.h"
#include "base/units.h"
#include "cli/command/command.h"
#include "cli/run.h"

#define INTERVAL_NS (200 * NS_PER_MS) /* the CPU of processes that run is measured over it */

struct why_config {
	struct target_options target;
	struct output_options output;
	struct {
		uint64_t interval_ns;
	} why;
};

static const struct option why_options[] = {
	{ .letter = 'i',
		.name = "interval",
		.type = OPTION_DURATION,
		.argument = "TIME",
		.min = NS_PER_MS,
		.max = 3600 * NS_PER_S,
		.offset = offsetof(struct why_config, why.interval_ns),
		.help = "time over which CPU is measured (200ms)" },
};

static const struct option_group groups[] = {
	OPTION_GROUP("Why", why_options, 0),
	TARGET_GROUP(struct why_config, target),
	OUTPUT_GROUP(struct why_config, output),
	FILE_GROUP(struct why_config, output),
	SAVE_GROUP(struct why_config, output),
};

static const struct option_rule rules[] = {
	OPTION_OVER("interval"),
};

static int run_why(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct why_config *c = config;
	struct waits_options options = { .with_threads = c->output.verbose };
	struct run run = {
		.name = "why",
		.target = &c->target,
		.output = &c->output,
		.arguments = arguments,
		.probes = { { "waits", SOOTH_SAMPLE } },
		.views = { { "waits", &options } },
		.duration_ns = c->why.interval_ns ? c->why.interval_ns : INTERVAL_NS,
	};

	return run_report(&run, err);
}

const struct command command_why = {
	.name = "why",
	.summary = "what a process waits for, and which process could end that",
	.usage = "[-v] [-j] [PID|NAME|SESSION]... | FILE.sooth",
	.about = "Says what a process waits for, in one paragraph: the call that it is in, how "
		 "long, and\nthe process that could end the wait; then what that one waits for, to "
		 "the end of the\nchain. Needs no privilege for your own processes. Nothing is "
		 "attached or stopped.",
	.examples =
		"  sooth why 4711                     one process\n"
		"  sooth why -v psql                  every process of that name, with threads\n"
		"  sooth why -j 4711                  the chain as JSON\n"
		"  sooth why 4711 --save now.sooth    the same, and keep it\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct why_config),
	.run = run_why,
};
