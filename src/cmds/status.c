/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth status: shows agents, their connections, and the host in one report. */
#include "analyze/sockets/connections.h"
#include "analyze/processes/processes.h"
#include "analyze/processes/traced.h"
#include "base/units.h"
#include "cli/command/command.h"
#include "cli/config/labels.h"
#include "cli/run.h"
#include "cli/user_agents/user_agents.h"

#define INTERVAL_NS (200 * NS_PER_MS) /* enough for one decimal of a percent */
#define TARGETS	    (TARGET_MAY_BE_HOST | TARGET_IS_HOST | TARGET_SELECTS_ROWS)

struct status_config {
	struct target_options target;
	struct output_options output;
	struct {
		uint64_t interval_ns;
	} status;
};

static const struct option status_options[] = {
	VALUE_ROW('i', "interval", DURATION, "TIME", status_config, status.interval_ns,
		"time over which CPU use is measured (default: 200ms)", .min = NS_PER_MS,
		.max = 3600 * NS_PER_S),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Status", status_options, 0),
	TARGET_GROUP(struct status_config, target),
	OUTPUT_GROUP(struct status_config, output),
	FILE_GROUP(struct status_config, output),
	SAVE_GROUP(struct status_config, output),
};

static const struct option_rule rules[] = {
	OPTION_OVER("interval"),
};

/* Returns the agent, if it is the only target: it is shown even if it does not run. */
static const char *only_agent(const struct target_options *t, const struct arguments *a)
{
	bool is_alone = t->agents.count == 1 && !t->pids.count && !t->sessions.count &&
			!t->control_group && !t->containers.count &&
			a->count == (target_capture(a) != NULL);

	return is_alone ? t->agents.items[0] : NULL;
}

/* Finds the target. The views select an agent that is the only target; other targets become
 * PIDs. */
static int find_target(const struct status_config *c, const struct arguments *arguments,
	const char *agent, struct target_found *found, struct sooth_error *err)
{
	struct target_options target = c->target;
	int status = 0;

	/* A capture knows the agents it was made with. */
	if (agent && !target_capture(arguments))
		status = user_agents_check_name(agent, err);
	if (agent)
		target.agents.count = 0;
	return status ? status : target_find(&target, arguments, TARGETS, found, err);
}

static int run_status(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct status_config *c = config;
	const char *agent = only_agent(&c->target, arguments);
	struct target_found found = { 0 };
	int status = find_target(c, arguments, agent, &found, err);
	const struct process_choice choice = { .agent = agent,
		.pids = target_found_pids(&found),
		.pid_count = target_found_count(&found),
		.has_uid = found.has_user,
		.uid = found.user };
	struct labels labels = { 0 };
	struct processes_options processes = { .shown = c->target.all ? PROCESSES_ALL
								      : PROCESSES_AGENTS,
		.hide_ended = true,
		.hides_sessions = true,
		.agent = agent,
		.pids = choice.pids,
		.pid_count = choice.pid_count,
		.adds_children = found.is_searched,
		.may_lack_pids = found.is_searched,
		.has_uid = choice.has_uid,
		.uid = choice.uid };
	struct connections_options connections = { .choice = choice };
	struct traced_options traced = { .choice = choice };
	struct target_found whole = { .capture = found.capture };
	struct run run = {
		.name = "status",
		.target = &c->target,
		.output = &c->output,
		.arguments = arguments,
		.found = found.capture ? &whole : &found,
		.probes = { { "proc", SOOTH_SAMPLE | SOOTH_TRANSCRIPT |
					      (c->target.all ? 0 : SOOTH_BRIEF) },
			{ "sockets", SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_DETAIL },
			{ "waits", SOOTH_SAMPLE | SOOTH_BRIEF }, { "host", SOOTH_SAMPLE } },
		.views = { { "processes", &processes }, { "connections", &connections },
			{ "host", NULL }, { "traced", &traced } },
		.allowed = TARGETS,
		.options.duration_ns = c->status.interval_ns ? c->status.interval_ns : INTERVAL_NS,
		.looks_for_programs = true,
	};

	if (!status)
		status = labels_read(&labels, err);
	labels_options(&labels, &connections.labels);
	if (!status)
		status = run_report(&run, err);
	labels_fini(&labels);
	target_found_fini(&found);
	return status;
}

const struct command command_status = {
	.main_options = "interval,all,user,json,filter,verbose,save",
	.name = "status",
	.summary = "agents, their connections and the host, in one report",
	.usage = "[-j] [--agent NAME] [PID|NAME...] [FILE.sooth]",
	.about = "Shows which agents run, their connections, the state of the host, and the "
		 "tracing tools that\nit has, with the privilege that each tool needs. No tool is "
		 "run.",
	.examples = "  sooth status                     the state now\n  sooth status --save "
		    "now.sooth    the same, and keep it\n  sooth status now.sooth           the "
		    "state then\n  sooth status -j --agent claude   one agent, as JSON\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct status_config),
	.run = run_status,
};
