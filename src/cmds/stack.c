/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth stack: shows the stacks of all threads, once. */
#include <string.h>

#include "analyze/stacks/stacks.h"
#include "cli/command/command.h"
#include "cli/run.h"

#define AT_ONCE_NS 1 /* a single sample needs no interval */

struct stack_config {
	struct target_options target;
	struct output_options output;
	struct debug_servers servers;
	struct {
		uint64_t tid;
		const char *names;
		bool lines;
	} stack;
};

static const struct option stack_options[] = {
	VALUE_ROW(0, "tid", U64, "TID", stack_config, stack.tid, "show only this thread", .min = 1,
		.max = UINT32_MAX),
	VALUE_ROW(0, "names", CHOICE, "STYLE", stack_config, stack.names,
		"C++ and Rust functions: full (default), short (without template arguments) or "
		"symbol (mangled)",
		.choice = demangle_style_name),
	FLAG_ROW(0, "lines", stack_config, stack.lines,
		"source lines, and functions that the compiler put into others (from DWARF)"),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Stack", stack_options, 0),
	TARGET_GROUP(struct stack_config, target),
	DEBUG_SERVERS_GROUP(struct stack_config, servers),
	OUTPUT_GROUP(struct stack_config, output),
	FILE_GROUP(struct stack_config, output),
	SAVE_GROUP(struct stack_config, output),
};

static const struct option_rule rules[] = {
	DEBUG_SERVERS_RULES,
};

static int run_stack(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct stack_config *c = config;
	struct stacks_options options = { .tid = (uint32_t)c->stack.tid,
		.naming = { demangle_style_of(c->stack.names), c->stack.lines } };
	struct run run = {
		.name = "stack",
		.target = &c->target,
		.servers = &c->servers,
		.output = &c->output,
		.arguments = arguments,
		.probes = { { "stacks", SOOTH_SAMPLE }, { "waits", SOOTH_SAMPLE } },
		.views = { { "stacks", &options } },
		.options.duration_ns = AT_ONCE_NS,
		.observer.profile.has_source_lines = c->stack.lines,
	};

	return run_report(&run, err);
}

const struct command command_stack = {
	.main_options = "tid,names,lines,json,format,save",
	.name = "stack",
	.summary = "the stacks of all threads, once",
	.usage = "[-v] [--tid TID] [-j] PID|NAME|SESSION... | FILE.sooth",
	.about = "Shows where every thread is, those that wait included, in user space and in the "
		 "kernel.\nThreads with the same stack stand together; the one that computes, or "
		 "the main thread,\ncomes first. Waiting tasks of asyncio (Python 3.14) and "
		 "goroutines are\nnamed beside. Nothing is stopped or attached.",
	.examples = "  sooth stack 4711                     where a process hangs\n"
		    "  sooth stack -v 4711                  every frame, also of the kernel\n"
		    "  sooth stack nginx                    every process of that name\n"
		    "  sooth stack 4711 --save now.sooth    the same, and keep it\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct stack_config),
	.run = run_stack,
};
