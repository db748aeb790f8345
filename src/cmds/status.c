/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth status: agents, whom they talk to, and the host they run on, in one report. */
#include "analyze/sockets/connections.h"
#include "analyze/processes/processes.h"
#include "analyze/processes/traced.h"
#include "base/units.h"
#include "cli/command/command.h"
#include "cli/agents/labels.h"
#include "cli/run.h"
#include "cli/agents/user_agents.h"

#define INTERVAL_NS (200 * NS_PER_MS) /* long enough for one decimal of a percent */

struct status_config {
	struct target_options target;
	struct output_options output;
	struct {
		const char *agent;
		uint64_t interval_ns;
	} status;
};

static const struct option status_options[] = {
	{ .name = "agent",
		.type = OPTION_TEXT,
		.argument = "NAME",
		.offset = offsetof(struct status_config, status.agent),
		.help = "only this agent's, by its name in `sooth ps --list-agents`" },
	{ .letter = 'i',
		.name = "interval",
		.type = OPTION_DURATION,
		.argument = "TIME",
		.min = NS_PER_MS,
		.max = 3600 * NS_PER_S,
		.offset = offsetof(struct status_config, status.interval_ns),
		.help = "over which CPU is measured (200ms)" },
};

static const struct option_group groups[] = {
	OPTION_GROUP("Status", status_options, 0),
	PART_GROUP(struct status_config, target.part),
	OUTPUT_GROUP(struct status_config, output),
	FILE_GROUP(struct status_config, output),
	SAVE_GROUP(struct status_config, output),
};

static const struct option_rule rules[] = {
	OPTION_OVER("interval"),
};

static int run_status(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct status_config *c = config;
	struct labels labels = { 0 };
	struct processes_options processes = {
		.shown = PROCESSES_AGENTS, .hide_ended = true, .agent = c->status.agent
	};
	struct connections_options connections = { .agent = c->status.agent };
	struct traced_options traced = { .agent = c->status.agent };
	struct run run = {
		.name = "status",
		.target = &c->target,
		.output = &c->output,
		.arguments = arguments,
		.probes = { { "proc", SOOTH_SAMPLE | SOOTH_BRIEF },
			{ "sockets", SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_DETAIL },
			{ "host", SOOTH_SAMPLE } },
		.views = { { "processes", &processes }, { "connections", &connections },
			{ "host", NULL }, { "traced", &traced } },
		.allowed = TARGET_MAY_BE_HOST,
		.duration_ns = c->status.interval_ns ? c->status.interval_ns : INTERVAL_NS,
		.looks_for_programs = true,
	};
	/* A capture knows the agents it was made with. */
	bool is_checked = c->status.agent && !target_capture(arguments);
	int status = is_checked ? user_agents_check_name(c->status.agent, err) : 0;

	if (!status)
		status = labels_read(&labels, err);
	labels_options(&labels, &connections.labels);
	if (!status)
		status = run_report(&run, err);
	labels_fini(&labels);
	return status;
}

const struct command command_status = {
	.name = "status",
	.summary = "the agents, their connections and the host, in one report",
	.usage = "[-j] [--agent NAME] [FILE.sooth] [--from TIME] [--to TIME]",
	.about = "Tells which agents run, whom they talk to, how the host is, and which tracers\n"
		 "it has, with the privilege that each needs. No tracer is run.",
	.examples = "  sooth status                     how things are\n"
		    "  sooth status --save now.sooth    the same, and keep it\n"
		    "  sooth status now.sooth           what it was then\n"
		    "  sooth status -j --agent claude   one agent's, as JSON\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct status_config),
	.run = run_status,
};
