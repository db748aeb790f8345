/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth kill: end processes of agents, and only those that are meant. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/act/act.h"
#include "cli/terminal/ask.h"
#include "cli/command/command.h"
#include "cli/terminal/stop.h"

#define WAIT_NS	    (5 * NS_PER_S)
#define STILL_THERE 1 /* exit status */

struct kill_config {
	struct output_options output;
	struct {
		bool now, tree, orphans, abandoned, dry_run, ask, yes, any;
		const char *session;
		uint64_t wait_ns;
	} kill;
};

static const struct option kill_options[] = {
	{ .letter = '9',
		.type = OPTION_FLAG,
		.offset = offsetof(struct kill_config, kill.now),
		.help = "SIGKILL, which cannot be caught; else SIGTERM" },
	{ .letter = 't',
		.name = "tree",
		.type = OPTION_FLAG,
		.offset = offsetof(struct kill_config, kill.tree),
		.help = "and what they have started" },
	{ .name = "session",
		.type = OPTION_TEXT,
		.argument = "ID",
		.offset = offsetof(struct kill_config, kill.session),
		.help = "all of that session; its id, the beginning of it, or the main pid" },
	{ .name = "orphans",
		.type = OPTION_FLAG,
		.offset = offsetof(struct kill_config, kill.orphans),
		.help = "what sessions that are gone have left, and what that has started" },
	{ .name = "abandoned",
		.type = OPTION_FLAG,
		.offset = offsetof(struct kill_config, kill.abandoned),
		.help = "MCP servers that nobody can talk to, and what they have started" },
	{ .name = "dry-run",
		.type = OPTION_FLAG,
		.offset = offsetof(struct kill_config, kill.dry_run),
		.help = "only say who would be ended, and of whom that is not allowed" },
	{ .name = "ask",
		.type = OPTION_FLAG,
		.offset = offsetof(struct kill_config, kill.ask),
		.help = "show them and ask first, also those that were named" },
	{ .letter = 'y',
		.name = "yes",
		.type = OPTION_FLAG,
		.offset = offsetof(struct kill_config, kill.yes),
		.help = "do not ask" },
	{ .name = "any",
		.type = OPTION_FLAG,
		.offset = offsetof(struct kill_config, kill.any),
		.help = "also processes that are no agent's" },
	{ .name = "wait",
		.type = OPTION_DURATION,
		.argument = "TIME",
		.min = NS_PER_MS,
		.max = 3600 * NS_PER_S,
		.offset = offsetof(struct kill_config, kill.wait_ns),
		.help = "how long to wait for their end (5)" },
};

static const struct option_group groups[] = {
	OPTION_GROUP("Processes", kill_options, 0),
	OUTPUT_GROUP(struct kill_config, output),
	FILE_GROUP(struct kill_config, output),
};

static const struct option_rule rules[] = {
	{ OPTION_NEVER, "filter", NULL, "it chooses rows of a report, and not who is ended",
		"name them: sooth kill PID...; --dry-run shows who is meant" },
	{ OPTION_PER_PROCESS, "ask", "yes", "one asks, and the other says not to", NULL },
	{ OPTION_PER_PROCESS, "ask", "dry-run", "nobody is ended, so nothing is asked", NULL },
	{ OPTION_PER_PROCESS, "wait", "dry-run", "nobody is ended, so nobody is waited for", NULL },
};

/* Who is meant, of the look that was just taken. */
static int mean(const struct kill_config *c, const struct arguments *arguments, struct act *a,
	struct sooth_error *err)
{
	int status = act_mean_pids(a, arguments, err);

	if (!status && c->kill.session)
		status = act_mean_session(a, c->kill.session, err);
	if (status)
		return status;
	if (c->kill.orphans)
		act_mean_verdict(a, VERDICT_ORPHANED);
	if (c->kill.abandoned)
		act_mean_verdict(a, VERDICT_ABANDONED);
	while (act_mean_others(a))
		;
	act_sort(a);
	return 0;
}

static int check(
	const struct kill_config *c, const struct arguments *arguments, struct sooth_error *err)
{
	int kinds = (arguments->count > 0) + (c->kill.session != NULL) + c->kill.orphans +
		    c->kill.abandoned;

	if (kinds == 1 && !arguments->command)
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "%s",
		kinds ? "end several kinds of things at once" : "end nothing in particular");
	error_why(err, "one of PID, --session, --orphans, --abandoned says who is meant");
	return error_remedy(err, "sooth kill PID; `sooth ps` lists them");
}

static void emit_progress(void *user, size_t left)
{
	(void)user;
	fprintf(stderr, "waiting for %zu to end\n", left);
}

static int refuse_unasked(struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "end these without a word from you");
	error_why(err, "there is no terminal to ask on");
	return error_remedy(err, "give --yes, or --dry-run to see who is meant");
}

static size_t count_targeted(const struct act *a)
{
	size_t count = 0;

	for (size_t i = 0; i < act_count(a); i++)
		count += act_at(a, i)->outcome == ACT_TARGETED;
	return count;
}

/* What was chosen by a judgement, or is more than was named, is shown and asked about. */
static int agree(
	const struct kill_config *c, struct act *a, bool *is_selected, struct sooth_error *err)
{
	bool by_verdict = c->kill.orphans || c->kill.abandoned;
	int status;

	*is_selected = true;
	if (!(by_verdict || c->kill.ask) || c->kill.yes || !count_targeted(a))
		return 0;
	if (!ask_is_answered())
		return refuse_unasked(err);
	act_list(a, stderr);
	*is_selected = ask_yes("end these?");
	if (!*is_selected)
		return 0;
	status = act_look(a, err);
	if (!status)
		act_recheck(a, c->kill.orphans ? VERDICT_ORPHANED : VERDICT_ABANDONED, by_verdict);
	return status;
}

static int end_with(const struct kill_config *c, struct act *a, int signal, struct sooth_error *err)
{
	static const struct act_progress progress = { .tell = emit_progress };

	stop_catch(); /* some may stand stopped for a moment: they are let go first */
	return act_end(a, signal, c->kill.wait_ns ? c->kill.wait_ns : WAIT_NS,
		ask_is_seen() ? &progress : NULL, err);
}

static int end_all(const struct kill_config *c, struct act *a, struct sooth_error *err)
{
	int status = end_with(c, a, c->kill.now ? SIGKILL : SIGTERM, err);

	if (status || c->kill.now || act_exit(a) != STILL_THERE)
		return status;
	if (ask_is_answered() && ask_is_seen() && !c->kill.yes && !stop_is_selected()) {
		act_list(a, stderr);
		if (ask_yes("still there; end them by SIGKILL?"))
			return end_with(c, a, SIGKILL, err);
	}
	return 0;
}

static int kill_targeted(const struct kill_config *c, struct act *a, struct sooth_error *err)
{
	bool is_selected = true;
	int status = 0;

	if (c->kill.dry_run)
		act_would_end(a);
	else
		status = agree(c, a, &is_selected, err);
	if (!status && is_selected && !c->kill.dry_run)
		status = end_all(c, a, err);
	if (!status)
		status = act_emit("kill", &c->output, a, err);
	if (status)
		return status;
	status = act_exit(a);
	if (status == STILL_THERE && !c->kill.now)
		fprintf(stderr, "sooth: some are still there; -9 ends them without asking\n");
	return status;
}

static int run_kill(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct kill_config *c = config;
	struct act a;
	int status = check(c, arguments, err);

	if (status)
		return status;
	act_init(&a, &os_native);
	a.may_be_any = c->kill.any;
	if (c->kill.session)
		a.reach = ACT_SESSION;
	else if (c->kill.tree || c->kill.orphans || c->kill.abandoned)
		a.reach = ACT_TREE;
	a.is_whole = arguments->count > 0;
	status = act_look(&a, err);
	if (!status)
		status = mean(c, arguments, &a, err);
	if (!status)
		status = kill_targeted(c, &a, err);
	act_fini(&a);
	return status;
}

const struct command command_kill = {
	.name = "kill",
	.summary = "end processes of agents",
	.usage = "[-9] [-t] PID... | --session ID | --orphans | --abandoned",
	.about =
		"Ends exactly the processes named: each is looked at again and held before it is\n"
		"signalled, so that a number given anew hits nobody; PID@START, with the start in\n"
		"clock ticks after boot, names one for good. What is no agent's is refused\n"
		"without --any; process 1, sooth, what it was started from and threads of the\n"
		"kernel always are. Of a session, and below orphans, what was made to stay (a\n"
		"daemon) is left, and so is a window in which somebody works.\n"
		"Exit status: 1 when some are still there, 2 when some were refused, 3 when the\n"
		"system did not allow it.",
	.examples = "  sooth kill 4711                     ask it to end, wait five seconds\n"
		    "  sooth kill --session 4f1c -9        all of a session, at once\n"
		    "  sooth kill --orphans --dry-run      what is left over\n"
		    "  sooth kill --abandoned --yes        from a script\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct kill_config),
	.run = run_kill,
};
