/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth heap: shows allocations of a target, as totals, or line by line in a file. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "analyze/heap/heap_graph.h"
#include "analyze/heap/heap_lines.h"
#include "analyze/heap/heap_table.h"
#include "analyze/profile/pages_graph.h"
#include "analyze/timeline/timeline.h"
#include "base/units.h"
#include "cli/command/command.h"
#include "cli/page_answer.h"
#include "cli/picture.h"
#include "cli/run.h"
#include "cli/state/preload_file.h"

#define SAMPLE_NS (250 * NS_PER_MS)

struct heap_config {
	struct target_options target;
	struct output_options output;
	struct debug_servers servers;
	struct run_options run;
	struct picture_options picture;
	struct sooth_observer_options observer;
	char preload_file[PATH_MAX];
	struct {
		const char *lines;
		bool count;
		bool stack, leaks, churn, sizes, peak;
		bool sites;
		bool no_hold;
		bool pages, timeline, ask_runtime;
		bool rss, rmap, no_allocators;
		bool in_kernel, exact;
		uint64_t min_age_ns, top;
		const char *folded, *pprof, *heaptrack, *weight, *by;
		const char *engine;
	} heap;
};

/* Returns the names of engines in the order of enum sooth_heap_engine. */
static const char *engine_name(size_t i)
{
	static const char *const names[] = { "bpf", "preload", "auto" };

	return i < sizeof(names) / sizeof(names[0]) ? names[i] : NULL;
}

/* Returns the position of `word` among the words of an option, from 1; 0: no word was given. */
static unsigned place_of(const char *word, const char *(*words)(size_t index))
{
	unsigned place = 0;

	while (word && strcmp(words(place), word) != 0)
		place++;
	return place;
}

static const struct option heap_options[] = {
	VALUE_ROW('o', "output", FILE, "FILE.jsonl", heap_config, heap.lines,
		"also write each call to this file; a JSON line each, - for stdout; with "
		"--flamegraph: the picture"),
	FLAG_ROW('c', "count", heap_config, heap.count,
		"only count the calls, in the kernel: less overhead, but no live or peak bytes"),
	FLAG_ROW(0, "stack", heap_config, heap.stack,
		"print which code allocates: the stacks of allocations, and what is not freed of "
		"them"),
	FLAG_ROW(0, "live", heap_config, heap.stack, "the same as --stack"),
	VALUE_ROW(0, "by", CHOICE, "WHAT", heap_config, heap.by,
		"what to list allocations by (default: stack); class: of sizes",
		.choice = heap_by_name),
	VALUE_ROW(0, "min-age", DURATION, "TIME", heap_config, heap.min_age_ns,
		"count as live only blocks that were allocated so long ago; records every call",
		.min = NS_PER_MS, .max = 366 * 86400 * NS_PER_S),
	VALUE_ROW(0, "top", U64, "N", heap_config, heap.top,
		"rows of such a table (default 20; JSON has all)", .min = 1, .max = 1u << 20),
	FLAG_ROW(0, "leaks", heap_config, heap.leaks,
		"print only which code keeps more and more memory, with a summary first"),
	FLAG_ROW(0, "churn", heap_config, heap.churn,
		"print only which code frees within 10 ms, with a summary first"),
	FLAG_ROW(0, "sizes", heap_config, heap.sizes,
		"print only the live blocks by size class and the code with most of each, with a "
		"summary first"),
	FLAG_ROW(0, "peak", heap_config, heap.peak,
		"print only which code held the memory when most was live, with a summary first"),
	FLAG_ROW(0, "timeline", heap_config, heap.timeline,
		"live bytes, allocated and freed bytes, and resident memory by kind, over time; "
		"with -o FILE.svg or FILE.png a picture"),
	FLAG_ROW(0, "pages", heap_config, heap.pages,
		"memory by page faults, in any language: which code touched what remains; instead "
		"of calls of malloc. About 1000 faults a second and CPU have their stacks read: "
		"where there are more, estimates with their error"),
	FLAG_ROW(0, "ask-runtime", heap_config, heap.ask_runtime,
		"also which class keeps the memory: a JVM is made to count its live objects at the "
		"start and the end; each count is a full collection, which pauses the program"),
	FLAG_ROW(0, "rss", heap_config, heap.rss,
		"also resident memory by kind at each change, so that no peak is missed; with -o "
		"also lines of type Rss, Fork, Exec and Exit"),
	FLAG_ROW(0, "rmap", heap_config, heap.rmap,
		"with --rss -o also lines of type Rmap: pages that each change added"),
	FLAG_ROW(0, "no-allocators", heap_config, heap.no_allocators,
		"as --rss, but without allocations: nothing is probed in the processes"),
	FLAG_ROW(0, "in-kernel", heap_config, heap.in_kernel,
		"add up by stack in the kernel: no call is lost at any rate, and no single call is "
		"recorded"),
	VALUE_ROW(0, "sample-bytes", BYTES, "SIZE", heap_config, observer.heap.bytes_per_sample,
		"add up samples only, about one per SIZE of allocated memory (e.g. 512K): less "
		"overhead; estimates with their error. Launched commands: each program that loads "
		"sooth's library records every call, which costs even less",
		.min = 1, .max = 1ull << 30),
	FLAG_ROW(0, "exact", heap_config, heap.exact,
		"record every call, where stacks would be added up in the kernel, or sampled "
		"because that takes much; with --pages the stack of every page fault"),
	VALUE_ROW(0, "blocks", U64, "COUNT", heap_config, observer.heap.blocks_most,
		"blocks that can be live at a time where the kernel adds up (default 1048576); "
		"each takes some 100 bytes of kernel memory",
		.min = 1024, .max = 1u << 26),
	FLAG_ROW(0, "sites", heap_config, heap.sites,
		"list the probed address of each function, and the reason for the probe"),
	VALUE_ROW(0, "weight", CHOICE, "WHAT", heap_config, heap.weight,
		"what stacks in files show: live (bytes not freed), blocks, allocated, calls, peak "
		"(bytes live when most was live) (default: live)",
		.choice = heap_weight_name),
	VALUE_ROW(0, "folded", FILE, "FILE", heap_config, heap.folded,
		"also write stacks to FILE as text, one stack per line"),
	VALUE_ROW(0, "pprof", FILE, "FILE", heap_config, heap.pprof,
		"also write stacks to FILE for pprof, speedscope or Grafana (gzipped)"),
	VALUE_ROW(0, "heaptrack", FILE, "FILE", heap_config, heap.heaptrack,
		"also write every allocation to FILE for heaptrack_print and heaptrack_gui; "
		"compressed if FILE is *.gz or *.zst"),
	VALUE_ROW(0, "engine", CHOICE, "ENGINE", heap_config, heap.engine,
		"where a launched command is observed: bpf (in the kernel), preload (by a library "
		"that its programs load: no privilege, some 10 ns a call), auto (the library where "
		"a program loads it, else the kernel); default: auto",
		.choice = engine_name),
	VALUE_ROW(0, "preload-library", FILE, "FILE", heap_config, observer.heap.preload_path,
		"that library, where it is not the installed one", .is_input = true),
	FLAG_ROW(0, "no-hold", heap_config, heap.no_hold,
		"never pause a launched command; calls that do not fit the buffer are lost"),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Allocations", heap_options, 0),
	TARGET_GROUP(struct heap_config, target),
	DEBUG_SERVERS_GROUP(struct heap_config, servers),
	PICTURE_PLAIN_GROUP(struct heap_config, picture),
	RUN_GROUP(struct heap_config, run),
	OUTPUT_GROUP(struct heap_config, output),
	SAVE_GROUP(struct heap_config, output),
};

static const struct option_rule rules[] = {
	DEBUG_SERVERS_RULES,
	{ OPTION_NEEDS, "debuginfod", "stack,live,leaks,churn,sizes,peak,in-kernel,pages",
		"other tables have no stacks", NULL },
	OPTION_OVER("duration"),
	OPTION_OVER("buffer"),
	OPTION_OVER("control"),
	OPTION_OVER("no-hold"),
	OPTION_OVER("blocks"),
	OPTION_OVER("exact"),
	{ OPTION_PER_PROCESS, "pages",
		"count,stack,live,leaks,churn,sizes,peak,in-kernel,sites,no-hold",
		"--pages observes no calls", NULL },
	{ OPTION_PER_PROCESS, "min-age", "count,in-kernel,sample-bytes,leaks,churn,peak,pages",
		"--min-age records every call, and lists what is live", NULL },
	{ OPTION_NEEDS, "top", "stack,live,by,leaks,churn,sizes,peak,min-age",
		"it bounds their tables", NULL },
	{ OPTION_PER_PROCESS, "by", "count,leaks,churn,sizes,peak,pages",
		"these have tables of their own", NULL },
	{ OPTION_PER_PROCESS, "leaks", "count,stack,live,churn,sizes,sites",
		"--leaks prints only its own answer", NULL },
	{ OPTION_PER_PROCESS, "churn", "count,stack,live,sizes,sites",
		"--churn prints only its own answer", NULL },
	{ OPTION_PER_PROCESS, "sizes", "count,stack,live,sites",
		"--sizes prints only its own answer", NULL },
	{ OPTION_PER_PROCESS, "peak", "count,stack,live,leaks,churn,sizes,sites",
		"--peak prints only its own answer", NULL },
	{ OPTION_PER_PROCESS, "timeline",
		"count,stack,live,by,leaks,churn,sizes,peak,min-age,top,pages,sample-bytes,exact,"
		"sites,flamegraph,folded,pprof",
		"--timeline shows values over time", NULL },
	{ OPTION_PER_PROCESS, "no-allocators",
		"count,stack,live,by,leaks,churn,sizes,peak,min-age,top,pages,timeline,in-kernel,"
		"sample-bytes,exact,sites,flamegraph,folded,pprof,heaptrack,engine",
		"--no-allocators observes no calls", NULL },
	{ OPTION_NEEDS, "rmap", "rss,no-allocators", "it adds lines to theirs", NULL },
	{ OPTION_NEEDS, "rmap", "output", "its lines are in that file", NULL },
	OPTION_OVER("sample-bytes"),
	{ OPTION_PER_PROCESS, "sample-bytes", "count,exact,pages",
		"--sample-bytes adds up samples of the calls", NULL },
	{ OPTION_PER_PROCESS, "in-kernel", "count", "--in-kernel counts too, and more", NULL },
	{ OPTION_PER_PROCESS, "exact", "count,in-kernel",
		"--exact records every call, the other one none", NULL },
	{ OPTION_PER_PROCESS, "count", "flamegraph,folded,pprof",
		"calls that are only counted have no stacks", NULL },
	{ OPTION_PER_PROCESS, "folded", "flamegraph", "--flamegraph writes the text too",
		"leave out --folded: the text is in FILE.folded" },
	{ OPTION_PER_PROCESS, "heaptrack", "count,in-kernel,sample-bytes,pages,timeline,output",
		"its file has every call, once",
		"save a capture for the other: --save FILE.sooth" },
	{ OPTION_NEEDS, "weight", "flamegraph,folded,pprof", "it is what the stacks in a file show",
		NULL },
};

static enum heap_answer selected_answer(const struct heap_config *c)
{
	return c->heap.leaks   ? HEAP_LEAKS
	       : c->heap.churn ? HEAP_CHURN
	       : c->heap.sizes ? HEAP_SIZES
	       : c->heap.peak  ? HEAP_PEAK
			       : HEAP_NO_ANSWER;
}

/* Returns the chosen engine; 0: none was chosen. */
static enum sooth_heap_engine engine_of(const struct heap_config *c)
{
	return c->heap.engine ? 1 + place_of(c->heap.engine, engine_name) : SOOTH_ENGINE_DEFAULT;
}

/* Returns the engine to use; 0: none. The engine in the process cannot probe addresses, so it is no
 * default then. */
static enum sooth_heap_engine chosen_engine(
	const struct heap_config *c, const struct arguments *arguments)
{
	if (c->heap.engine)
		return engine_of(c);
	return arguments->command && !c->heap.sites ? SOOTH_ENGINE_MIXED : SOOTH_ENGINE_DEFAULT;
}

static bool writes_lines(const struct heap_config *c)
{
	return c->heap.lines && !c->picture.flamegraph;
}

static bool writes_stacks(const struct heap_config *c)
{
	return c->picture.flamegraph || c->heap.folded || c->heap.pprof || c->heap.heaptrack;
}

static int refuse_lines(const char *option, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "write every call, with %s", option);
	error_why(err, "%s adds up calls, and -o lists each of them", option);
	return error_remedy(err, "leave out one of the two options");
}

/* Returns the compression that the end of the name demands: heaptrack's tools expect it. */
static enum packing packing_of(const char *path)
{
	const char *end = strrchr(path, '.');

	return end && !strcmp(end, ".gz")    ? PACKING_GZIP
	       : end && !strcmp(end, ".zst") ? PACKING_ZSTD
					     : PACKING_NONE;
}

/* Adds an output beside the report. */
static void add_side_output(struct run *run, const struct run_side_output *side)
{
	size_t i = 0;

	if (!run->product.path) {
		run->product = *side;
		return;
	}
	while (run->more[i].path)
		i++;
	run->more[i] = *side;
}

static void add_stacks_output(
	struct run *run, const char *path, const char *sink, struct run_view view)
{
	const struct run_side_output side = {
		.path = path, .view = view, .sink = sink, .has_no_notes = true, .is_whole = true
	};

	if (path)
		add_side_output(run, &side);
}

/* Views of the side outputs. */
struct stacks_views {
	struct heap_lines_options lines;
	struct heap_graph_options text, places; /* the latter also by the line, for pprof */
	struct pages_graph_options pages;
};

/* Sets the outputs beside the report: every call, as lines or for heaptrack, and the stacks. */
static int choose_side_outputs(const struct heap_config *c, struct picture_files *files,
	const struct stacks_views *views, struct run *run, struct sooth_error *err)
{
	const struct run_view pages = { "pages-graph", &views->pages };
	const struct run_view text = { "heap-graph", &views->text };
	const struct run_view places = { "heap-graph", &views->places };
	struct run_side_output picture;

	if ((c->heap.in_kernel || c->observer.heap.bytes_per_sample) && writes_lines(c))
		return refuse_lines(c->heap.in_kernel ? "--in-kernel" : "--sample-bytes", err);
	if (writes_lines(c))
		run->product = (struct run_side_output){ .path = c->heap.lines,
			.view = { "heap-lines", &views->lines },
			.sink = "json-rows" };
	add_stacks_output(
		run, c->heap.heaptrack, "heaptrack", (struct run_view){ "heap-track", NULL });
	if (c->heap.heaptrack)
		run->product.packing = packing_of(c->heap.heaptrack);
	if (files->picture) {
		picture = picture_side_output(files, NULL);
		picture.view = c->heap.pages ? pages : text;
		add_side_output(run, &picture);
	}
	add_stacks_output(run, c->heap.folded, "folded", c->heap.pages ? pages : text);
	add_stacks_output(run, c->heap.pprof, "pprof", c->heap.pages ? pages : places);
	return 0;
}

static bool needs_calls(const struct heap_config *c)
{
	enum heap_by by = place_of(c->heap.by, heap_by_name);

	return by == HEAP_BY_THREAD || by == HEAP_BY_SIZE || c->heap.min_age_ns ||
	       c->heap.heaptrack;
}

static bool needs_stacks(const struct heap_config *c)
{
	return c->heap.stack || c->heap.by || c->heap.min_age_ns || selected_answer(c) ||
	       writes_stacks(c);
}

/* Returns whether calls that need probes are sampled. A program of a launched command that loads
 * sooth's library records every call, which costs less than samples. */
static bool samples_what_is_probed(const struct heap_config *c, const struct arguments *arguments)
{
	return c->observer.heap.bytes_per_sample && arguments->command && !c->heap.in_kernel &&
	       !c->heap.sites && chosen_engine(c, arguments) == SOOTH_ENGINE_MIXED;
}

/* Returns whether samples can give the answer; --in-kernel and --exact demand that all calls
 * count. */
static bool may_use_samples(const struct heap_config *c)
{
	enum heap_answer answer = selected_answer(c);

	if (c->heap.exact || c->heap.in_kernel || c->observer.heap.bytes_per_sample ||
		c->heap.count || c->heap.sites || writes_lines(c) || writes_stacks(c) ||
		needs_calls(c))
		return false;
	return needs_stacks(c) && answer != HEAP_SIZES && answer != HEAP_PEAK;
}

/* Returns whether the kernel aggregates. A busy process makes more calls than a buffer holds, and
 * every sum would lack the lost calls. A command that sooth launches waits instead, so its single
 * calls are complete. */
static bool adds_up_in_kernel(const struct heap_config *c, const struct arguments *arguments)
{
	if (c->heap.exact || writes_lines(c) || samples_what_is_probed(c, arguments))
		return false;
	/* The engine in the process loses no calls at any rate; the kernel aggregates calls that
	 * need probes. */
	if ((engine_of(c) >= SOOTH_ENGINE_PRELOAD ||
		    (may_use_samples(c) && arguments->command &&
			    chosen_engine(c, arguments) == SOOTH_ENGINE_MIXED)) &&
		!c->heap.in_kernel && !c->observer.heap.bytes_per_sample)
		return false;
	/* Aggregates have no threads, exact sizes and ages. */
	if (needs_calls(c))
		return false;
	/* Nor do aggregates show the peak between two samples. */
	if (selected_answer(c) == HEAP_PEAK && arguments->command && !c->heap.in_kernel &&
		!c->observer.heap.bytes_per_sample)
		return false;
	return c->heap.in_kernel || c->observer.heap.bytes_per_sample || selected_answer(c) ||
	       (needs_stacks(c) && !arguments->command);
}

/* A report of a capture has no findings. */
static const struct check_settings no_settings;
static const struct timeline_options timeline = { .findings = { .settings = &no_settings } };

static bool is_picture(const char *path)
{
	return picture_has_ending(path, ".svg") || picture_has_ending(path, ".png");
}

/* Shows values over time: the aggregates of the kernel, and its memory counters. */
static int run_timeline(const struct heap_config *c, struct run *run, struct sooth_error *err)
{
	const struct run_probe probes[] = { { "resident", SOOTH_STREAM }, { "heap", SOOTH_COUNT },
		{ "proc", SOOTH_SAMPLE }, { "maps", SOOTH_SAMPLE | SOOTH_DETAIL },
		{ "exit_reasons", SOOTH_STREAM } };

	if (c->heap.lines && !is_picture(c->heap.lines)) {
		error_set(
			err, -EINVAL, SOOTH_FAULT_USAGE, "draw a timeline into %s", c->heap.lines);
		error_why(err, "sooth draws .svg and .png pictures");
		return error_remedy(err, "give -o FILE.svg or -o FILE.png");
	}
	memcpy(run->probes, probes, sizeof(probes));
	run->output = &c->output;
	run->views[0] = (struct run_view){ "timeline", &timeline };
	run->views[1] = (struct run_view){ "resident-peaks", NULL };
	run->observer.heap.sums_in_kernel = true;
	run->observer.sample_ns = SAMPLE_NS;
	run->observer.heap.may_pause = false;
	if (c->heap.lines)
		run->product = (struct run_side_output){ .path = c->heap.lines,
			.view = { "timeline", &timeline },
			.sink = "timeline-svg",
			.is_picture = true,
			.is_whole = true };
	run->is_silent = c->heap.lines && !c->output.json && !c->output.format;
	return run_report(run, err);
}

/* Adds resident memory at each change to what is observed, or observes only that. The probe is
 * first: then its last values come before the end of their process. */
static void add_resident(const struct heap_config *c, struct run *run)
{
	size_t view = 0;

	while (!c->heap.no_allocators && run->views[view].name)
		view++;
	if (!c->heap.no_allocators)
		memmove(run->probes + 1, run->probes, sizeof(run->probes) - sizeof(run->probes[0]));
	run->probes[0] = (struct run_probe){ "resident", SOOTH_STREAM };
	run->views[view] = (struct run_view){ "resident-peaks", NULL };
}

/* Adds the classes of live objects: their view comes first. A capture may have them too. */
static void add_objects(const struct heap_config *c, struct run *run)
{
	size_t probe = 0;

	while (run->probes[probe].name)
		probe++;
	if (c->heap.ask_runtime)
		run->probes[probe] = (struct run_probe){ "objects", SOOTH_SAMPLE | SOOTH_EDGES };
	memmove(run->views + 1, run->views, sizeof(run->views) - sizeof(run->views[0]));
	run->views[0] = (struct run_view){ "class-growth", NULL };
}

/* Compares allocations with resident memory: memory that grows may not be from malloc. A command
 * may end before the last sample. */
static void compare_with_resident(struct run *run, bool is_launched)
{
	run->probes[1] = (struct run_probe){ "proc", SOOTH_SAMPLE };
	if (is_launched)
		run->observer.sample_ns = SAMPLE_NS;
}

/* Checks that the library is there: otherwise the kernel would observe the command instead. */
static int check_library(const struct heap_config *c, struct sooth_error *err)
{
	if (!c->observer.heap.preload_path || c->preload_file[0] ||
		!access(c->observer.heap.preload_path, R_OK))
		return 0;
	error_errno(err, -errno, "read the library %s", c->observer.heap.preload_path);
	return error_remedy(err, "give the path of sooth-preload.so; without --preload-library "
				 "sooth uses the installed library");
}

/* Takes the library that this program has inside. If it cannot be written, the backend says that it
 * is missing, and the kernel may be asked instead. */
static struct heap_config *unpack_library(struct heap_config *c, const struct arguments *arguments)
{
	struct sooth_error ignored;

	if (!arguments->command || c->observer.heap.preload_path)
		return c;
	preload_file_write(c->preload_file, &ignored);
	if (c->preload_file[0])
		c->observer.heap.preload_path = c->preload_file;
	return c;
}

/* Refuses options that stacks of pages cannot answer: there are no calls. */
static int check_pages(const struct heap_config *c, struct sooth_error *err)
{
	enum heap_weight weight = place_of(c->heap.weight, heap_weight_name);

	if (c->heap.lines && !c->picture.flamegraph) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use -o with --pages");
		error_why(err, "--pages observes no calls, so there is no list of calls to write");
		return error_remedy(
			err, "leave out -o, or draw the stacks: --flamegraph -o FILE.svg");
	}
	if (weight == HEAP_WEIGHT_LIVE || weight == HEAP_WEIGHT_ALLOCATED ||
		weight == HEAP_WEIGHT_PEAK)
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --weight %s with --pages", c->heap.weight);
	error_why(err, "stacks of pages show the memory at the end (live), at its maximum (peak), "
		       "or all touched memory (allocated)");
	return error_remedy(err, "give --weight live, --weight peak or --weight allocated");
}

static int check_options(const struct heap_config *c, struct sooth_error *err)
{
	if (c->heap.pages)
		return check_pages(c, err);
	if (c->heap.lines && c->heap.count) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use -o with --count");
		error_why(err,
			"--count only counts the calls, so there is no list of calls to write");
		return error_remedy(err, "leave out -o or --count");
	}
	if (needs_calls(c) && (c->heap.in_kernel || c->observer.heap.bytes_per_sample)) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --by %s with %s", c->heap.by,
			c->heap.in_kernel ? "--in-kernel" : "--sample-bytes");
		error_why(err, "the kernel's sums have neither threads nor exact sizes");
		return error_remedy(err, "leave out one of the two options, or use --by class");
	}
	if (c->heap.stack && c->heap.count) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --stack with --count");
		error_why(err, "--count only counts the calls: they have no stacks");
		return error_remedy(err, "leave out --stack or --count");
	}
	return check_library(c, err);
}

/* Returns whether an option asks for other tables than what is kept. */
static bool asks_for_a_view(const struct heap_config *c)
{
	return c->heap.count || needs_stacks(c) || c->heap.sites || c->heap.lines || c->heap.pages;
}

static bool asks_for_calls(const struct heap_config *c)
{
	return asks_for_a_view(c) || c->heap.no_allocators || c->heap.in_kernel || c->heap.exact ||
	       c->observer.heap.bytes_per_sample || c->observer.heap.blocks_most || c->heap.engine;
}

static enum pages_weight pages_weight_of(enum heap_weight weight)
{
	return weight == HEAP_WEIGHT_ALLOCATED ? PAGES_TOUCHED
	       : weight == HEAP_WEIGHT_PEAK    ? PAGES_AT_PEAK
					       : PAGES_REMAINING;
}

static struct heap_table_options table_options_of(
	const struct heap_config *c, bool in_kernel, bool *is_explained)
{
	return (struct heap_table_options){ .sites = c->heap.sites,
		.stacks = needs_stacks(c) || in_kernel || c->observer.heap.bytes_per_sample,
		.by = place_of(c->heap.by, heap_by_name),
		.min_age_ns = c->heap.min_age_ns,
		.rows_most = c->heap.top,
		.is_explained = is_explained,
		.answer = asks_for_a_view(c) ? selected_answer(c) : HEAP_KEPT };
}

static struct sooth_observer_options observer_options_of(
	const struct heap_config *c, const struct arguments *arguments, bool in_kernel)
{
	struct sooth_observer_options options = c->observer;

	options.heap.may_pause = !c->heap.no_hold;
	options.heap.takes_stacks = needs_stacks(c) || options.heap.bytes_per_sample;
	options.heap.has_source_lines = options.heap.takes_stacks || in_kernel;
	options.heap.sums_in_kernel = in_kernel;
	options.heap.adapts_to_load = may_use_samples(c);
	options.heap.chosen_engine = chosen_engine(c, arguments);
	return options;
}

static struct stacks_views stacks_views_of(const struct heap_config *c)
{
	struct heap_graph_options graph = { .weight = place_of(c->heap.weight, heap_weight_name),
		.is_icicle = c->picture.icicle,
		.least_share = c->picture.least_percent / 100 };
	bool has_rss = c->heap.rss || c->heap.no_allocators;
	struct stacks_views views = { { .has_rss = has_rss, .has_rmap = c->heap.rmap }, graph,
		graph,
		{ .weight = pages_weight_of(graph.weight),
			.is_icicle = graph.is_icicle,
			.least_share = graph.least_share } };

	views.places.has_places = true;
	return views;
}

static int run_heap(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct heap_config *c = unpack_library(config, arguments);
	bool in_kernel = adds_up_in_kernel(c, arguments);
	const struct stacks_views views = stacks_views_of(c);
	struct output_options output = c->output;
	struct picture_files files = { 0 };
	struct target_found found = { 0 };
	int status;
	bool is_explained = false;
	const struct profile_options pages_beside = { .naming = { .has_lines = true },
		.is_explained = &is_explained };
	struct heap_table_options options = table_options_of(c, in_kernel, &is_explained);
	struct run run = {
		.name = "heap",
		.target = &c->target,
		.servers = &c->servers,
		.output = &files.report,
		.arguments = arguments,
		.probes = { { "heap",
			c->heap.count || in_kernel ? SOOTH_COUNT : SOOTH_COUNT | SOOTH_STREAM } },
		.views = { { "heap-table", &options } },
		.allowed = TARGET_MAY_BE_COMMAND,
		.observer = observer_options_of(c, arguments, in_kernel),
		.options = c->run,
	};

	if (c->heap.timeline)
		return run_timeline(c, &run, err);
	if (c->heap.pages)
		page_answer_alone(&run, c->heap.exact);
	else if (!c->heap.no_allocators)
		compare_with_resident(&run, arguments->command);
	if (c->picture.flamegraph)
		output.output = c->heap.lines;
	status = check_options(c, err);
	status = status ? status : picture_files(&files, &c->picture, &output, err);
	if (!status)
		status = choose_side_outputs(c, &files, &views, &run, err);
	if (!status && !asks_for_calls(c) && !arguments->command)
		status = page_answer_beside(&run, &found, &pages_beside, err);
	if (c->heap.rss || c->heap.no_allocators)
		add_resident(c, &run);
	add_objects(c, &run);
	status = status ? status : run_report(&run, err);
	picture_files_fini(&files);
	target_found_fini(&found);
	return status;
}

const struct command command_heap = {
	.main_options = "count,stack,leaks,churn,sizes,pages,flamegraph,duration,output,json,save",
	.name = "heap",
	.summary = "which code keeps the memory of a process; its allocations",
	.usage = "[-c] [-j] [-o FILE.jsonl] [-d TIME] PID|NAME... | FILE.sooth | -- COMMAND "
		 "[ARG...]",
	.about = "Says which statement keeps memory that it allocates, and if malloc does not "
		 "explain the\n"
		 "growth, which memory does, and which code touched it first. New threads, forked "
		 "children\n"
		 "and exec are followed. Calls of a process that runs are added up in the kernel, "
		 "where none\n"
		 "is lost; it is never paused. A launched command is only recorded: what it has "
		 "not freed,\n"
		 "calls of malloc, free and related functions, live and peak bytes; --stack says "
		 "which code.\n"
		 "It is paused while the buffer is full, so no call is lost.",
	.examples =
		"  sooth heap -d 10 4711                 which statement keeps memory, of any "
		"kind\n"
		"  sooth heap -- git status              totals, live and peak bytes of a command\n"
		"  sooth heap -p 4711 -d 5 -o a.jsonl    five seconds, and every call as JSON\n"
		"  sooth heap --stack -p 4711 -d 10      which code allocates, and what it keeps\n"
		"  sooth heap --leaks -p 4711 -d 30      which code keeps more and more\n"
		"  sooth heap --churn -p 4711 -d 10      which code frees at once what it "
		"allocates\n"
		"  sooth heap --sizes -p 4711 -d 10      a million blocks of one size, and of what "
		"code\n"
		"  sooth heap --sample-bytes 512K 4711   code that allocates, at a tenth of the "
		"work\n"
		"  sooth heap --pages -d 10 4711         the same of any memory: JavaScript, mmap\n"
		"  sooth heap --timeline -d 60 -o heap.png 4711   live bytes and resident memory\n"
		"  sooth heap -c -j -p 4711 -d 5         only counts, as JSON\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct heap_config),
	.run = run_heap,
};
