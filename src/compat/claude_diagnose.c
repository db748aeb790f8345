/* SPDX-License-Identifier: BSD-2-Clause */
/* claude-diagnose: what is wrong with the processes of Claude Code, or with one process. The
 * findings are those of `sooth diagnose`; its JSON has the members that scripts rely on. Without -d
 * and -D the tool takes one sample: only the CPU of processes is measured over a moment. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/overview/slow_calls.h"
#include "analyze/overview/overview.h"
#include "analyze/calls/syscall_folded.h"
#include "analyze/calls/syscall_table.h"
#include "analyze/profile/profile_table.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "cli/command/command.h"
#include "cli/command/compat.h"
#include "cli/diagnosing.h"
#include "cli/picture.h"
#include "cli/run.h"

#define AGENT	 "claude"
#define QUICK_NS (200 * NS_PER_MS) /* time in which the quick overview measures CPU use */

struct claude_diagnose_config {
	struct compat_requested asked;
	bool is_deep, has_sample, has_calls, has_io, has_network, has_flamegraph;
	struct output_options output;
	uint64_t sample_ns, duration_ns;
	double least_percent;
	uint64_t pid;
};

#define FLAG(letter, name, member, help)                                                           \
	FLAG_ROW(letter, name, claude_diagnose_config, member, help)
#define TIME(name, member, help)                                                                   \
	VALUE_ROW(0, name, DURATION, "N", claude_diagnose_config, member, help,                    \
		.min = 10 * NS_PER_MS, .max = 3600 * NS_PER_S)

static const struct option rows[] = {
	FLAG('d', "deep", is_deep, "observe for some seconds: growth, spinning, hangs"),
	FLAG('s', "sample", has_sample,
		"sample the stacks of busy threads; implies -d; -o FILE.txt: the call tree"),
	TIME("sample-duration", sample_ns, "with -s: sample duration in seconds (5)"),
	VALUE_ROW(0, "min-share", REAL, "PERCENT", claude_diagnose_config, least_percent,
		"with -s: leave out functions below this share of the samples (0)", .min = 0,
		.max = 100),
	VALUE_ROW(0, "pid", U64, "PID", claude_diagnose_config, pid,
		"process with this process id, even if not an agent", .min = 1, .max = INT32_MAX),
	FLAG('j', "json", output.json, "JSON"),
	FLAG('D', "dtrace", has_calls, "show system calls as a table"),
	TIME("duration", duration_ns, "observation time in seconds (5)"),
	FLAG(0, "io", has_io, "with -D: of the slowest calls only those for files"),
	FLAG(0, "network", has_network, "with -D: of the slowest calls only those for sockets"),
	FLAG(0, "flamegraph", has_flamegraph, "with -D: the calls as a picture (SVG)"),
	VALUE_ROW('o', "output", FILE, "FILE", claude_diagnose_config, output.output,
		"output file; with --flamegraph: file of the picture"),
};
static const struct option_group groups[] = {
	OPTION_GROUP("", rows, 0),
	COMPAT_REQUESTED_GROUP(struct claude_diagnose_config, asked),
};

static void print_help(const char *name)
{
	printf("%s - what is wrong with the processes of Claude Code (sooth)\n\n"
	       "Usage: %s [-d] [-j] [--pid PID] [--duration N] [-o FILE]\n"
	       "       %s -s [-j] [--pid PID] [--sample-duration N] [--min-share PERCENT] [-o "
	       "FILE.txt]\n"
	       "       %s -D [--io] [--network] [-j] [--pid PID] [--duration N] [-o FILE]\n\n",
		name, name, name, name);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		command_print_options(&groups[i]);
	printf("\nWithout -d, -s, -D and --duration: one sample, in under a second.\n`sooth "
	       "diagnose` does the same for every agent, with more findings.\n");
}

/* --- options that are refused --- */

static int refuse_combination(const char *option, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand %s", option);
	error_why(err, "this option shows system calls, and only -D records them");
	return error_remedy(err, "give -D too");
}

/* Prints a note about an option that does nothing by itself: old command lines have it, and keep
 * working. */
static void emit_overlooked(const char *name, const struct claude_diagnose_config *c)
{
	if (c->sample_ns && !c->has_sample)
		fprintf(stderr,
			"%s: --sample-duration has no effect without -s; --duration N sets the "
			"observation time\n",
			name);
}

static int check_options(const struct claude_diagnose_config *c, const struct arguments *arguments,
	struct sooth_error *err)
{
	if (arguments->count || arguments->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand \"%s\"",
			arguments->count ? arguments->items[0] : "--");
		error_why(err, "claude-diagnose takes options only, no names or PIDs");
		return error_remedy(err, "give a process as --pid PID");
	}
	if (c->least_percent > 0 && !c->has_sample) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand --min-share");
		error_why(err, "this option selects sampled stacks, and only -s takes samples");
		return error_remedy(err, "give -s too");
	}
	if (!c->has_calls && (c->has_io || c->has_network || c->has_flamegraph))
		return refuse_combination(c->has_io	   ? "--io"
					  : c->has_network ? "--network"
							   : "--flamegraph",
			err);
	return 0;
}

/* --- running --- */

struct claude_diagnosis {
	const struct claude_diagnose_config *config;
	struct diagnosing diagnosing;
	struct overview_options overview;
	bool kinds[CALL_OPERATION_KINDS];
	char pid_text[12];
	char *pids[1];
	struct target_options target;
	struct arguments arguments; /* the PID */
	struct run run;
	struct output_options report; /* -o names the picture, if there is one */
	struct picture_files files;
	struct syscall_folded_options stacks;
	struct syscall_table_options table;
	struct profile_options samples, tree; /* options of the stacks */
	char picture_name[64];
};

/* Returns the calls to show; NULL: all. */
static const char *calls_shown(const struct claude_diagnose_config *c)
{
	if (c->has_io && c->has_network)
		return "file,network";
	return c->has_io ? "file" : c->has_network ? "network" : NULL;
}

/* Returns whether to show the slowest calls of each kind: not if only one kind is requested. */
static bool shows_io(const struct claude_diagnose_config *c)
{
	return c->has_calls && (c->has_io || !c->has_network);
}

static bool shows_network(const struct claude_diagnose_config *c)
{
	return c->has_calls && (c->has_network || !c->has_io);
}

/* Sets the files of the picture. Without a name the picture is named after the process and the
 * probe; a second file beside it has the stacks. */
static int choose_picture(struct claude_diagnosis *d, struct sooth_error *err)
{
	struct picture_options wanted = { .flamegraph = true, .has_any_name = true };
	struct output_options named = d->report;
	int status;

	if (!named.output) {
		uint64_t pid = d->run.selected_count ? d->run.selected[0] : d->config->pid;

		snprintf(d->picture_name, sizeof(d->picture_name),
			"claude-diagnose-%llu-syscalls.svg", (unsigned long long)pid);
		named.output = d->picture_name;
	}
	status = picture_files(&d->files, &wanted, &named, err);
	if (status)
		return status;
	d->report = d->files.report;
	d->overview.flamegraph_path = d->files.picture;
	d->stacks = (struct syscall_folded_options){ .is_per_process = true,
		.set = calls_shown(d->config) };
	d->run.product = picture_side_output(&d->files, &d->stacks);
	d->run.product.is_named = true;
	return 0;
}

/* Returns whether a sample has a file: the calls as text, each below its caller. The report goes to
 * standard output. */
static bool has_tree_file(const struct claude_diagnose_config *c)
{
	return c->has_sample && !c->has_flamegraph && c->output.output &&
	       picture_has_ending(c->output.output, ".txt");
}

static void choose_tree(struct claude_diagnosis *d)
{
	if (!has_tree_file(d->config) || !d->diagnosing.has_samples)
		return;
	d->report.output = NULL;
	d->run.product = (struct run_side_output){ .path = d->config->output.output,
		.view = { "profile-stacks", &d->tree },
		.sink = "table",
		.is_whole = true };
}

static void choose_views(struct claude_diagnosis *d)
{
	const struct claude_diagnose_config *c = d->config;
	struct run *run = &d->run;
	size_t n = 0;

	d->samples.least_share = c->least_percent / 100;
	d->tree = d->samples;
	d->tree.folds_chains = true;
	d->overview.findings = d->diagnosing.options;
	d->overview.has_descriptors = c->is_deep || c->has_sample || c->has_calls;
	d->overview.has_calls = c->has_calls;
	d->overview.has_io = d->kinds[CALL_OPERATION_IO] = shows_io(c);
	d->overview.has_network = d->kinds[CALL_OPERATION_NETWORK] = shows_network(c);
	d->overview.has_samples = c->has_sample;
	d->overview.sample_refused =
		d->diagnosing.has_samples ? NULL : d->diagnosing.no_samples.reason;
	d->table.set = calls_shown(c);
	memset(run->views, 0, sizeof(run->views));
	if (c->output.json) {
		run->views[0] = (struct run_view){ "overview", &d->overview };
		return;
	}
	run->views[n++] = (struct run_view){ "findings", &d->diagnosing.options };
	if (c->is_deep) {
		run->views[n++] = (struct run_view){ "fds", NULL };
		run->views[n++] = (struct run_view){ "sockets", NULL };
	}
	if (d->diagnosing.has_samples)
		run->views[n++] = (struct run_view){ "profile-table", &d->samples };
	if (!d->diagnosing.has_calls)
		return;
	run->views[n++] = (struct run_view){ "syscall-table", &d->table };
	run->views[n++] = (struct run_view){ "slow-calls", d->kinds };
}

/* Runs again without samples, if the system refused these. */
static int run_without_samples(struct claude_diagnosis *d, int status, struct sooth_error *err)
{
	if (status >= 0 || !diagnosing_without_samples(&d->diagnosing, &d->run, err))
		return status;
	if (has_tree_file(d->config))
		memset(&d->run.product, 0, sizeof(d->run.product));
	choose_views(d);
	return run_report(&d->run, err);
}

/* Runs again without system calls, with the reason and exit status 3. */
static int run_without_calls(struct claude_diagnosis *d, struct sooth_error *err)
{
	int status;

	memset(&d->run.product, 0, sizeof(d->run.product));
	d->overview.flamegraph_path = NULL;
	choose_views(d);
	d->overview.calls_refused = d->diagnosing.no_calls.reason;
	fprintf(stderr, "system calls were not observed: %s; %s\n", d->diagnosing.no_calls.reason,
		d->run.unseen[RUN_UNSEEN_CALLS].remedy);
	if (d->files.picture)
		fprintf(stderr, "the picture of the system calls was not written: %s\n",
			d->files.picture);
	status = run_without_samples(d, run_report(&d->run, err), err);
	return status ? status : diagnosing_exit(&d->diagnosing, false);
}

static void emit_no_samples(const struct claude_diagnosis *d)
{
	if (!*d->diagnosing.no_samples.reason || !d->config->has_sample)
		return;
	fprintf(stderr, "stacks are not sampled: %s; `sooth doctor` says what is missing\n",
		d->diagnosing.no_samples.reason);
	if (has_tree_file(d->config))
		fprintf(stderr, "the call tree was not written: %s\n", d->config->output.output);
}

static int run_observation(struct claude_diagnosis *d, struct sooth_error *err)
{
	int status = diagnosing_begin(&d->diagnosing, &d->run, err);

	if (!status && d->diagnosing.has_calls && d->config->has_flamegraph)
		status = choose_picture(d, err);
	choose_tree(d);
	choose_views(d);
	if (!status)
		status = run_report(&d->run, err);
	status = run_without_samples(d, status, err);
	if (status >= 0 && d->files.picture && !d->config->output.json &&
		strcmp(d->files.picture, "-") != 0)
		printf("flamegraph: %s\n", d->files.picture);
	if (status < 0 && diagnosing_without_calls(&d->diagnosing, &d->run, err))
		status = run_without_calls(d, err);
	/* The error has the whole reason. */
	if (status >= 0)
		emit_no_samples(d);
	return status;
}

static int run_diagnosis(const struct claude_diagnose_config *c, struct sooth_error *err)
{
	bool is_deep = c->is_deep || c->has_sample;
	bool is_quick = !is_deep && !c->has_calls && !c->duration_ns;
	uint64_t duration_ns = c->duration_ns;
	struct claude_diagnosis *d = calloc(1, sizeof(*d));
	int status;

	/* There is one observation, which lasts as long as the longer of the two durations. */
	if (c->has_sample && c->sample_ns > duration_ns)
		duration_ns = c->sample_ns;

	if (!d)
		return error_no_memory(err);
	d->config = c;
	d->report = c->output;
	d->report.verbose = true; /* the text of the old tool lists all checks */
	d->diagnosing = (struct diagnosing){ .is_deep = is_deep,
		.is_quick = is_quick,
		.wants_calls = c->has_calls,
		.insists_on_calls = c->has_calls,
		.wants_samples = c->has_sample,
		.needs_every_call = true,
		.agent = AGENT,
		.duration_ns = is_quick ? QUICK_NS : duration_ns };
	d->run = (struct run){ .name = "claude-diagnose",
		.target = &d->target,
		.output = &d->report,
		.arguments = &d->arguments };
	if (c->pid) {
		snprintf(d->pid_text, sizeof(d->pid_text), "%u", (unsigned)c->pid);
		d->pids[0] = d->pid_text;
		d->arguments = (struct arguments){ .items = d->pids, .count = 1 };
	}
	status = run_observation(d, err);
	if (!status && c->has_sample && *d->diagnosing.no_samples.reason)
		status = EXIT_LACKING;
	diagnosing_end(&d->diagnosing);
	picture_files_fini(&d->files);
	free(d);
	return status;
}

static int run_claude_diagnose(const char *name, int argc, char **argv, struct sooth_error *err)
{
	struct claude_diagnose_config c = { 0 };
	struct arguments arguments = { 0 };
	int status = options_parse(groups, ARRAY_SIZE(groups), &c, argc, argv, &arguments, err);

	if (!status && !compat_answer(c.asked, name, print_help)) {
		status = check_options(&c, &arguments, err);
		if (!status)
			emit_overlooked(name, &c);
		if (!status)
			status = run_diagnosis(&c, err);
	}
	free(arguments.items);
	return status;
}

const struct compat compat_claude_diagnose = { run_claude_diagnose };
