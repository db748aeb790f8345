/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth tail: prints records of a running monitor. */
#include "base/units.h"
#include "cli/command/command.h"
#include "cli/monitor/tail.h"

struct tail_config {
	struct tail_options tail;
};

static const struct option tail_rows[] = {
	VALUE_ROW('r', "records", TEXT, "LIST", tail_config, tail.records,
		"kinds of records: syscalls, scheduler, api_calls (default: all)"),
	VALUE_ROW(0, "filter", TEXT, "EXPR", tail_config, tail.filter,
		"only records that match, and have its fields"),
	VALUE_ROW(0, "fifo-dir", FILE, "DIR", tail_config, tail.folder,
		"folder of the monitor (default: ~/.claude/fifos, with sudo of the invoking user)",
		.is_input = true),
	VALUE_ROW('d', "duration", DURATION, "TIME", tail_config, tail.duration_ns,
		"stop after this time", .min = NS_PER_MS, .max = 366 * 86400 * NS_PER_S),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Records", tail_rows, 0),
};

static int run_tail(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	const struct tail_config *c = config;

	(void)arguments;
	return tail_run(&c->tail, err);
}

const struct command command_tail = {
	.main_options = "records,filter,fifo-dir,duration",
	.name = "tail",
	.summary = "records of a running monitor as they come",
	.usage = "[-r LIST] [--filter EXPR] [-d TIME]",
	.about = "Connects to `sooth monitor` and prints its records, as JSON lines: first the "
		 "processes it\nobserves, then what happens. Any number of these may run at a "
		 "time, each with its own\nrecords and filter.",
	.examples = "  sooth tail -r api_calls\n"
		    "  sooth tail -r syscalls --filter 'errno != 0'\n"
		    "  sooth tail --filter 'pid = 4711' | jq .\n",
	COMMAND_GROUPS(groups),
	.config_size = sizeof(struct tail_config),
	.run = run_tail,
};
