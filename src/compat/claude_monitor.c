/* SPDX-License-Identifier: BSD-2-Clause */
/* claude-monitor: prints every few seconds how many files were opened, bytes sent and received,
 * processes started and mappings made, by all processes, one process, or a session; totals at the
 * end. The FIFOs of the old tool are those of `sooth monitor`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyze/calls/call_statistics.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "cli/command/command.h"
#include "cli/command/compat.h"
#include "cli/run.h"

/* Calls that the statistics count, and calls that show the kinds of descriptors. */
#define CALLS	    "file,%bytes,process,memory"
#define INTERVAL_NS (5 * NS_PER_S)

struct claude_monitor_config {
	struct compat_requested asked;
	struct option_list pids, sessions;
	uint64_t interval_ns, duration_ns;
	struct output_options output;
};

static const struct option rows[] = {
	VALUE_ROW('p', "pid", LIST, "PID", claude_monitor_config, pids,
		"only this process and what it starts (default: every process)"),
	VALUE_ROW(0, "session", LIST, "SESSION", claude_monitor_config, sessions,
		"only the processes of this session of an agent"),
	VALUE_ROW('i', "interval", DURATION, "N", claude_monitor_config, interval_ns,
		"seconds between statistics (5)", .min = NS_PER_S / 10, .max = 86400 * NS_PER_S),
	VALUE_ROW('d', "duration", DURATION, "N", claude_monitor_config, duration_ns,
		"stop after N seconds (default: at Ctrl-C)", .min = NS_PER_S / 10,
		.max = 366 * 86400 * NS_PER_S),
	FLAG_ROW('j', "json", claude_monitor_config, output.json, "JSON, an object each time"),
};
static const struct option_group groups[] = {
	OPTION_GROUP("", rows, 0),
	COMPAT_REQUESTED_GROUP(struct claude_monitor_config, asked),
};

static void print_help(const char *name)
{
	printf("%s - what processes open, send, receive, start and map, every 5 seconds (sooth)\n\n"
	       "Usage: %s [-p PID] [--session SESSION] [-i N] [-d N] [-j]\n\n",
		name, name);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		command_print_options(&groups[i]);
	printf("\n`sooth monitor` writes ~/.claude/fifos/*.fifo.\n");
}

static int run_monitor(const struct claude_monitor_config *c, struct sooth_error *err)
{
	static const struct watch_options intervals = { .schema = "proc.snapshot",
		.in_intervals = true };
	static const struct call_statistics_options options = { .is_repeated = true };
	struct arguments none = { 0 };
	struct target_options target = { .pids = c->pids,
		.sessions = c->sessions,
		.all = !c->pids.count && !c->sessions.count };
	struct run run = {
		.name = "monitor",
		.target = &target,
		.output = &c->output,
		.arguments = &none,
		.observer.calls.call_set = CALLS,
		.probes = { { "syscalls", SOOTH_STREAM }, { "proc", SOOTH_SAMPLE },
			{ "fds", SOOTH_SAMPLE | SOOTH_ONCE },
			{ "sockets", SOOTH_SAMPLE | SOOTH_ONCE } },
		.views = { { "call-statistics", &options } },
		.options.duration_ns = c->duration_ns,
		.observer.sample_ns = c->interval_ns ? c->interval_ns : INTERVAL_NS,
		.watch = &intervals,
	};

	return run_report(&run, err);
}

static int run_claude_monitor(const char *name, int argc, char **argv, struct sooth_error *err)
{
	struct claude_monitor_config config = { 0 };
	struct arguments arguments = { 0 };
	int status =
		options_parse(groups, ARRAY_SIZE(groups), &config, argc, argv, &arguments, err);

	if (!status && arguments.count) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand \"%s\"", arguments.items[0]);
		error_why(err, "%s takes options only", name);
		status = error_remedy(
			err, "-p PID observes one process, --session SESSION a session");
	}
	if (!status && !compat_answer(config.asked, name, print_help))
		status = run_monitor(&config, err);
	free(arguments.items);
	return status;
}

const struct compat compat_claude_monitor = { run_claude_monitor };
