/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth profile: shows where a target spends CPU time, by stacks sampled at a fixed rate. */
#include <errno.h>
#include <string.h>

#include "analyze/profile/profile_table.h"
#include "cli/command/command.h"
#include "cli/picture.h"
#include "base/units.h"
#include "cli/run.h"

#define LEAST_WAIT_NS NS_PER_MS

struct profile_config {
	struct target_options target;
	struct output_options output;
	struct debug_servers servers;
	struct run_options run;
	struct picture_options picture;
	struct sooth_observer_options observer;
	struct {
		uint64_t rate;
		const char *role, *folded, *pprof, *names, *sort, *unwind;
		double least_percent;
		bool tree, heat, off_cpu, chains, with_sleep;
	} profile;
};

static const char *order_name(size_t index)
{
	static const char *const names[] = { "self", "total", NULL };

	return names[index];
}

static const char *unwind_name(size_t index)
{
	static const char *const names[] = { "auto", "tables", NULL };

	return names[index];
}

static const struct option profile_options[] = {
	VALUE_ROW(0, "format", CHOICE, "NAME", profile_config, output.format,
		"output format; only of stacks: folded, pprof, speedscope, firefox, chrome",
		.choice = output_stack_format_name),
	VALUE_ROW(0, "rate", U64, "HZ", profile_config, profile.rate,
		"samples per second of CPU time (default: 99)", .min = 1,
		.max = SOOTH_PROFILE_HZ_MOST),
	FLAG_ROW(0, "off-cpu", profile_config, profile.off_cpu,
		"stacks of threads that wait instead: for what, how long, and what woke them"),
	FLAG_ROW(0, "chains", profile_config, profile.chains,
		"with --off-cpu: which thread ended each wait, and what that thread waited for"),
	FLAG_ROW(0, "wall", profile_config, observer.profile.also_samples,
		"all the time of threads: running by samples, and waiting as with --off-cpu"),
	VALUE_ROW(0, "min-wait", DURATION, "TIME", profile_config, observer.profile.least_wait_ns,
		"with --off-cpu or --wall: only waits of this length or more (1ms)", .min = 1,
		.max = 3600 * NS_PER_S),
	FLAG_ROW(0, "with-sleep", profile_config, profile.with_sleep,
		"with --off-cpu --flamegraph: draw waits for a time too (sleep, timers)"),
	VALUE_ROW(0, "role", TEXT, "ROLE", profile_config, profile.role,
		"show only threads of this role or name, as the table lists them"),
	FLAG_ROW(0, "tree", profile_config, profile.tree,
		"print the call tree instead of the hot functions"),
	VALUE_ROW(0, "sort", CHOICE, "ORDER", profile_config, profile.sort,
		"order of the functions: self (default), or total, with what they call",
		.choice = order_name),
	FLAG_ROW(0, "heat", profile_config, profile.heat,
		"print CPU over time by thread; -o FILE.svg or FILE.png: as a picture"),
	VALUE_ROW(0, "min-share", REAL, "PERCENT", profile_config, profile.least_percent,
		"leave out functions and branches below this share of the samples (0)", .min = 0,
		.max = 100),
	VALUE_ROW(0, "names", CHOICE, "STYLE", profile_config, profile.names,
		"C++ and Rust functions: full (default), short (without template arguments) or "
		"symbol (mangled)",
		.choice = demangle_style_name),
	FLAG_ROW(0, "lines", profile_config, observer.profile.has_source_lines,
		"source lines, and functions that the compiler put into others (from DWARF)"),
	VALUE_ROW(0, "unwind", CHOICE, "METHOD", profile_config, profile.unwind,
		"callers: auto (default) by unwind information, else frame pointers; tables: by "
		"unwind information only",
		.choice = unwind_name),
	VALUE_ROW(0, "folded", FILE, "FILE", profile_config, profile.folded,
		"also write stacks to FILE, one line each: frames and number of samples"),
	VALUE_ROW(0, "pprof", FILE, "FILE", profile_config, profile.pprof,
		"also write stacks to FILE for pprof, speedscope or Grafana (gzipped)"),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Profile", profile_options, 0),
	TARGET_GROUP(struct profile_config, target),
	DEBUG_SERVERS_GROUP(struct profile_config, servers),
	RUN_GROUP(struct profile_config, run),
	PICTURE_PLAIN_GROUP(struct profile_config, picture),
	OUTPUT_STACKS_GROUP(struct profile_config, output),
	FILE_GROUP(struct profile_config, output),
	SAVE_GROUP(struct profile_config, output),
};

static const struct option_rule rules[] = {
	DEBUG_SERVERS_RULES,
	OPTION_OVER("duration"),
	OPTION_OVER("buffer"),
	OPTION_OVER("control"),
	OPTION_OVER("rate"),
	OPTION_OVER("min-wait"),
	OPTION_OVER("unwind"),
	{ OPTION_NEEDS, "min-wait", "off-cpu,wall", "--min-wait selects among waits", NULL },
	{ OPTION_NEEDS, "chains", "off-cpu", "chains are of waits", NULL },
	{ OPTION_NEEDS, "with-sleep", "flamegraph", "only pictures of waits leave out sleep",
		NULL },
	{ OPTION_NEEDS, "with-sleep", "off-cpu", "only pictures of waits leave out sleep", NULL },
	{ OPTION_PER_PROCESS, "chains", "tree", "both are tables of the waits", NULL },
	{ OPTION_PER_PROCESS, "wall", "off-cpu", "--wall has the waits too", NULL },
	{ OPTION_PER_PROCESS, "wall", "heat,sort", "these are of time on a CPU", NULL },
	{ OPTION_PER_PROCESS, "off-cpu", "heat", "that shows time on a CPU", NULL },
	{ OPTION_PER_PROCESS, "off-cpu", "rate", "waits are recorded, not sampled", NULL },
	{ OPTION_PER_PROCESS, "sort", "tree,heat", "it orders the table of functions", NULL },
};

struct profile_views {
	struct profile_options report, stacks;
};

static int refuse_three(struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "write three files of stacks");
	error_why(err, "--flamegraph, --folded and --pprof exclude each other: two at most");
	return error_remedy(err, "leave out one of the three; or store a capture, and make the "
				 "third file from it: --save FILE.sooth");
}

/* Sets the output of stacks: a picture with its text beside it, or one or two formats without
 * it. */
static int choose_side_output(const struct profile_config *c, struct picture_files *files,
	const struct profile_views *views, struct run *run, struct sooth_error *err)
{
	const char *folded = c->profile.folded, *pprof = c->profile.pprof;

	if (files->picture) {
		if (folded && pprof)
			return refuse_three(err);
		run->product = picture_side_output(files, NULL);
		if (folded)
			run->product.beside_path = folded;
		if (pprof) {
			run->product.beside_path = pprof;
			run->product.beside_sink = "pprof";
		}
	} else {
		run->product = (struct run_side_output){ .path = folded ? folded : pprof,
			.sink = folded ? "folded" : "pprof",
			.beside_path = folded ? pprof : NULL,
			.beside_sink = "pprof",
			.has_no_notes = true,
			.is_whole = true };
	}
	run->product.view = (struct run_view){ "profile-stacks", &views->stacks };
	return 0;
}

static int refuse_format(const char *format, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "write stacks as %s", format);
	error_why(err, "--format %s excludes --flamegraph, --folded and --pprof", format);
	return error_remedy(err, "leave out one of the two; or store a capture, and make the other "
				 "output from it: --save FILE.sooth");
}

/* Sets the output to stacks instead of a report. */
static int choose_stack_format(const struct profile_config *c, const struct sink_type *format,
	struct picture_files *files, const struct profile_views *views, struct run *run,
	struct sooth_error *err)
{
	if (files->picture || c->profile.folded || c->profile.pprof)
		return refuse_format(format->name, err);
	run->product = (struct run_side_output){ .path = c->output.output ? c->output.output : "-",
		.view = { format->is_of_samples && !views->stacks.of ? "profile-samples"
								     : "profile-stacks",
			&views->stacks },
		.sink = format->name,
		.has_no_notes = true,
		.is_whole = true };
	run->is_silent = true;
	files->report.output = NULL;
	files->report.format = NULL;
	return 0;
}

static int refuse_heat(const char *option, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "print CPU over time");
	error_why(err, "--heat and %s exclude each other", option);
	return error_remedy(err, "leave out one of the two; or store a capture, and make the other "
				 "output from it: --save FILE.sooth");
}

/* Sets the output to the picture instead of a report. */
static int choose_heat(const struct profile_config *c, struct picture_files *files,
	const struct profile_views *views, struct run *run, struct sooth_error *err)
{
	const char *path = c->output.output;

	if (c->profile.tree || files->picture || c->profile.folded || c->profile.pprof)
		return refuse_heat(c->profile.tree     ? "--tree"
				   : files->picture    ? "--flamegraph"
				   : c->profile.folded ? "--folded"
						       : "--pprof",
			err);
	run->views[0] = (struct run_view){ "profile-heat", &views->report };
	if (!path || (!picture_has_ending(path, ".svg") && !picture_has_ending(path, ".png")))
		return 0;
	run->product = (struct run_side_output){ .path = path,
		.view = run->views[0],
		.sink = "timeline-svg",
		.is_picture = true,
		.is_whole = true };
	files->report.output = NULL;
	run->is_silent = !c->output.json && !c->output.format;
	return 0;
}

static struct sooth_observer_options observer_options_of(
	const struct profile_config *c, enum profile_of of)
{
	struct sooth_observer_options options = c->observer;

	options.profile.rate_hz = (uint32_t)c->profile.rate;
	options.profile.by_tables_only = c->profile.unwind && !strcmp(c->profile.unwind, "tables");
	if (of && !options.profile.least_wait_ns)
		options.profile.least_wait_ns = LEAST_WAIT_NS;
	return options;
}

static int run_profile(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct profile_config *c = config;
	enum profile_of of = c->observer.profile.also_samples ? PROFILE_OF_WALL
			     : c->profile.off_cpu	      ? PROFILE_OF_WAITS
							      : PROFILE_OF_SAMPLES;
	struct frame_naming naming = { demangle_style_of(c->profile.names),
		c->observer.profile.has_source_lines };
	struct profile_views views = {
		.report = { .role = c->profile.role,
			.by_total = c->profile.sort && !strcmp(c->profile.sort, "total"),
			.least_share = c->profile.least_percent / 100,
			.naming = naming,
			.folds_chains = c->profile.tree,
			.of = of },
		.stacks = { .role = c->profile.role,
			.least_share = c->picture.least_percent / 100,
			.naming = naming,
			.is_icicle = c->picture.icicle,
			.is_drawn = c->picture.flamegraph,
			.has_sleep = c->profile.with_sleep,
			.of = of },
	};
	const struct sink_type *format = output_stack_format(c->output.format);
	struct picture_files files;
	struct run run = {
		.name = "profile",
		.target = &c->target,
		.servers = &c->servers,
		.output = &files.report,
		.arguments = arguments,
		.probes = { { "profile", SOOTH_STREAM },
			{ c->observer.profile.also_samples ? "sched" : NULL, SOOTH_COUNT } },
		.views = { { c->profile.tree			? "profile-stacks"
			     : c->observer.profile.also_samples ? "profile-wall"
			     : c->profile.chains		? "wait-chains"
			     : c->profile.off_cpu		? "profile-waits"
								: "profile-table",
			&views.report } },
		.allowed = TARGET_MAY_BE_COMMAND,
		.options = c->run,
		.observer = observer_options_of(c, of),
		.progress = "sampling",
	};
	int status = picture_files(&files, &c->picture, &c->output, err);

	if (!status && format)
		status = choose_stack_format(c, format, &files, &views, &run, err);
	else if (!status && c->profile.heat)
		status = choose_heat(c, &files, &views, &run, err);
	else if (!status)
		status = choose_side_output(c, &files, &views, &run, err);
	if (!status)
		status = run_report(&run, err);
	picture_files_fini(&files);
	return status;
}

const struct command command_profile = {
	.main_options = "rate,off-cpu,wall,tree,role,flamegraph,format,duration,all,json,save",
	.name = "profile",
	.summary = "functions that use the CPU, by sampled stacks",
	.usage = "[--rate HZ] [--role ROLE] [--tree] [-j] [-d TIME] PID|NAME... | FILE.sooth | -- "
		 "COMMAND [ARG...]",
	.about = "Samples the stacks of all threads that use the CPU, in user space and in the "
		 "kernel, and\n"
		 "counts the samples by function. New threads, forked children and exec are "
		 "followed.\n"
		 "Nothing is stopped or injected. Stacks are whole with and without frame "
		 "pointers.",
	.examples = "  sooth profile -d 5 -p 4711                     five seconds of a process "
		    "and its children\n"
		    "  sooth profile --flamegraph -o p.svg -- make    a command, as a picture\n"
		    "  sooth profile --format firefox -o p.json p.sooth  a capture, for "
		    "profiler.firefox.com\n"
		    "  sooth profile --off-cpu -d 5 4711               what it waits for instead\n"
		    "  sooth profile --wall -d 10 4711                 all its time: running "
		    "and waiting\n"
		    "  sooth profile --off-cpu --min-wait 10ms -d 5 --all  the long waits of "
		    "every process\n"
		    "  sooth profile --tree --min-share 2 -d 5 --all  every process, as a call "
		    "tree\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct profile_config),
	.run = run_profile,
};
