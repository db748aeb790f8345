/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth ps: the agents of this host, or all its processes. */
#include "analyze/processes.h"
#include "base/units.h"
#include "cli/agent_list.h"
#include "cli/command.h"
#include "cli/run.h"

#define INTERVAL_NS (200 * NS_PER_MS) /* long enough for one decimal of a percent */

struct ps_config {
	struct target_options target;
	struct output_options output;
	struct {
		bool all;
		bool why;
		bool list_agents;
		uint64_t interval_ns;
	} ps;
};

static const struct option ps_options[] = {
	{ .letter = 'a',
		.name = "all",
		.type = OPTION_FLAG,
		.offset = offsetof(struct ps_config, ps.all),
		.help = "all processes, not only agents" },
	{ .letter = 'i',
		.name = "interval",
		.type = OPTION_DURATION,
		.argument = "TIME",
		.min = NS_PER_MS,
		.max = 3600 * NS_PER_S,
		.offset = offsetof(struct ps_config, ps.interval_ns),
		.help = "over which CPU is measured (200ms)" },
	{ .name = "why",
		.type = OPTION_FLAG,
		.offset = offsetof(struct ps_config, ps.why),
		.help = "which rule says that it is that agent" },
	{ .name = "list-agents",
		.type = OPTION_FLAG,
		.offset = offsetof(struct ps_config, ps.list_agents),
		.help = "the agents that are known, instead of processes" },
};

static const struct option_group groups[] = {
	OPTION_GROUP("Processes", ps_options, 0),
	TARGET_GROUP(struct ps_config, target),
	OUTPUT_GROUP(struct ps_config, output),
	FILE_GROUP(struct ps_config, output),
	SAVE_GROUP(struct ps_config, output),
};

static int run_ps(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct ps_config *c = config;
	struct processes_options options = {
		.only_agents = !c->ps.all,
		.show_rules = c->ps.why,
		.hide_ended = true,
	};
	struct run run = {
		.name = "ps",
		.target = &c->target,
		.output = &c->output,
		.arguments = arguments,
		.probes = { { "proc", SOOTH_SAMPLE } },
		.views = { { "processes", &options } },
		.allowed = TARGET_MAY_BE_HOST,
		.duration_ns = c->ps.interval_ns ? c->ps.interval_ns : INTERVAL_NS,
	};

	if (c->ps.list_agents)
		return agent_list_tell(&c->output, arguments, err);
	return run_report(&run, err);
}

const struct command command_ps = {
	.name = "ps",
	.summary = "the agents on this host",
	.usage = "[-a] [-j] [--why] [PID... | FILE.sooth]",
	.about = "Lists AI coding agents with CPU, memory, version and project. CPU is measured "
		 "over\n"
		 "a real interval, never averaged over a lifetime.",
	.examples = "  sooth ps                 the agents\n"
		    "  sooth ps -a -i 2         every process, CPU over two seconds\n"
		    "  sooth ps --why           and how each was recognised\n"
		    "  sooth ps -j 4711         one process as JSON\n",
	COMMAND_GROUPS(groups),
	.config_size = sizeof(struct ps_config),
	.run = run_ps,
};
