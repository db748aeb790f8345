/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth timeline: shows values over time as tracks. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "analyze/phases/phases.h"
#include "analyze/timeline/timeline.h"
#include "base/clock.h"
#include "base/units.h"
#include "cli/command/command.h"
#include "cli/diagnosing.h"
#include "cli/page.h"
#include "cli/picture.h"
#include "cli/run.h"
#include "cli/state/history_files.h"

#define SAMPLE_NS (250 * NS_PER_MS)

struct timeline_config {
	struct target_options target;
	struct output_options output;
	struct run_options run;
	struct {
		uint64_t sample_ns;
		bool calls;
		bool no_memory, own_scale, html;
		uint64_t last_ns;
		const char *history_dir;
		struct option_list set;
	} timeline;
};

static const struct option timeline_options[] = {
	VALUE_ROW(0, "sample", DURATION, "TIME", timeline_config, timeline.sample_ns,
		"time between two samples (default: 250ms)", .min = 50 * NS_PER_MS,
		.max = 3600 * NS_PER_S),
	FLAG_ROW(0, "calls", timeline_config, timeline.calls,
		"also record system calls, by category; each call takes a little longer"),
	FLAG_ROW(0, "no-memory", timeline_config, timeline.no_memory,
		"leave out memory by kind (slow to measure for large processes)"),
	FLAG_ROW(0, "own-scale", timeline_config, timeline.own_scale,
		"draw each track up to its own highest value, not to the highest of its unit"),
	FLAG_ROW(0, "html", timeline_config, timeline.html,
		"write a page for the browser to the file of -o: findings, pictures, tables"),
	VALUE_ROW(0, "set", LIST, "ID.OPTION=VALUE", timeline_config, timeline.set,
		"set a threshold of a finding: of a capture of `sooth diagnose`; ID=off mutes it"),
};

static const struct option history_options[] = {
	VALUE_ROW(0, "last", DURATION, "TIME", timeline_config, timeline.last_ns,
		"what sessions did in this time, of the history that `sooth monitor` keeps (1h)",
		.min = NS_PER_S, .max = 3660ull * 86400 * NS_PER_S),
	VALUE_ROW(0, "history-dir", FILE, "DIR", timeline_config, timeline.history_dir,
		"folder of that history (default: ~/.local/state/sooth/history)", .is_input = true),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Tracks", timeline_options, 0),
	OPTION_GROUP("History", history_options, 0),
	TARGET_GROUP(struct timeline_config, target),
	RUN_GROUP(struct timeline_config, run),
	OUTPUT_GROUP(struct timeline_config, output),
	FILE_GROUP(struct timeline_config, output),
	SAVE_GROUP(struct timeline_config, output),
};

#define OF_OBSERVING "sample,duration,buffer,control,save,calls"

static const struct option_rule rules[] = {
	OPTION_OVER("sample"),
	OPTION_OVER("duration"),
	OPTION_OVER("buffer"),
	OPTION_OVER("control"),
	PAGE_RULES,
	{ OPTION_PER_PROCESS, "last", OF_OBSERVING, "the history is read, and nothing is observed",
		NULL },
	{ OPTION_PER_PROCESS, "history-dir", OF_OBSERVING,
		"the history is read, and nothing is observed", NULL },
};

static void choose_probes(const struct timeline_config *c, struct run *run)
{
	size_t n = 0;

	run->probes[n++] = (struct run_probe){ "proc", SOOTH_SAMPLE };
	run->probes[n++] = (struct run_probe){ "threads", SOOTH_SAMPLE | SOOTH_DETAIL };
	run->probes[n++] = (struct run_probe){ "exit_reasons", SOOTH_SAMPLE | SOOTH_STREAM };
	if (!c->timeline.no_memory)
		run->probes[n++] = (struct run_probe){ "maps", SOOTH_SAMPLE | SOOTH_DETAIL };
	if (c->timeline.calls)
		run->probes[n++] = (struct run_probe){ "syscalls", SOOTH_STREAM };
}

/* Refuses the name: a report in a file of that name would be no picture. */
static int refuse_picture(const char *path, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "draw a timeline into %s", path);
	error_why(err, "sooth draws only .svg and .png pictures, and the name has another ending");
	return error_remedy(err, "give -o FILE.svg or -o FILE.png for a picture, -o FILE.txt or -o "
				 "- for the report");
}

static bool is_other_picture(const char *path)
{
	static const char *const endings[] = { ".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp",
		".avif", ".bmp", ".tif", ".tiff", ".pdf", ".ps", ".eps", ".svgz", ".html" };
	const char *ending = strrchr(path, '.');

	for (size_t i = 0; ending && i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (!strcasecmp(ending, endings[i]))
			return true;
	}
	return false;
}

/* The activities of sessions, from the history or from one of its files. */
struct shown {
	struct phases_options phases;
	struct timeline_options timeline;
	struct run_view view;
};

#define LAST_NS (3600 * NS_PER_S)

static bool is_of_history(const struct timeline_config *c, const struct arguments *a)
{
	return c->timeline.last_ns || c->timeline.history_dir ||
	       (!target_is_given(&c->target, a) && !target_capture(a) && !a->command);
}

static int choose_history(struct timeline_config *c, const struct arguments *a, struct shown *s,
	struct run *run, struct sooth_error *err)
{
	uint64_t now = clock_realtime_ns();
	uint64_t last = c->timeline.last_ns ? c->timeline.last_ns : LAST_NS;

	if (a->count > 1 || a->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "show the history of %s",
			a->command ? "a command" : "several words");
		error_why(err, "the history shows one session, agent or project, or all of them");
		return error_remedy(err, "name one session: sooth timeline --last 1h SESSION");
	}
	s->phases.selection = (struct phase_selection){ .from_utc_ns = now > last ? now - last : 1,
		.to_utc_ns = now,
		.which = a->count ? a->items[0] : NULL };
	run->history = (struct run_history){ true, c->timeline.history_dir,
		s->phases.selection.from_utc_ns };
	return 0;
}

static int choose_view(struct timeline_config *c, const struct arguments *a, struct shown *s,
	struct run *run, struct sooth_error *err)
{
	const char *capture = target_capture(a);
	int status = 0;

	s->view = (struct run_view){ "timeline", &s->timeline };
	if (is_of_history(c, a))
		status = choose_history(c, a, s, run, err);
	else if (!capture || !history_is_file(capture))
		return 0;
	s->view = (struct run_view){ "phases", &s->phases };
	return status;
}

/* Sets the picture, which is written beside the report; the report goes to its usual output. */
static int choose_side_output(struct timeline_config *c, const struct run_view *view,
	struct run *run, struct sooth_error *err)
{
	const char *path = c->output.output;

	if (!path)
		return 0;
	if (!picture_has_ending(path, ".png") && !picture_has_ending(path, ".svg"))
		return is_other_picture(path) ? refuse_picture(path, err) : 0;
	run->product = (struct run_side_output){ .path = path,
		.view = *view,
		.sink = "timeline-svg",
		.is_picture = true,
		.is_whole = true };
	c->output.output = NULL;
	run->is_silent = !c->output.json && !c->output.format;
	return 0;
}

static int run_timeline(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct timeline_config *c = config;
	struct check_settings settings;
	struct shown shown = { .phases.says_missing = c->timeline.html,
		.timeline = { .findings = { .settings = &settings },
			.has_own_scales = c->timeline.own_scale,
			.says_missing = c->timeline.html } };
	const struct target_found whole = { 0 };
	struct run run = {
		.name = "timeline",
		.target = &c->target,
		.output = &c->output,
		.arguments = arguments,
		.allowed = TARGET_MAY_BE_COMMAND,
		.options = c->run,
		.observer.sample_ns = c->timeline.sample_ns ? c->timeline.sample_ns : SAMPLE_NS,
		.progress = "observing",
	};
	int status = choose_view(c, arguments, &shown, &run, err);

	run.views[0] = shown.view;
	if (run.history.is_read)
		run.found = &whole;
	if (!status && c->timeline.html)
		status = page_choose(&run, &c->output, err);
	else if (!status)
		status = choose_side_output(c, &shown.view, &run, err);
	if (!status)
		status = diagnosing_settings(&settings, &c->timeline.set, err);
	choose_probes(c, &run);
	return status ? status : run_report(&run, err);
}

const struct command command_timeline = {
	.main_options = "sample,calls,no-memory,set,duration,json,output,save",
	.name = "timeline",
	.summary = "CPU, memory, bytes and calls over time",
	.usage = "[-j] [-o FILE.svg|FILE.png] [--last TIME] [SESSION|PID|AGENT|PROJECT] | [-d "
		 "TIME] PID|NAME... | FILE.sooth | -- COMMAND [ARG...]",
	.about =
		"Shows values over time as tracks: CPU of each process and thread role, memory by\n"
		"kind, bytes read and written, system calls; and events such as starts and exits.\n"
		"A blank in a track means that no value was measured at that time.\n\n"
		"Without a target, or with --last, what sessions of agents did: waited for the "
		"model, ran\ntools, computed, waited for you, with CPU and memory, from the "
		"history that `sooth monitor`\nkeeps.",
	.examples = "  sooth timeline                           the last hour of all sessions\n"
		    "  sooth timeline --last 24h 4f1c            a day of one session\n"
		    "  sooth timeline -d 10 4711                 ten seconds of a process\n"
		    "  sooth timeline -o build.svg -- make       a picture to zoom into\n"
		    "  sooth timeline build.sooth                of a capture\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct timeline_config),
	.run = run_timeline,
};
