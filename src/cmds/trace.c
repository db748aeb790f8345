/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth trace: shows system calls of a target, line by line or counted. */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/calls/call_stacks.h"
#include "analyze/calls/operations.h"
#include "analyze/calls/syscall_folded.h"
#include "analyze/calls/syscall_stream.h"
#include "analyze/calls/syscall_table.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/plain_path.h"
#include "base/units.h"
#include "cli/config/labels.h"
#include "cli/backend_offer.h"
#include "cli/command/command.h"
#include "cli/picture.h"
#include "cli/run.h"
#include "cli/tracing_menu.h"
#include "os/os.h"
#include "probes/syscalls.h"

/* --- paths that the user names; a file may not exist yet --- */

struct requested_path {
	char *path; /* absolute, without "." and ".."; NULL: none */
	char *real; /* path with links resolved; NULL: the same path, or the file is missing */
};

/* Sets the path with links resolved. "link/.." is the parent of the link's target: such a path then
 * has only that name. */
static void find_real(struct requested_path *p, const char *asked)
{
	char *plain = realpath(p->path, NULL);

	p->real = realpath(asked, NULL);
	if (p->real && (!plain || strcmp(p->real, plain) != 0)) {
		free(p->path);
		p->path = TAKE_PTR(p->real);
	}
	if (p->real && !strcmp(p->real, p->path)) {
		free(p->real);
		p->real = NULL;
	}
	free(plain);
}

/* Reads a path; `asked` NULL: no path. -EINVAL: the path is empty. */
static int requested_path_read(struct requested_path *p, const char *asked, struct sooth_error *err)
{
	struct buffer whole = { 0 };
	char folder[PATH_MAX];

	if (!asked)
		return 0;
	if (!*asked) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand an empty path");
		return error_remedy(err, "name a file or a folder: -P /etc");
	}
	if (*asked != '/' && getcwd(folder, sizeof(folder)))
		plain_path_add(&whole, span_of(folder, strlen(folder)));
	plain_path_add(&whole, span_of(asked, strlen(asked)));
	if (!whole.size)
		buffer_char(&whole, '/');
	p->path = buffer_failed(&whole) ? NULL : strdup(buffer_cstr(&whole));
	buffer_fini(&whole);
	if (!p->path)
		return error_no_memory(err);
	find_real(p, asked);
	return 0;
}

static void requested_path_fini(struct requested_path *p)
{
	free(p->path);
	free(p->real);
}

/* --- the command --- */

struct trace_config {
	struct target_options target;
	struct output_options output;
	struct run_options run;
	struct picture_options picture;
	struct {
		bool count, failed, clock, relative, durations, plain, follow, names;
		bool stack, lossless, quiet, seccomp;
		bool io, network, process, memory, file;
		const char *calls, *path, *folded, *backend;
		bool apart;
		uint64_t data_bytes, interval_ns;
	} trace;
};

static const char *backend_name(size_t i)
{
	static const char *const names[] = { "bpf", "ptrace" };

	return i < ARRAY_SIZE(names) ? names[i] : NULL;
}

static const struct option trace_options[] = {
	FLAG_ROW('c', "count", trace_config, trace.count,
		"print a table of counts, errors and times instead of every call"),
	VALUE_ROW('e', "calls", TEXT, "SET", trace_config, trace.calls,
		"show only these calls: names (openat,close) or groups (network, %path); !futex: "
		"all except futex"),
	VALUE_ROW('P', "path", TEXT, "PATH", trace_config, trace.path,
		"show only calls on this path, or below this directory"),
	FLAG_ROW('Z', "failed", trace_config, trace.failed, "show only failed system calls"),
	FLAG_ROW(0, "io", trace_config, trace.io,
		"print totals per file instead of every call: bytes, time, overwritten bytes"),
	FLAG_ROW(0, "network", trace_config, trace.network,
		"print totals by connection instead of every call: bytes each way, times, peer"),
	FLAG_ROW(0, "process", trace_config, trace.process,
		"list process starts instead of every call: parent, command line, exit status"),
	FLAG_ROW(0, "memory", trace_config, trace.memory,
		"print totals of memory allocated from the kernel and returned to it"),
	FLAG_ROW(0, "file", trace_config, trace.file,
		"show only system calls that take a path (the same as -e %path)"),
	VALUE_ROW(0, "interval", DURATION, "TIME", trace_config, trace.interval_ns,
		"with -c, --io, --network or --memory: print a table every TIME, and totals at the "
		"end",
		.min = NS_PER_S / 10, .max = 86400 * NS_PER_S),
	VALUE_ROW('s', "string-size", BYTES, "SIZE", trace_config, trace.data_bytes,
		"show up to this many bytes of the data each call reads or writes (default: 0, "
		"none)",
		.max = SYSCALLS_PIECE_MAX),
	FLAG_ROW('t', "clock", trace_config, trace.clock, "show the time of day on each line"),
	FLAG_ROW('r', "relative", trace_config, trace.relative,
		"show the time since the previous line"),
	FLAG_ROW('T', NULL, trace_config, trace.durations,
		"show the duration of each system call (always on)"),
	FLAG_ROW('q', NULL, trace_config, trace.quiet,
		"show no messages about attaching (always on)"),
	FLAG_ROW('f', NULL, trace_config, trace.follow,
		"also trace threads and children (always on)"),
	FLAG_ROW('y', NULL, trace_config, trace.names,
		"show what each file descriptor refers to (always on, unless --plain is given)"),
	VALUE_ROW(0, "folded", FILE, "FILE", trace_config, trace.folded,
		"also write stacks to FILE: microseconds by process, role, category, call, file or "
		"peer"),
	FLAG_ROW(0, "apart", trace_config, trace.apart,
		"with --flamegraph or --folded: separate stacks for processes of the same name"),
	FLAG_ROW(0, "stack", trace_config, trace.stack,
		"print at the end which code makes the calls: the stacks of each call, and how "
		"often"),
	FLAG_ROW(0, "lossless", trace_config, trace.lossless,
		"trace by ptrace, and let the target wait while the buffer is full: no call is "
		"lost"),
	VALUE_ROW(0, "backend", CHOICE, "BACKEND", trace_config, trace.backend,
		"bpf (the default): in the kernel; ptrace: needs no privilege for your own "
		"processes, but stops them at each call",
		.choice = backend_name),
	FLAG_ROW(0, "seccomp", trace_config, trace.seccomp,
		"with --backend ptrace and -- COMMAND: only the calls of -e SET stop it, by a "
		"filter; COMMAND ends with sooth"),
	FLAG_ROW(0, "plain", trace_config, trace.plain,
		"show file descriptors as numbers; sooth then does not look up what they refer to"),
};

static const struct option_group groups[] = {
	OPTION_GROUP("System calls", trace_options, 0),
	TARGET_GROUP(struct trace_config, target),
	RUN_GROUP(struct trace_config, run),
	PICTURE_GROUP(struct trace_config, picture),
	OUTPUT_GROUP(struct trace_config, output),
	FILE_GROUP(struct trace_config, output),
	SAVE_GROUP(struct trace_config, output),
};

#define SUMS_NEED    "totals need every call, and a selection of calls would leave some out"
#define SUMS_INSTEAD "--filter selects rows of the totals; -c -e SET counts some calls"

static const struct option_rule rules[] = {
	{ OPTION_PER_PROCESS, "count", "clock,relative",
		"-c prints a table of counts, which has no time on each line", NULL },
	{ OPTION_PER_PROCESS, "count", "string-size",
		"with -c the kernel only counts calls and does not read their data", NULL },
	{ OPTION_PER_PROCESS, "calls", "io,network,process,memory", SUMS_NEED, SUMS_INSTEAD },
	{ OPTION_PER_PROCESS, "file", "io,network,process,memory", SUMS_NEED, SUMS_INSTEAD },
	{ OPTION_PER_PROCESS, "clock", "io,network,process,memory",
		"totals are a table, which has no time on each line", NULL },
	{ OPTION_PER_PROCESS, "relative", "io,network,process,memory",
		"totals are a table, which has no time on each line", NULL },
	{ OPTION_NEEDS, "apart", "folded,flamegraph",
		"the option sets how stacks are grouped, and without --folded or --flamegraph none "
		"are written",
		NULL },
	{ OPTION_NEEDS, "weight", "folded,flamegraph",
		"the option sets what stacks count, and without --folded or --flamegraph none are "
		"written",
		NULL },
	{ OPTION_PER_PROCESS, "lossless", "all",
		"sooth could pause the process that reads its output: both would wait forever",
		"give -p PID or -- COMMAND, or leave out --lossless" },
	OPTION_OVER("duration"),
	OPTION_OVER("buffer"),
	OPTION_OVER("control"),
	OPTION_OVER("lossless"),
	OPTION_OVER("backend"),
	OPTION_OVER("seccomp"),
	OPTION_OVER("interval"),
};

/* Chooses the probes: descriptors are read once, and calls show their changes. */
static void choose_probes(const struct trace_config *c, struct run *run)
{
	bool has_stacks = c->trace.folded || c->picture.flamegraph;
	bool is_counted = c->trace.count && !c->trace.interval_ns && !has_stacks;

	run->probes[0] = (struct run_probe){ "syscalls", is_counted ? SOOTH_COUNT : SOOTH_STREAM };
	if (c->trace.plain)
		return;
	/* With --all each process has rows of its own, which need a name. */
	if (is_counted && c->target.all)
		run->probes[1] = (struct run_probe){ "proc", SOOTH_SAMPLE | SOOTH_ONCE };
	if (is_counted)
		return;
	/* The samples of this probe delimit the intervals. */
	run->probes[1] = (struct run_probe){ "proc",
		SOOTH_SAMPLE | (c->trace.interval_ns ? 0 : SOOTH_ONCE) };
	if (c->trace.count && !has_stacks)
		return;
	run->probes[2] = (struct run_probe){ "fds", SOOTH_SAMPLE | SOOTH_ONCE };
	run->probes[3] = (struct run_probe){ "sockets", SOOTH_SAMPLE | SOOTH_ONCE };
}

static bool wants_operations(const struct trace_config *c)
{
	return c->trace.io || c->trace.network || c->trace.process || c->trace.memory;
}

/* Returns the calls that an operation needs; calls that move descriptors are always included. */
static const char *calls_of(const struct trace_config *c, struct buffer *set)
{
	if (c->trace.calls)
		return c->trace.calls;
	if (c->trace.file)
		return "%path";
	if (!wants_operations(c))
		return NULL;
	buffer_string(set, "%exits");
	buffer_string(set, c->trace.io || c->trace.network ? ",file,%bytes" : "");
	buffer_string(set, c->trace.network ? ",%connections" : "");
	buffer_string(set, c->trace.memory ? ",memory" : "");
	return buffer_cstr(set);
}

/* Prints the overhead before the start: with --all it affects every process. */
static void emit_overhead(void)
{
	for (size_t i = 0; os_native.backends[i]; i++) {
		const struct backend *b = os_native.backends[i];

		if (!strcmp(b->probe, "syscalls") && b->target_ns && !b->only_on_request)
			fprintf(stderr,
				"sooth: each call of each process takes about %u ns longer while "
				"this runs (%s)\n",
				b->target_ns, b->price_source);
	}
}

static int check_interval(const struct trace_config *c, struct sooth_error *err)
{
	bool has_sums = c->trace.count || wants_operations(c);

	if (!c->trace.interval_ns || (has_sums && !c->trace.plain))
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --interval here");
	error_why(err, has_sums ? "--interval repeats a sample, and --plain takes no samples: "
				  "leave out --interval or --plain"
				: "--interval repeats a table, and sooth trace without -c, --io, "
				  "--network or --memory prints none");
	return error_remedy(err, "sooth trace --interval 2 -c PID, or with --io, --network or "
				 "--memory instead of -c");
}

static int check_lossless(const struct trace_config *c, struct sooth_error *err)
{
	if (!c->trace.lossless || !c->trace.count || c->trace.interval_ns || c->trace.folded)
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --lossless with -c");
	error_why(err, "counted calls are never lost: the kernel counts them in place");
	return error_remedy(err, "leave out --lossless, or -c");
}

/* Refuses pairs of options whose outputs exclude each other. */
static int check_pairs(const struct trace_config *c, struct sooth_error *err)
{
	if (c->trace.count && wants_operations(c)) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "show counts and other totals at once");
		error_why(err, "-c counts calls; --io, --network, --process and --memory total "
			       "what the calls did");
		return error_remedy(err, "give one of the two; -c -e file counts some calls");
	}
	if (!c->trace.clock || !c->trace.relative)
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "print two times on each line");
	error_why(err, "-t shows the time of day, -r the time since the previous line");
	return error_remedy(err, "give one of the two");
}

/* Refuses a total of selected lines: it would look like a total of all lines. */
static int check_lines(const struct trace_config *c, struct sooth_error *err)
{
	bool has_sums = c->trace.count || wants_operations(c);

	if (has_sums && (c->trace.failed || c->trace.path)) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use -Z or -P with a table");
		error_why(err, c->trace.failed
				       ? "-Z selects single calls; a table counts all calls and "
					 "has a column of errors"
				       : "-P selects single calls; a table covers every path");
		return error_remedy(err, c->trace.failed
						 ? "leave out -Z, or leave out -c, --io, "
						   "--network, --process and --memory"
						 : "sooth trace --io --filter 'path ~ /etc/' PID");
	}
	if (!c->trace.file || !c->trace.calls)
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --file and -e together");
	error_why(err, "--file is short for -e %%path, and -e can be given only once");
	return error_remedy(err, "name %%path and the other calls in one -e: -e %%path,read");
}

/* Refuses options that exclude stacks: frames have names only at the end, and stacks cover all
 * lines. */
static int check_stack(const struct trace_config *c, struct sooth_error *err)
{
	if (!c->trace.stack || !(wants_operations(c) || c->trace.interval_ns))
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --stack here");
	error_why(err, "--stack lists the stacks of single calls at the end; --io, --network, "
		       "--process, --memory and --interval print totals of another kind");
	return error_remedy(err, "sooth trace -c --stack PID");
}

/* A filter cannot be taken from a process again, and is of use only if it spares calls. */
static int check_seccomp(
	const struct trace_config *c, const struct arguments *arguments, struct sooth_error *err)
{
	bool is_ptrace = c->trace.backend && !strcmp(c->trace.backend, "ptrace");

	if (!c->trace.seccomp ||
		(is_ptrace && arguments->command && (c->trace.calls || c->trace.file) &&
			!c->run.max_overhead_percent))
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --seccomp here");
	error_why(err,
		!arguments->command ? "a process that runs keeps the filter, and its calls would "
				      "fail once sooth ends"
		: !is_ptrace	    ? "BPF needs no filter: it is part of --backend ptrace"
		: c->run.max_overhead_percent
			? "--max-overhead detaches in the end, and the command ends with its tracer"
			: "all calls are selected, so a filter would spare none");
	return error_remedy(err, "sooth trace --backend ptrace --seccomp -e SET -- COMMAND");
}

static int check_options(
	const struct trace_config *c, const struct arguments *arguments, struct sooth_error *err)
{
	int status = check_interval(c, err);

	if (!status)
		status = check_pairs(c, err);
	if (!status)
		status = check_lines(c, err);
	if (!status)
		status = check_stack(c, err);
	if (!status)
		status = check_seccomp(c, arguments, err);
	return status ? status : check_lossless(c, err);
}

/* The options of each view. */
struct views {
	struct call_stacks_options stacks;
	struct operations_options operations;
	struct syscall_stream_options stream;
	struct syscall_table_options table;
	struct syscall_folded_options folded;
};

static void choose_view(const struct trace_config *c, const struct views *v, struct run *run)
{
	if (c->trace.count)
		run->views[0] = (struct run_view){ "syscall-table", &v->table };
	else if (wants_operations(c))
		run->views[0] = (struct run_view){ "operations", &v->operations };
	else
		run->views[0] = (struct run_view){ "syscall-stream", &v->stream };
	run->is_stream = !c->trace.count && !wants_operations(c);
}

static struct views views_of(const struct trace_config *c, const struct sooth_calls_options *calls,
	const struct requested_path *path, const struct sockets_options *peers)
{
	return (struct views){
		.stacks = { .set = calls->call_set },
		.operations = { .io = c->trace.io,
			.network = c->trace.network,
			.process = c->trace.process,
			.memory = c->trace.memory,
			.by_process = c->target.all,
			.is_repeated = c->trace.interval_ns != 0,
			.labels = peers },
		.stream = { .calls = *calls,
			.path = path->path,
			.real_path = path->real,
			.only_numbers = c->trace.plain,
			.is_host = c->target.all,
			.time = c->trace.clock	    ? SYSCALL_STREAM_CLOCK
				: c->trace.relative ? SYSCALL_STREAM_RELATIVE
						    : SYSCALL_STREAM_MONOTONIC },
		.table = { .set = calls->call_set,
			.by_process = c->target.all,
			.is_repeated = c->trace.interval_ns != 0 },
		.folded = { .set = calls->call_set,
			.look = picture_look(&c->picture,
				c->picture.flamegraph ? CALL_GRAPH_CALLS : CALL_GRAPH_TIME),
			.is_per_process = c->trace.apart },
	};
}

/* Adds stacks after the probes that the calls need. */
static void choose_stacks(const struct trace_config *c, const struct views *v, struct run *run)
{
	size_t last = 0;

	if (!c->trace.stack)
		return;
	while (run->probes[last].name)
		last++;
	run->probes[last] = (struct run_probe){ "profile", SOOTH_STREAM };
	run->observer.profile.of_calls = true;
	run->views[1] = (struct run_view){ "call-stacks", &v->stacks };
}

/* Sets the output of stacks: a picture with its text beside it, or text without a picture. */
static void choose_side_output(const struct trace_config *c, struct picture_files *files,
	const struct views *views, struct run *run)
{
	if (files->picture) {
		run->product = picture_side_output(files, &views->folded);
		/* Every call as a line is printed only if the user requests it. */
		run->is_silent = run->is_stream && !c->output.json && !c->output.format;
		if (c->trace.folded)
			run->product.beside_path = c->trace.folded;
		return;
	}
	run->product = (struct run_side_output){ .path = c->trace.folded,
		.view = { "syscall-folded", &views->folded },
		.sink = "folded",
		.has_no_notes = true,
		.is_whole = true };
}

#define SAMPLES_NS (20 * NS_PER_MS)

/* Returns whether samples can stand for what was requested: all calls of processes that run. */
static bool can_sample(const struct trace_config *c, const struct run *run)
{
	return !c->trace.calls && !c->trace.file && !c->trace.path && !c->trace.failed &&
	       !c->trace.stack && !c->trace.interval_ns && !c->trace.folded &&
	       !c->trace.data_bytes && !c->picture.flamegraph && !wants_operations(c) &&
	       !run->arguments->command;
}

/* Reads now and then which call each thread is in. `refusal`: why calls cannot be seen. */
static int run_samples(struct run *run, struct sooth_error *refusal)
{
	const struct sooth_error before = *refusal;
	char reason[sizeof(before.tried) + sizeof(before.why) + 32];
	int status;

	snprintf(reason, sizeof(reason), "sampled: cannot %s: %s", before.tried, before.why);
	run->probes[0] = (struct run_probe){ "threads", SOOTH_SAMPLE | SOOTH_DETAIL };
	run->probes[1] = (struct run_probe){ 0 };
	run->views[0] = (struct run_view){ "call-samples", NULL };
	run->is_stream = false;
	run->observer.sample_ns = SAMPLES_NS;
	run->unseen[RUN_UNSEEN_CALLS] =
		(struct run_unseen){ "counts, errors and times of calls", reason, before.remedy };
	status = run_report(run, refusal);
	if (status == -EPERM) /* not even that: the better way is the one to ask for */
		*refusal = before;
	return status;
}

/* Runs; without privilege, by ptrace if the user agrees: it slows the target too much to be used
 * unasked; else by samples, which show less. */
static int run_or_offer(const struct trace_config *c, struct run *run, struct sooth_error *err)
{
	bool may_offer = !c->trace.backend && !c->trace.lossless && !c->target.all &&
			 !c->target.user && !c->run.dry_run && !target_capture(run->arguments);
	struct backend_offer offer = { 0 };
	int status;

	if (may_offer && backend_offer_find(&offer, "syscalls"))
		run->observer.calls.by_ptrace = backend_offer_accepted(&offer);
	status = run_report(run, err);
	if (status >= 0 || !may_offer || run->observer.calls.by_ptrace ||
		strcmp(err->tried, offer.refusal.tried) != 0)
		return status;
	if (offer.backend)
		backend_offer_add_remedy(&offer, err);
	return can_sample(c, run) ? run_samples(run, err) : status;
}

static int run_trace(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	static const struct watch_options intervals = { .schema = "proc.snapshot",
		.in_intervals = true };
	struct trace_config *c = config;
	struct buffer set = { 0 };
	struct labels labels = { 0 };
	struct sockets_options peers;
	struct picture_files files;
	struct requested_path path = { 0 };
	struct views views;
	struct run run = {
		.name = "trace",
		.target = &c->target,
		.output = &files.report,
		.arguments = arguments,
		.observer.calls = { .call_set = calls_of(c, &set),
			.failures_only = c->trace.failed,
			.kept_data_bytes = (uint32_t)c->trace.data_bytes,
			.by_ptrace = c->trace.backend && !strcmp(c->trace.backend, "ptrace"),
			.by_seccomp = c->trace.seccomp,
			.must_hold = c->trace.lossless },
		.allowed = TARGET_MAY_BE_COMMAND,
		.options = c->run,
		.observer.sample_ns = c->trace.interval_ns,
		.watch = c->trace.interval_ns ? &intervals : NULL,
	};
	int status = picture_files(&files, &c->picture, &c->output, err);

	if (!status)
		status = requested_path_read(&path, c->trace.path, err);
	views = views_of(c, &run.observer.calls, &path, &peers);
	if (!status)
		status = check_options(c, arguments, err);
	if (!status && !target_capture(arguments) && !target_is_given(&c->target, arguments) &&
		tracing_menu_can_ask())
		return tracing_menu_run(err);
	if (!status)
		status = labels_read(&labels, err);
	if (!status && c->target.all && !target_capture(arguments))
		emit_overhead();
	if (!status && c->trace.seccomp && !c->run.dry_run)
		fprintf(stderr,
			"sooth: %s and its children end with sooth, and gain no privilege\n",
			arguments->command[0]);
	choose_probes(c, &run);
	choose_view(c, &views, &run);
	choose_stacks(c, &views, &run);
	choose_side_output(c, &files, &views, &run);
	labels_options(&labels, &peers);
	if (!status)
		status = run_or_offer(c, &run, err);
	requested_path_fini(&path);
	picture_files_fini(&files);
	labels_fini(&labels);
	buffer_fini(&set);
	return status;
}

const struct command command_trace = {
	.main_options = "count,calls,path,failed,io,network,duration,stack,flamegraph,json,save",
	.name = "trace",
	.summary = "system calls of a process and its children",
	.usage = "[-c] [-j] [-o FILE] [-d TIME] PID|NAME... | FILE.sooth | -- COMMAND [ARG...]",
	.about = "Prints every system call as a line; with -c the kernel counts the calls and "
		 "sooth prints a\n"
		 "table. New threads, forked children and exec are followed. The target is not "
		 "stopped:\n"
		 "when the buffer is full, calls are lost, and sooth prints how many. With "
		 "--lossless\n"
		 "sooth pauses the target instead. Without privilege sooth reads now and then "
		 "which call\n"
		 "each thread of your own processes is in, and prints a table of these samples.",
	.examples = "  sooth trace -c -d 5 4711         five seconds of a process, as a table\n  "
		    "sooth trace --session 4f1c       every call of a session and of what it "
		    "starts\n  sooth trace -- git status        every call of a command\n  sooth "
		    "trace -c -j -- make        counts as JSON\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct trace_config),
	.run = run_trace,
};
