/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth why: shows what a process waits for, and which process could end the wait. */
#include <errno.h>
#include <unistd.h>

#include "analyze/answer/first_answers.h"
#include "analyze/diagnosis/diagnosis_options.h"
#include "analyze/stacks/stacks.h"
#include "analyze/waits/wait_decided.h"
#include "analyze/waits/waits.h"
#include "base/units.h"
#include "cli/selected/process_table_scan.h"
#include "cli/command/command.h"
#include "cli/diagnosing.h"
#include "cli/run.h"

#define TARGETS	    (TARGET_MAY_BE_HOST | TARGET_IS_HOST)
#define INTERVAL_NS (200 * NS_PER_MS) /* over which the CPU of running processes is measured */
#define ONCE	    (SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_EDGES | SOOTH_ONCE)

struct why_config {
	struct target_options target;
	struct output_options output;
	struct {
		uint64_t interval_ns;
	} why;
};

static const struct option why_options[] = {
	VALUE_ROW('i', "interval", DURATION, "TIME", why_config, why.interval_ns,
		"time over which CPU is measured (200ms, where the answer depends on it)",
		.min = NS_PER_MS, .max = 3600 * NS_PER_S),
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

/* Selects processes if no target is given: the main processes of the caller's agents, or of all
 * agents for root. A daemon that has the connection to the model belongs to its session; with `of`,
 * only that session. */
static bool is_selected(const struct process_entry *p, uint32_t of)
{
	bool is_worker = process_table_is_worker(p);
	const struct process_entry *main = is_worker ? p->main : p;

	if (of)
		return is_worker && main->id.pid == of;
	return main->link == PROCESS_LINK_SELF && (!getuid() || main->process->uid == getuid());
}

static int find_sessions(struct target_found *found, uint32_t of, struct sooth_error *err)
{
	struct process_table table;
	int status = process_table_scan(&table, err);

	found->is_searched |= !of;
	process_table_for_each (&table, p) {
		uint32_t pid = p->id.pid;

		if (!is_selected(p, of))
			continue;
		buffer_append(&found->pids, &pid, sizeof(pid));
		found->is_searched = true;
	}
	process_table_fini(&table);
	return status;
}

static int find_target(const struct why_config *c, const struct arguments *arguments,
	bool is_of_agents, struct target_found *found, struct sooth_error *err)
{
	int status = target_find(&c->target, arguments, TARGETS, found, err);

	if (status || (!is_of_agents && (found->capture || target_found_count(found) != 1)))
		return status;
	return find_sessions(found, is_of_agents ? 0 : *target_found_pids(found), err);
}

static const char *why_no_agents(void)
{
	return getuid() ? "no agents of this user are running; to explain another process: sooth "
			  "why PID"
			: "no agents are running; to explain another process: sooth why PID";
}

/* Reduces the run to one sample, unless a second sample could change the answer or the user set an
 * interval. */
static void sample_once(struct run *run, struct wait_decided *decided)
{
	for (size_t i = 0; run->probes[i].name; i++)
		run->probes[i].interest |= SOOTH_ONCE;
	run->observer.sample_ns = decided->interval_ns;
	run->options.duration_ns = 1;
	run->extension = (struct run_extension){
		.take = wait_decided_add_record, .more_ns = wait_decided_more, .user = decided
	};
}

static int run_why(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct why_config *c = config;
	bool is_of_agents = !target_is_given(&c->target, arguments) && !target_capture(arguments);
	struct waits_options options = { .with_threads = c->output.verbose,
		.if_empty = is_of_agents ? why_no_agents() : NULL };
	struct stacks_options stacks = { .first_only = true };
	struct target_found found = { 0 };
	struct wait_decided decided = { .interval_ns = INTERVAL_NS };
	struct check_settings settings;
	struct run run = {
		.name = "why",
		.target = &c->target,
		.output = &c->output,
		.arguments = arguments,
		.found = &found,
		.probes = { { "waits", SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_DETAIL },
			{ "proc", SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_TRANSCRIPT },
			{ "sockets", SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_DETAIL } },
		.views = { { "waits", &options } },
		.allowed = TARGETS,
		.options.duration_ns = c->why.interval_ns ? c->why.interval_ns : INTERVAL_NS,
	};
	int status = find_target(c, arguments, is_of_agents, &found, err);

	/* For a user, or for all, every process is read; otherwise only the selected ones. */
	if (found.is_host || found.has_user) {
		run.probes[0].interest = SOOTH_SAMPLE;
		run.allowed = 0;
	} else if (c->output.verbose) {
		run.probes[3] = (struct run_probe){ "stacks", ONCE };
		run.views[1] = (struct run_view){ "stacks", &stacks };
	}
	host_state_init(&decided.host);
	if (run.allowed && !c->why.interval_ns && !target_capture(arguments))
		sample_once(&run, &decided);
	options.answers = diagnosing_first_answers(&settings);
	if (!status)
		status = run_report(&run, err);
	first_answers_free(options.answers);
	host_state_fini(&decided.host);
	target_found_fini(&found);
	return status;
}

const struct command command_why = {
	.main_options = "interval,all,user,session,json,verbose,save",
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
		"  sooth why -a                       what waits on this host, on one screen\n"
		"  sooth why -j 4711                  the chain as JSON\n"
		"  sooth why 4711 --save now.sooth    the same, and keep it\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct why_config),
	.run = run_why,
};
