/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth sched: shows in which states threads spend their time, and how long they wait for a CPU. */
#include "cli/command/command.h"
#include "cli/run.h"

struct sched_config {
	struct target_options target;
	struct output_options output;
	struct run_options run;
	struct {
		bool records;
	} sched;
};

static const struct option sched_options[] = {
	FLAG_ROW(0, "records", sched_config, sched.records,
		"print every state of every thread when it ends, instead of a table"),
};

static const struct option_group groups[] = {
	OPTION_GROUP("States", sched_options, 0),
	TARGET_GROUP(struct sched_config, target),
	RUN_GROUP(struct sched_config, run),
	OUTPUT_GROUP(struct sched_config, output),
	FILE_GROUP(struct sched_config, output),
	SAVE_GROUP(struct sched_config, output),
};

static const struct option_rule rules[] = {
	OPTION_OVER("duration"),
	OPTION_OVER("buffer"),
	OPTION_OVER("control"),
};

static int run_sched(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct sched_config *c = config;
	bool is_stream = c->sched.records;
	struct run run = {
		.name = "sched",
		.target = &c->target,
		.output = &c->output,
		.arguments = arguments,
		.probes = { { "sched", SOOTH_COUNT | (is_stream ? SOOTH_STREAM : 0) } },
		.views = { { is_stream ? "sched-stream" : "sched-table", NULL } },
		.allowed = TARGET_MAY_BE_COMMAND,
		.options = c->run,
		.is_stream = is_stream,
		.progress = is_stream ? NULL : "observing",
	};

	return run_report(&run, err);
}

const struct command command_sched = {
	.main_options = "records,duration,all,json,filter,output,save",
	.name = "sched",
	.summary = "states of threads: running, ready to run, waiting, stopped",
	.usage = "[--records] [-j] [-d TIME] PID|NAME... | FILE.sooth | -- COMMAND [ARG...]",
	.about = "Prints how long each thread ran, was ready to run but had no CPU, slept, was "
		 "blocked or\n"
		 "stopped; how long it took from a wake-up until it ran; switches and moves to "
		 "another CPU.\n"
		 "The states of a thread add up to the time in which it was observed. New "
		 "threads, forked\n"
		 "children and exec are followed.",
	.examples = "  sooth sched -d 5 4711                five seconds of a process and its "
		    "children\n"
		    "  sooth sched --session 4f1c -d 10     a session of an agent\n"
		    "  sooth sched -- make -j8              a command, from start to end\n"
		    "  sooth sched --records -j -d 1 4711   every state as a JSON line, with what "
		    "ended it\n"
		    "  sooth sched -d 5 --all               every process\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct sched_config),
	.run = run_sched,
};
