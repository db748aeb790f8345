/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth kill: ends processes of agents, and only the selected ones. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/units.h"
#include "cli/act/act_signals.h"
#include "cli/act/act_targets.h"
#include "cli/command/command.h"
#include "cli/terminal/ask.h"
#include "cli/terminal/stop.h"

#define WAIT_NS	    (5 * NS_PER_S)
#define STILL_THERE 1 /* exit status */

struct kill_config {
	struct target_options target;
	struct output_options output;
	struct {
		bool now, tree, orphans, abandoned, dry_run, ask, yes, any;
		const char *signal;
		uint64_t wait_ns;
	} kill;
};

static const struct option kill_options[] = {
	FLAG_ROW('9', NULL, kill_config, kill.now, "SIGKILL instead of SIGTERM"),
	VALUE_ROW('s', "signal", CHOICE, "NAME", kill_config, kill.signal,
		"signal instead of TERM: INT, HUP, QUIT, ABRT, KILL", .choice = act_signal_name),
	FLAG_ROW('t', "tree", kill_config, kill.tree,
		"also end the descendants of the selected processes"),
	FLAG_ROW(0, "orphans", kill_config, kill.orphans,
		"end processes left behind by ended sessions, and their descendants"),
	FLAG_ROW(0, "abandoned", kill_config, kill.abandoned,
		"end MCP servers without a client, and their descendants"),
	FLAG_ROW(0, "dry-run", kill_config, kill.dry_run,
		"only list the processes, and which of them would be refused"),
	FLAG_ROW(0, "ask", kill_config, kill.ask, "list the processes and ask before ending them"),
	FLAG_ROW('y', "yes", kill_config, kill.yes, "never ask"),
	FLAG_ROW(0, "any", kill_config, kill.any, "also accept processes that belong to no agent"),
	VALUE_ROW(0, "wait", DURATION, "TIME", kill_config, kill.wait_ns,
		"time to wait for the processes to exit (default: 5s)", .min = NS_PER_MS,
		.max = 3600 * NS_PER_S),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Processes", kill_options, 0),
	TARGET_LIVE_GROUP(struct kill_config, target),
	OUTPUT_GROUP(struct kill_config, output),
	FILE_GROUP(struct kill_config, output),
};

static const struct option_rule rules[] = {
	{ OPTION_NEVER, "filter", NULL, "--filter selects rows of a report, not processes to kill",
		"give PIDs: sooth kill PID...; --dry-run lists the processes" },
	ACT_NEVER_ALL("end"),
	{ OPTION_PER_PROCESS, "9", "signal", "-9 is --signal KILL", NULL },
	{ OPTION_PER_PROCESS, "ask", "yes", "--ask asks for confirmation and --yes skips it",
		NULL },
	{ OPTION_PER_PROCESS, "ask", "dry-run",
		"--dry-run kills nothing, so there is nothing to ask", NULL },
	{ OPTION_PER_PROCESS, "wait", "dry-run",
		"--dry-run kills nothing, so there is nothing to wait for", NULL },
};

/* Selects processes of the last scan. */
static int select_processes(const struct kill_config *c, const struct arguments *arguments,
	struct act *a, struct sooth_error *err)
{
	int status = act_targets_select(a, "kill", &c->target, arguments, err);

	if (status)
		return status;
	if (c->kill.orphans)
		act_select_verdict(a, VERDICT_ORPHANED);
	if (c->kill.abandoned)
		act_select_verdict(a, VERDICT_ABANDONED);
	while (act_select_others(a))
		;
	act_sort(a);
	return 0;
}

static int check_targets(
	const struct kill_config *c, const struct arguments *arguments, struct sooth_error *err)
{
	int kinds = target_is_given(&c->target, arguments) + c->kill.orphans + c->kill.abandoned;
	int status = act_targets_check("kill", &c->target, arguments, err);

	if (status || kinds == 1)
		return status;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "%s",
		kinds ? "kill several kinds of targets at once" : "kill without a target");
	error_why(err, kinds ? "--orphans, --abandoned and a target exclude each other"
			     : "no process, session or agent is given");
	return error_remedy(err, "sooth kill PID; `sooth ps` lists processes");
}

static void emit_progress(void *user, size_t left)
{
	(void)user;
	fprintf(stderr, "waiting for %zu to exit\n", left);
}

static int refuse_unasked(struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "kill these without confirmation");
	error_why(err, "sooth cannot ask: standard input is not a terminal");
	return error_remedy(err, "give --yes, or --dry-run to list the processes");
}

static size_t count_selected(const struct act *a)
{
	size_t count = 0;

	for (size_t i = 0; i < act_count(a); i++)
		count += act_at(a, i)->outcome == ACT_SELECTED;
	return count;
}

/* Prints a line for each process before it is signalled. */
static void act_print_processes(const struct act *a, FILE *stream)
{
	for (size_t i = 0; i < act_count(a); i++) {
		const struct act_process *p = act_at(a, i);
		struct buffer line = { 0 };

		if (p->outcome != ACT_SELECTED && p->outcome != ACT_STILL &&
			p->outcome != ACT_REFUSED)
			continue;
		escape_terminal(&line, p->name, strlen(p->name));
		buffer_format(&line, "  %s%s", p->agent, p->agent[0] && p->has_role ? " " : "");
		if (p->has_role)
			buffer_string(&line, agent_role_name(p->role));
		if (p->why[0]) {
			buffer_string(&line, p->outcome == ACT_REFUSED ? "  NOT: " : "  ");
			escape_terminal(&line, p->why, strlen(p->why));
		}
		fprintf(stream, "%*s%7u  %s\n", p->depth ? 2 : 0, "", (unsigned)p->id.pid,
			buffer_cstr(&line));
		buffer_fini(&line);
	}
}

/* Lists a target that was not given by PID or session, and asks for confirmation. */
static int confirm_kill(
	const struct kill_config *c, struct act *a, bool *is_selected, struct sooth_error *err)
{
	bool by_verdict = c->kill.orphans || c->kill.abandoned;
	int status;

	*is_selected = true;
	if (!(by_verdict || c->kill.ask || act_targets_are_broad(&c->target)) || c->kill.yes ||
		!count_selected(a))
		return 0;
	if (!ask_is_answered())
		return refuse_unasked(err);
	act_print_processes(a, stderr);
	*is_selected = ask_yes("kill these?");
	if (!*is_selected)
		return 0;
	status = act_scan_host(a, err);
	if (!status)
		act_recheck(a, c->kill.orphans ? VERDICT_ORPHANED : VERDICT_ABANDONED, by_verdict);
	return status;
}

static int kill_with_signal(
	const struct kill_config *c, struct act *a, int signal, struct sooth_error *err)
{
	static const struct act_progress progress = { .tell = emit_progress };

	stop_catch(); /* stopped processes are continued first */
	return act_end(a, signal, c->kill.wait_ns ? c->kill.wait_ns : WAIT_NS,
		ask_is_seen() ? &progress : NULL, err);
}

static int signal_of(const struct kill_config *c)
{
	return c->kill.now ? SIGKILL : c->kill.signal ? act_signal_number(c->kill.signal) : SIGTERM;
}

static int kill_all_selected(const struct kill_config *c, struct act *a, struct sooth_error *err)
{
	int status = kill_with_signal(c, a, signal_of(c), err);

	if (status || signal_of(c) == SIGKILL || act_exit(a) != STILL_THERE)
		return status;
	if (ask_is_answered() && ask_is_seen() && !c->kill.yes && !stop_is_selected()) {
		act_print_processes(a, stderr);
		if (ask_yes("still running; send SIGKILL?"))
			return kill_with_signal(c, a, SIGKILL, err);
	}
	return 0;
}

static int kill_selected(const struct kill_config *c, struct act *a, struct sooth_error *err)
{
	bool is_selected = true;
	int status = 0;

	if (c->kill.dry_run)
		act_check_permission(a);
	else
		status = confirm_kill(c, a, &is_selected, err);
	if (!status && is_selected && !c->kill.dry_run)
		status = kill_all_selected(c, a, err);
	if (!status)
		status = act_emit("kill", &c->output, a, err);
	if (status)
		return status;
	status = act_exit(a);
	if (status == STILL_THERE && signal_of(c) != SIGKILL)
		fprintf(stderr, "sooth: some processes are still running; -9 sends SIGKILL\n");
	return status;
}

static int run_kill(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct kill_config *c = config;
	struct act a;
	int status = check_targets(c, arguments, err);

	if (status)
		return status;
	act_init(&a, &os_native);
	a.may_be_any = c->kill.any;
	if (c->kill.tree || c->kill.orphans || c->kill.abandoned)
		a.reach = ACT_TREE;
	a.is_whole = arguments->count || c->target.pids.count;
	a.is_detailed = true;
	status = act_scan_host(&a, err);
	if (!status)
		status = select_processes(c, arguments, &a, err);
	if (!status)
		status = kill_selected(c, &a, err);
	act_fini(&a);
	return status;
}

const struct command command_kill = {
	.tables = act_tables,
	.main_options = "9,tree,orphans,abandoned,dry-run,ask,yes,any,wait,json",
	.name = "kill",
	.summary = "end processes of agents",
	.usage = "[-9] [-t] PID|NAME... | --session ID | --agent NAME | --orphans | --abandoned",
	.about = "Ends exactly the selected processes: each is checked again and pinned before it "
		 "is\n"
		 "signalled, so a reused PID is never hit. PID@START, with the start in clock "
		 "ticks\n"
		 "after boot, selects one process even if its PID is reused. Processes of no agent "
		 "are\n"
		 "refused without --any; process 1, kernel threads, sooth and the processes that\n"
		 "started sooth are always refused. In a session and below orphans, daemons and a\n"
		 "terminal in use are left running. Exit status: 1 when some processes are still\n"
		 "running, 2 when some were refused, 3 when permission was denied.",
	.examples = "  sooth kill 4711                     SIGTERM, then wait five seconds\n  "
		    "sooth kill --session 4f1c -9        all of a session, by SIGKILL\n  sooth "
		    "kill --orphans --dry-run      what is left over\n  sooth kill --abandoned "
		    "--yes        from a script\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct kill_config),
	.run = run_kill,
};
