/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth demo: a first minute for a new user. Starts small demo processes, one of them stuck; shows
 * the commands that find the cause, and cleans up. --all: each other command, too. */
#include <errno.h>
#include <stdio.h>

#include "cli/command/command.h"
#include "cli/demo_workloads.h"
#include "cli/terminal/stop.h"

struct demo_config {
	bool all;
};

static const struct option demo_options[] = {
	FLAG_ROW(0, "all", demo_config, all, "also show every other command"),
};
static const struct option_group groups[] = {
	OPTION_GROUP("Demo", demo_options, 0),
};

/* Returns whether the user stopped the demo, or its output is closed. */
static bool is_over(void)
{
	return stop_is_selected() || ferror(stdout);
}

/* Runs each command in a process of its own, as a command may leave state behind. */
static int show_command(const char *say, char *const *words)
{
	printf("\n# %s\n$ sooth", say);
	for (size_t i = 0; words[i]; i++)
		printf(" %s", words[i]);
	printf("\n");
	fflush(stdout);
	return is_over() ? -1 : command_per_process(words);
}

static void emit_missing(const char *what)
{
	printf("\n%s cannot be observed here; `sooth doctor` says why and what helps.\n", what);
}

static void show_stuck(const struct demo_workloads *d)
{
	char tool[16], agent[16];
	char *list[] = { "ps", agent, tool, NULL };
	char *why[] = { "why", tool, NULL };
	char *diagnose[] = { "diagnose", tool, NULL };

	snprintf(tool, sizeof(tool), "%d", (int)d->tool);
	snprintf(agent, sizeof(agent), "%d", (int)d->agent);
	show_command("Which processes run? (Without PIDs: every agent on this host.)", list);
	if (!is_over())
		show_command("The tool of the agent does not finish. Why?", why);
	if (!is_over())
		show_command(
			"What is wrong with it, by what evidence, and what to do? 5 s:", diagnose);
}

static void show_others(const struct demo_workloads *d)
{
	char worker[16];
	char *inspect[] = { "inspect", worker, NULL };
	char *count[] = { "trace", "-c", "-d", "1", "-p", worker, NULL };
	char *stream[] = { "trace", "-d", "60ms", "-p", worker, NULL };
	char *heap[] = { "heap", "-c", "-d", "1", "-p", worker, NULL };
	char *record[] = { "record", "-o", (char *)(uintptr_t)d->capture, "-d", "1", "-p", worker,
		NULL };
	char *report[] = { "report", (char *)(uintptr_t)d->capture, NULL };
	int status;

	snprintf(worker, sizeof(worker), "%d", (int)d->worker);
	printf("\nA third process, %s, keeps opening and reading files, and allocates and frees "
	       "memory.\n",
		worker);
	show_command("What does it have open, mapped, connected, pending?", inspect);
	if (is_over())
		return;
	status = show_command("Which system calls does the process make? One second:", count);
	if (status) {
		emit_missing("System calls and allocations");
		return;
	}
	if (!is_over())
		show_command("Every system call, printed when it returns:", stream);
	if (!is_over() &&
		show_command("How much memory does the process allocate? One second, counted in "
			     "the kernel:",
			heap))
		emit_missing("Allocations");
	if (!is_over() &&
		!show_command("Record now, explain later: the capture needs no privilege to read.",
			record))
		show_command("The report of the capture:", report);
}

static int run_demo(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	const struct demo_config *selected = config;
	struct demo_workloads d = { 0 };
	int status;

	if (arguments->count || arguments->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "run the demo on another process");
		error_why(err, "the demo starts its own processes");
		return error_remedy(err, "`sooth help` lists the commands that take a target");
	}
	stop_catch();
	status = demo_workloads_start(&d, err);
	if (!status) {
		printf("This demo has started %d, which only looks like an agent (it is `sleep` "
		       "under the\nname claude), and its tool %d, which is `yes`.\n",
			(int)d.agent, (int)d.tool);
		show_stuck(&d);
		if (selected->all && !is_over())
			show_others(&d);
		printf("\nAll of them have been stopped. Now for your own processes:\n"
		       "  sooth               the agents on this host, and what they left behind\n"
		       "  sooth why PID       what a process waits for; without a PID: all agents\n"
		       "  sooth diagnose PID  what is wrong with it\n"
		       "  sooth top           a screen of all this, to leave open\n%s",
			selected->all ? "" : "  sooth demo --all    every other command\n");
	}
	demo_workloads_end(&d);
	return status;
}

const struct command command_demo = {
	.name = "demo",
	.summary = "find out why a demo process is stuck",
	.usage = "[--all]",
	COMMAND_GROUPS(groups),
	.config_size = sizeof(struct demo_config),
	.run = run_demo,
};
