/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth timeline: values over time, as tracks. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "analyze/timeline/timeline.h"
#include "base/units.h"
#include "cli/command/command.h"
#include "cli/diagnosing.h"
#include "cli/picture.h"
#include "cli/run.h"

#define SAMPLE_NS (250 * NS_PER_MS)

struct timeline_config {
	struct target_options target;
	struct output_options output;
	struct run_options run;
	struct {
		uint64_t sample_ns;
		bool calls;
		bool no_memory, own_scale;
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
	VALUE_ROW(0, "set", LIST, "ID.OPTION=VALUE", timeline_config, timeline.set,
		"set a threshold for findings in a capture of `sooth diagnose`; ID=off mutes a "
		"finding"),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Tracks", timeline_options, 0),
	TARGET_GROUP(struct timeline_config, target),
	RUN_GROUP(struct timeline_config, run),
	OUTPUT_GROUP(struct timeline_config, output),
	FILE_GROUP(struct timeline_config, output),
	SAVE_GROUP(struct timeline_config, output),
};

static const struct option_rule rules[] = {
	OPTION_OVER("sample"),
	OPTION_OVER("duration"),
	OPTION_OVER("buffer"),
	OPTION_OVER("control"),
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

/* A report with such a name would be no picture. */
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

/* The picture is written beside the report, which stays where it is. */
static int choose_side_output(
	struct timeline_config *c, const void *view, struct run *run, struct sooth_error *err)
{
	const char *path = c->output.output;

	if (!path)
		return 0;
	if (!picture_has_ending(path, ".png") && !picture_has_ending(path, ".svg"))
		return is_other_picture(path) ? refuse_picture(path, err) : 0;
	run->product = (struct run_side_output){ .path = path,
		.view = { "timeline", view },
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
	const struct timeline_options view = { .findings = { .settings = &settings },
		.has_own_scales = c->timeline.own_scale };
	struct run run = {
		.name = "timeline",
		.target = &c->target,
		.output = &c->output,
		.arguments = arguments,
		.views = { { "timeline", &view } },
		.allowed = TARGET_MAY_BE_COMMAND,
		.duration_ns = c->run.duration_ns,
		.buffer_bytes = c->run.buffer_bytes,
		.control = c->run.control,
		.sample_ns = c->timeline.sample_ns ? c->timeline.sample_ns : SAMPLE_NS,
		.progress = "observing",
	};
	int status = choose_side_output(c, &view, &run, err);

	if (!status)
		status = diagnosing_settings(&settings, &c->timeline.set, err);
	choose_probes(c, &run);
	return status ? status : run_report(&run, err);
}

const struct command command_timeline = {
	.name = "timeline",
	.summary = "CPU, memory, bytes and calls over time",
	.usage = "[-j] [-o FILE.svg|FILE.png] [-d TIME] PID|NAME... | FILE.sooth | -- COMMAND "
		 "[ARG...]",
	.about =
		"Shows values over time as tracks: CPU of each process and thread role, memory by\n"
		"kind, bytes read and written, system calls; and events such as starts and exits.\n"
		"A blank in a track means that no value was measured at that time.",
	.examples = "  sooth timeline -d 10 4711                 ten seconds of a process\n"
		    "  sooth timeline -o build.svg -- make       a picture to zoom into\n"
		    "  sooth timeline build.sooth                of a capture\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct timeline_config),
	.run = run_timeline,
};
