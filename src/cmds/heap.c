/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth heap: allocations of a target, as totals, and line by line into a file. */
#include <errno.h>

#include "analyze/heap/heap_table.h"
#include "analyze/profile/profile_table.h"
#include "cli/command/command.h"
#include "cli/run.h"

struct heap_config {
	struct target_options target;
	struct output_options output;
	struct run_options run;
	struct {
		const char *lines;
		bool count;
		bool stack, leaks;
		bool sites;
		bool no_hold;
		bool pages;
	} heap;
};

static const struct option heap_options[] = {
	VALUE_ROW('o', "output", FILE, "FILE.jsonl", heap_config, heap.lines,
		"also write every allocation and free to this file, one JSON line each; - for "
		"stdout"),
	FLAG_ROW('c', "count", heap_config, heap.count,
		"only count the calls, in the kernel: less overhead, but no live or peak bytes"),
	FLAG_ROW(0, "stack", heap_config, heap.stack,
		"print which code allocates: the stacks of allocations, and what is not freed of "
		"them"),
	FLAG_ROW(0, "leaks", heap_config, heap.leaks,
		"print only which code keeps more and more memory, with the answer first"),
	FLAG_ROW(0, "pages", heap_config, heap.pages,
		"memory by page faults instead of by calls of malloc: which code touched what "
		"remains, in any language"),
	FLAG_ROW(0, "sites", heap_config, heap.sites,
		"list the probed address of each function, and the reason for the probe"),
	FLAG_ROW(0, "no-hold", heap_config, heap.no_hold,
		"never pause a launched command; calls that do not fit the buffer are lost"),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Allocations", heap_options, 0),
	TARGET_GROUP(struct heap_config, target),
	RUN_GROUP(struct heap_config, run),
	OUTPUT_GROUP(struct heap_config, output),
	SAVE_GROUP(struct heap_config, output),
};

static const struct option_rule rules[] = {
	OPTION_OVER("duration"),
	OPTION_OVER("buffer"),
	OPTION_OVER("no-hold"),
	{ OPTION_PER_PROCESS, "pages", "count,stack,leaks,sites,output,no-hold",
		"--pages observes no calls", NULL },
	{ OPTION_PER_PROCESS, "leaks", "count,stack,sites", "--leaks prints its answer alone",
		NULL },
};

static int run_heap(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct heap_config *c = config;
	struct heap_table_options options = {
		.sites = c->heap.sites, .stacks = c->heap.stack, .leaks = c->heap.leaks
	};
	struct profile_options pages = { 0 };
	struct run run = {
		.name = "heap",
		.target = &c->target,
		.output = &c->output,
		.arguments = arguments,
		.probes = { { c->heap.pages ? "profile" : "heap",
			c->heap.pages   ? SOOTH_STREAM
			: c->heap.count ? SOOTH_COUNT
					: SOOTH_COUNT | SOOTH_STREAM },
			{ c->heap.pages ? "proc" : NULL, SOOTH_SAMPLE } },
		.views = { c->heap.pages ? (struct run_view){ "profile-pages", &pages }
					 : (struct run_view){ "heap-table", &options } },
		.product = { .path = c->heap.lines,
			.view = { "heap-lines", NULL },
			.sink = "json-rows" },
		.allowed = TARGET_MAY_BE_COMMAND,
		.may_pause = !c->heap.no_hold && !c->heap.pages,
		.profile_pages = c->heap.pages,
		.heap_stacks = c->heap.stack || c->heap.leaks,
		.duration_ns = c->run.duration_ns,
		.buffer_bytes = c->run.buffer_bytes,
	};

	if (c->heap.lines && c->heap.count) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use -o with --count");
		error_why(err,
			"--count only counts the calls, so there is no list of calls to write");
		return error_remedy(err, "leave out -o or --count");
	}
	if (c->heap.stack && c->heap.count) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --stack with --count");
		error_why(err, "--count only counts the calls: they have no stacks");
		return error_remedy(err, "leave out --stack or --count");
	}
	return run_report(&run, err);
}

const struct command command_heap = {
	.name = "heap",
	.summary = "memory allocations of a process and its children",
	.usage = "[-c] [-j] [-o FILE.jsonl] [-d TIME] PID|NAME... | FILE.sooth | -- COMMAND "
		 "[ARG...]",
	.about = "Counts the calls of malloc, free and related functions, by function and size, "
		 "with the\n"
		 "live and peak bytes. New threads, forked children and exec are followed. A "
		 "launched\n"
		 "command is paused while the buffer is full, so no call is lost. A process that "
		 "already\n"
		 "runs is never paused: calls that do not fit the buffer are lost, and sooth "
		 "prints how many.",
	.examples =
		"  sooth heap -- git status              totals, live and peak bytes of a command\n"
		"  sooth heap -p 4711 -d 5 -o a.jsonl    five seconds, and every call as JSON\n"
		"  sooth heap --stack -p 4711 -d 10      which code allocates, and what it keeps\n"
		"  sooth heap --leaks -p 4711 -d 30      which code keeps more and more\n"
		"  sooth heap --pages -d 10 4711         the same of any memory: JavaScript, mmap\n"
		"  sooth heap -c -j -p 4711 -d 5         only counts, as JSON\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct heap_config),
	.run = run_heap,
};
