/* SPDX-License-Identifier: BSD-2-Clause */
/* claude-trace: lists the processes of Claude Code, once or repeatedly, or ends one of them. The
 * rows are those of `sooth ps`; the JSON has the members that scripts rely on. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/processes/processes.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "cli/act/act.h"
#include "cli/command/command.h"
#include "cli/command/compat.h"
#include "cli/run.h"
#include "cli/top_run.h"
#include "cli/terminal/stop.h"

#define AGENT "claude"
#define INTERVAL_NS                                                                                \
	(200 * NS_PER_MS) /* time between the first two samples; a watch measures over its own     \
			     interval */
#define COLUMNS	    "pid,ppid,cpu_percent,mem_percent,rss_bytes,state,elapsed_time,"
#define WAIT_NS	    (5 * NS_PER_S)
#define STILL_THERE 1 /* exit status */

struct claude_trace_config {
	struct compat_requested asked;
	bool is_verbose, is_tree, check_version, at_once;
	bool upgrade, release_notes, install;
	struct output_options output;
	uint64_t watch_ns;
	uint64_t kill_pid;
	uint64_t rss_over;
	double cpu_over;
};

#define FLAG(letter, name, member, help) FLAG_ROW(letter, name, claude_trace_config, member, help)

static const struct option rows[] = {
	VALUE_ROW('w', "watch", DURATION, "[N]", claude_trace_config, watch_ns,
		"refresh every N seconds (2) until Ctrl-C", .default_value = "2",
		.min = 100 * NS_PER_MS, .max = 86400 * NS_PER_S),
	FLAG('v', "verbose", is_verbose, "also threads, open files and working directory"),
	FLAG('j', "json", output.json, "JSON"),
	FLAG('t', "tree", is_tree, "whole sessions as trees"),
	VALUE_ROW('k', "kill-threshold", REAL, "PCT", claude_trace_config, cpu_over,
		"flag processes above this CPU percentage", .max = 1000000),
	VALUE_ROW('m', "mem-threshold", MEGABYTES, "MB", claude_trace_config, rss_over,
		"flag processes above this resident memory"),
	VALUE_ROW('K', "kill", U64, "PID", claude_trace_config, kill_pid,
		"end the process with this id (SIGTERM), if part of Claude Code", .min = 1,
		.max = INT32_MAX),
	FLAG('9', "force", at_once, "with -K: end the process with SIGKILL"),
	FLAG(0, "check-version", check_version,
		"list installed versions, and processes that run an older one"),
	FLAG(0, "upgrade", upgrade, "only prints how to update Claude Code"),
	FLAG('R', "release-notes", release_notes, "only prints where the release notes are"),
	FLAG(0, "install", install, "has no effect: sooth is installed already"),
};
static const struct option_group groups[] = {
	OPTION_GROUP("", rows, 0),
	COMPAT_REQUESTED_GROUP(struct claude_trace_config, asked),
};

static void print_help(const char *name)
{
	printf("%s - the processes of Claude Code on this host (sooth)\n\n"
	       "Usage: %s [-w [N]] [-v] [-j] [-t] [-k PCT] [-m MB]\n"
	       "       %s -K PID [-9]\n"
	       "       %s --check-version\n\n",
		name, name, name, name);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		command_print_options(&groups[i]);
	printf("\n`sooth ps` does the same for every agent, with more columns.\n");
}

/* --- listing --- */

static int show_screen(const struct claude_trace_config *c, struct sooth_error *err)
{
	static const struct target_options host;
	static const struct target_found found;
	static const struct arguments none;
	struct settings texts = { .help = "sooth help top" };
	struct top_settings s = TOP_DEFAULTS;
	int status = top_settings_read(&s, &texts, &none, err);

	s.interval_ns = c->watch_ns;
	s.is_tree = c->is_tree;
	s.cpu_over = c->cpu_over;
	s.rss_over = c->rss_over;
	if (!status)
		status = top_run(&(struct top_run){ .settings = s,
					 .target = &host,
					 .found = &found,
					 .arguments = &none,
					 .output = &c->output,
					 .agent = AGENT },
			err);
	settings_fini(&texts);
	return status;
}

static int list_processes(const struct claude_trace_config *c, struct sooth_error *err)
{
	struct alert_options alerts = { .cpu_percent = c->cpu_over, .rss_bytes = c->rss_over };
	struct watch_options watch = {
		.schema = "proc.snapshot", .interval_ns = c->watch_ns, .alerts = &alerts
	};
	struct processes_options options = {
		.shown = c->is_tree ? PROCESSES_SESSIONS : PROCESSES_AGENTS,
		.is_tree = c->is_tree,
		.is_verbose = c->is_verbose,
		.emits_versions = c->check_version,
		.hides_sessions = true,
		.hide_ended = true,
		.agent = AGENT,
		.cpu_over_percent = c->cpu_over,
		.rss_over_bytes = c->rss_over,
		.is_repeated = c->watch_ns != 0,
	};
	struct target_options host = { 0 };
	struct arguments none = { 0 };
	struct run run = {
		.name = "ps",
		.target = &host,
		.output = &c->output,
		.arguments = &none,
		.views = { { "processes", &options } },
		.allowed = TARGET_MAY_BE_HOST,
		.options.duration_ns = c->watch_ns ? 0 : INTERVAL_NS,
		.observer.sample_ns = c->watch_ns,
		.watch = c->watch_ns ? &watch : NULL,
	};
	size_t count = 0;

	if (c->watch_ns && !c->is_verbose && !c->check_version && top_run_is_possible(&c->output))
		return show_screen(c, err);
	/* Adds processes that are too short-lived for samples. */
	if (c->watch_ns)
		run.probes[count++] = (struct run_probe){ "short_lived", SOOTH_STREAM };
	run.probes[count] = (struct run_probe){ "proc", SOOTH_SAMPLE | SOOTH_BRIEF };
	if (c->is_tree)
		options.columns = c->is_verbose ? COLUMNS "name,role,project,flags,threads,"
							  "open_files,cwd"
						: COLUMNS "name,role,project,flags";
	else if (!c->check_version)
		options.columns = c->is_verbose ? COLUMNS "project,flags,threads,open_files,cwd"
						: COLUMNS "project,flags";
	return run_report(&run, err);
}

/* --- ending one --- */

/* Ends one process, only if it is part of Claude Code: that is the contract of the old tool. */
static int emit_end(const char *name, const struct claude_trace_config *c,
	const struct act_process *p, struct sooth_error *err)
{
	switch (p->outcome) {
	case ACT_ENDED:
		printf("%s: process %d has ended\n", name, (int)c->kill_pid);
		return 0;
	case ACT_STILL:
		fprintf(stderr, "%s: process %d is still there after %d s\n", name,
			(int)c->kill_pid, (int)(WAIT_NS / NS_PER_S));
		if (!c->at_once)
			fprintf(stderr, "  try: %s -9 -K %d ends it at once\n", name,
				(int)c->kill_pid);
		return STILL_THERE;
	case ACT_GONE:
		return error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND,
			"end process %d: it has just ended", (int)c->kill_pid);
	default:
		error_set(err, p->outcome == ACT_REFUSED ? -EINVAL : -EPERM,
			p->outcome == ACT_REFUSED ? SOOTH_FAULT_USAGE : SOOTH_FAULT_PRIVILEGE,
			"end process %d", (int)c->kill_pid);
		error_why(err, "%s", p->why);
		return error_remedy(err, "`sooth kill` ends other processes too");
	}
}

static int kill_target(
	const char *name, const struct claude_trace_config *c, struct sooth_error *err)
{
	struct act a;
	int status;

	stop_catch();
	act_init(&a, &os_native);
	a.only_agent = AGENT;
	status = act_scan_host(&a, err);
	if (!status)
		status = act_select_pid(&a, (uint32_t)c->kill_pid, err);
	if (!status)
		status = act_end(&a, c->at_once ? SIGKILL : SIGTERM, WAIT_NS, NULL, err);
	if (!status)
		status = emit_end(name, c, act_at(&a, 0), err);
	act_fini(&a);
	return status;
}

static int check_options(const struct claude_trace_config *c, const struct arguments *arguments,
	struct sooth_error *err)
{
	if (arguments->count || arguments->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand \"%s\"",
			arguments->count ? arguments->items[0] : "--");
		error_why(err, "claude-trace takes options only, no names or PIDs");
		return error_remedy(
			err, "`sooth ps PID` shows a process; claude-trace -K PID ends it");
	}
	if (c->at_once && !c->kill_pid) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use -9 without -K");
		error_why(err, "-9 works only with -K PID");
		return error_remedy(err, "give -K PID too");
	}
	return 0;
}

/* Prints a line for each option that does nothing here. True: the run ends, as the old tool
 * would. */
static bool answer_foreign(const char *name, const struct claude_trace_config *c)
{
	const struct {
		bool is_given;
		const char *option, *instead;
	} foreign[] = {
		{ c->upgrade, "--upgrade", "`claude update` updates Claude Code" },
		{ c->release_notes, "--release-notes", "type /release-notes in Claude Code" },
		{ c->install, "--install", "this program is part of sooth and needs no setup" },
	};
	bool has_any = false;

	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		if (foreign[i].is_given)
			printf("%s: %s does nothing here: %s\n", name, foreign[i].option,
				foreign[i].instead);
		has_any |= foreign[i].is_given;
	}
	return has_any;
}

static int run_claude_trace(const char *name, int argc, char **argv, struct sooth_error *err)
{
	struct claude_trace_config c = { 0 };
	struct arguments arguments = { 0 };
	int status = options_parse(groups, ARRAY_SIZE(groups), &c, argc, argv, &arguments, err);

	if (!status && !compat_answer(c.asked, name, print_help) && !answer_foreign(name, &c)) {
		status = check_options(&c, &arguments, err);
		if (!status)
			status = c.kill_pid ? kill_target(name, &c, err) : list_processes(&c, err);
	}
	free(arguments.items);
	return status;
}

const struct compat compat_claude_trace = { run_claude_trace };
