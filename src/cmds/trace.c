/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth trace: system calls of a target, each or counted. */
#include "base/units.h"
#include "cli/command.h"
#include "cli/run.h"

struct trace_config {
	struct target_options target;
	struct output_options output;
	struct run_options run;
	struct {
		bool count;
	} trace;
};

static const struct option trace_options[] = {
	{ .letter = 'c',
		.name = "count",
		.type = OPTION_FLAG,
		.offset = offsetof(struct trace_config, trace.count),
		.help = "a table of counts, errors and times instead of every call" },
};

static const struct option_group groups[] = {
	OPTION_GROUP("System calls", trace_options, 0),
	TARGET_GROUP(struct trace_config, target),
	RUN_GROUP(struct trace_config, run),
	OUTPUT_GROUP(struct trace_config, output),
	FILE_GROUP(struct trace_config, output),
	SAVE_GROUP(struct trace_config, output),
};

static int run_trace(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct trace_config *c = config;
	struct run run = {
		.name = "trace",
		.target = &c->target,
		.output = &c->output,
		.arguments = arguments,
		.probes = { { "syscalls", c->trace.count ? SOOTH_COUNT : SOOTH_STREAM } },
		.views = { { c->trace.count ? "syscall-table" : "syscall-stream", NULL } },
		.is_stream = !c->trace.count,
		.allowed = TARGET_MAY_BE_COMMAND,
		.duration_ns = c->run.duration_ns,
		.buffer_bytes = c->run.buffer_bytes,
	};

	return run_report(&run, err);
}

const struct command command_trace = {
	.name = "trace",
	.summary = "system calls of a process and its children",
	.usage = "[-c] [-j] [-o FILE] [-d TIME] -p PID | FILE.sooth | -- COMMAND [ARG...]",
	.about =
		"Follows threads, forks and exec exactly. With -c the kernel counts and only sums\n"
		"cross; without, every call is a line. The target is never stopped: what does not\n"
		"fit the buffer is lost, and counted.",
	.examples = "  sooth trace -c -p 4711 -d 5      five seconds of a process, as a table\n"
		    "  sooth trace -- git status        every call of a command\n"
		    "  sooth trace -c -j -- make        counts as JSON\n",
	COMMAND_GROUPS(groups),
	.config_size = sizeof(struct trace_config),
	.run = run_trace,
};
