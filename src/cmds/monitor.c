/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth monitor: records of agents as they come, in FIFOs. */
#include "base/units.h"
#include "cli/command/command.h"
#include "cli/monitor/monitor.h"

struct monitor_config {
	struct target_options target;
	struct {
		const char *fifo_dir;
		uint64_t duration_ns, history_bytes, sample_ns;
		const char *history_dir;
		bool no_history;
	} monitor;
};

static const struct option monitor_rows[] = {
	VALUE_ROW(0, "fifo-dir", FILE, "DIR", monitor_config, monitor.fifo_dir,
		"folder of the FIFOs (default: ~/.claude/fifos, with sudo of the invoking user)"),
	VALUE_ROW('d', "duration", DURATION, "TIME", monitor_config, monitor.duration_ns,
		"stop after this time", .min = NS_PER_MS, .max = 366 * 86400 * NS_PER_S),
};

static const struct option history_rows[] = {
	FLAG_ROW(0, "no-history", monitor_config, monitor.no_history,
		"keep no history of what sessions do; then nothing runs without a reader"),
	VALUE_ROW(0, "history-dir", FILE, "DIR", monitor_config, monitor.history_dir,
		"folder of the history (default: ~/.local/state/sooth/history)"),
	VALUE_ROW(0, "history-size", BYTES, "SIZE", monitor_config, monitor.history_bytes,
		"size at which the oldest part of the history is removed (64M)", .min = 1u << 20,
		.max = 1ull << 40),
	VALUE_ROW(0, "sample", DURATION, "TIME", monitor_config, monitor.sample_ns,
		"time between two samples for the history (2s)", .min = 100 * NS_PER_MS,
		.max = 60 * NS_PER_S),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Monitor", monitor_rows, 0),
	OPTION_GROUP("History", history_rows, 0),
	TARGET_LIVE_GROUP(struct monitor_config, target),
};

static int run_monitor(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct monitor_config *c = config;
	struct target_found found = { 0 };
	bool has_target = target_is_given(&c->target, arguments);
	struct monitor_options options = { .fifo_folder = c->monitor.fifo_dir,
		.target = has_target ? &found : NULL,
		.duration_ns = c->monitor.duration_ns,
		.has_history = !c->monitor.no_history,
		.history_folder = c->monitor.history_dir,
		.history_bytes = c->monitor.history_bytes,
		.sample_ns = c->monitor.sample_ns };
	int status =
		has_target ? target_find(&c->target, arguments, TARGET_MAY_BE_HOST, &found, err) : 0;

	if (!status)
		status = monitor_run(&options, err);
	target_found_fini(&found);
	return status;
}

const struct command command_monitor = {
	.main_options = "fifo-dir,duration,pid,session,agent,all",
	.name = "monitor",
	.summary = "system calls, scheduling and API calls of agents, into FIFOs",
	.usage = "[--fifo-dir DIR] [-d TIME] [PID|NAME...]",
	.about = "Serves three FIFOs in ~/.claude/fifos: syscalls.fifo, scheduler.fifo and "
		 "api_calls.fifo. Each\ncarries a record a line, as JSON with a number, while a "
		 "program reads it, and the probes behind\nit are attached only then. Without a "
		 "target every agent is observed, also those that start later.\nA FIFO serves one "
		 "reader at a time.",
	.examples = "  sooth monitor &\n"
		    "  tail -f ~/.claude/fifos/*.fifo            all three\n"
		    "  tail -f ~/.claude/fifos/api_calls.fifo    API calls\n"
		    "  sooth monitor --session 4f1c              of one session\n"
		    "  sooth monitor --all                       of every process\n",
	COMMAND_GROUPS(groups),
	.config_size = sizeof(struct monitor_config),
	.run = run_monitor,
};
