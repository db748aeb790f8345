/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth demo: a first minute for a new user. Starts small demo processes, one of them stuck; shows
 * the command that finds the cause, then each other command as it would be typed; and cleans up. */
#include <errno.h>
#include <stdio.h>

#include "cli/command/command.h"
#include "cli/demo_workloads.h"
#include "cli/terminal/stop.h"

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

/* Shows the answer for the stuck process first. */
static void show_stuck(const struct demo_workloads *d)
{
	char tool[16];
	char *why[] = { "why", tool, NULL };

	snprintf(tool, sizeof(tool), "%d", (int)d->tool);
	show_command("The tool of the agent does not finish. Why?", why);
}

static void show_others(const struct demo_workloads *d)
{
	char worker[16], tool[16], agent[16];
	char *list[] = { "ps", agent, tool, worker, NULL };
	char *inspect[] = { "inspect", worker, NULL };
	char *count[] = { "trace", "-c", "-d", "1", "-p", worker, NULL };
	char *stream[] = { "trace", "-d", "60ms", "-p", worker, NULL };
	char *heap[] = { "heap", "-c", "-d", "1", "-p", worker, NULL };
	char *record[] = { "record", "-o", (char *)(uintptr_t)d->capture, "-d", "1", "-p", worker,
		NULL };
	char *report[] = { "report", (char *)(uintptr_t)d->capture, NULL };
	int status;

	snprintf(worker, sizeof(worker), "%d", (int)d->worker);
	snprintf(tool, sizeof(tool), "%d", (int)d->tool);
	snprintf(agent, sizeof(agent), "%d", (int)d->agent);
	show_command(
		"Which processes run? (Without PIDs sooth lists every agent on this host.)", list);
	if (!is_over())
		show_command(
			"What does one of the processes have open, mapped, connected, pending?",
			inspect);
	if (is_over())
		return;
	status = show_command(
		"Which system calls does the process make? One second, counted in the kernel:",
		count);
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
	struct demo_workloads d = { 0 };
	int status;

	(void)config;
	if (arguments->count || arguments->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "run the demo on another process");
		error_why(err, "the demo starts its own processes");
		return error_remedy(err, "`sooth help` lists the commands that take a target");
	}
	stop_catch();
	status = demo_workloads_start(&d, err);
	if (!status) {
		printf("sooth finds AI coding agents, watches them, and says why one "
		       "misbehaves.\nThis demo has started three processes: %d only looks like "
		       "an agent, it is\n`sleep` under the name claude; %d is `yes`, a tool that "
		       "it runs; %d keeps\nopening and reading files, and allocates and frees "
		       "memory.\n",
			(int)d.agent, (int)d.tool, (int)d.worker);
		show_stuck(&d);
		if (!is_over())
			show_others(&d);
		printf("\nAll of them have been stopped. `sooth help` lists the commands, `sooth "
		       "doctor` "
		       "shows what\ncan be observed on this host.\n");
	}
	demo_workloads_end(&d);
	return status;
}

const struct command command_demo = {
	.name = "demo",
	.summary = "find out why a demo process is stuck, then show each command",
	.usage = "",
	.config_size = 0,
	.run = run_demo,
};
