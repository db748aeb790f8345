/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth top: a screen of the host, its agents and their processes. */
#include <errno.h>
#include <stdio.h>

#include "analyze/processes/process_list.h"
#include "analyze/processes/processes.h"
#include "base/units.h"
#include "cli/agents/config_files.h"
#include "cli/command/command.h"
#include "cli/command/settings.h"
#include "cli/agents/config_keep.h"
#include "cli/output/output.h"
#include "cli/run.h"
#include "cli/top/columns.h"
#include "cli/top/graph.h"
#include "cli/top/theme.h"
#include "cli/top/top.h"

#define TARGETS (TARGET_MAY_BE_HOST | TARGET_IS_HOST | TARGET_SELECTS_ROWS)

struct top_config {
	struct target_options target;
	struct {
		uint64_t interval_ns;
		const char *theme;
		uint64_t findings_ns;
		bool no_findings, has_bell, has_desktop, is_default;
		const char *graphs, *sort, *on_alert;
		struct option_list columns, alert_on;
	} top;
	bool is_program_users; /* named by a file of the user of sudo */
};

static const struct top_config top_defaults = { .top = { .interval_ns = 2 * NS_PER_S,
							.findings_ns = 30 * NS_PER_S } };

static const struct option top_options[] = {
	VALUE_ROW('i', "interval", DURATION, "TIME", top_config, top.interval_ns,
		"time between two refreshes (2)", .min = 100 * NS_PER_MS, .max = 3600 * NS_PER_S),
	VALUE_ROW(0, "findings", DURATION, "TIME", top_config, top.findings_ns,
		"time between two diagnoses, as of `sooth diagnose -w` (30)", .min = NS_PER_S,
		.max = 3600 * NS_PER_S),
	FLAG_ROW(0, "no-findings", top_config, top.no_findings, "diagnose nothing"),
	VALUE_ROW(0, "columns", LIST, "LIST", top_config, top.columns,
		"columns of the list, by name"),
	VALUE_ROW(0, "sort", CHOICE, "COLUMN", top_config, top.sort, "sort column (activity)",
		.choice = top_column_name),
	VALUE_ROW(0, "graphs", CHOICE, "FORM", top_config, top.graphs,
		"form of the graphs: braille, block, ascii", .choice = graph_form_name),
	FLAG_ROW(0, "default", top_config, top.is_default,
		"in top.conf: `sooth` alone on a terminal is `sooth top`"),
	FLAG_ROW(0, "bell", top_config, top.has_bell, "ring the bell on an alert"),
	FLAG_ROW(0, "desktop", top_config, top.has_desktop,
		"a notice on the desktop on an alert, by notify-send"),
	VALUE_ROW(0, "alert-on", LIST, "LIST", top_config, top.alert_on,
		"alert on an activity, such as waits-for-user, on findings by id or severity, on "
		"an end"),
	VALUE_ROW(0, "on-alert", TEXT, "PROGRAM", top_config, top.on_alert,
		"program to run on an alert and when it clears, JSON on its stdin"),
	VALUE_ROW(0, "theme", CHOICE, "NAME", top_config, top.theme,
		"colors: default, mono, contrast, colorblind", .choice = theme_name),
};

#define SETTINGS_GROUPS 1 /* those that a file may have */

static const struct option_group groups[] = {
	OPTION_GROUP("Screen", top_options, 0),
	TARGET_GROUP(struct top_config, target),
};

#define CONFIG_BYTES (64u << 10)

/* What the file says, then what was typed. A missing file is none. */
static int read_settings(struct top_config *c, const struct arguments *arguments,
	struct settings *settings, struct sooth_error *err)
{
	struct top_config typed = *c;
	struct config_file file;
	int status = config_file_read(&file, "top.conf", CONFIG_BYTES, err);

	if (!status && file.is_there) {
		*c = top_defaults;
		status = settings_parse(settings, buffer_cstr(&file.path),
			span_of((const char *)file.text.data, file.text.size), groups,
			SETTINGS_GROUPS, c, NULL, err);
		c->target = typed.target;
		settings_override(groups, SETTINGS_GROUPS, c, &typed, arguments);
		c->is_program_users = file.is_users && !typed.top.on_alert;
	}
	config_file_fini(&file);
	return status;
}

static const struct alert_help alert_help = {
	.events = "finding, the id of a finding, a severity (and all that are worse), end",
	.remedy = "sooth top --bell --alert-on waits-for-user,high,end"
};

static int choose_alerts(
	const struct top_config *c, struct alert_options *alerts, struct sooth_error *err)
{
	*alerts = (struct alert_options){ .has_bell = c->top.has_bell,
		.has_desktop = c->top.has_desktop,
		.command = c->top.on_alert,
		.is_users = c->is_program_users };
	if (alert_choose(&alerts->on, &c->top.alert_on, &process_row_schema, &alert_help, err))
		return -EINVAL;
	if (alert_wants_findings(&alerts->on) && c->top.no_findings) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "alert on findings");
		error_why(err, "with --no-findings nothing is diagnosed");
		return error_remedy(err, "sooth top --bell --alert-on waits-for-user,end");
	}
	if (c->top.alert_on.count || (!c->top.has_bell && !c->top.has_desktop && !c->top.on_alert))
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "report alerts");
	error_why(err, "--alert-on does not say what to alert on");
	return error_remedy(err, "sooth top --bell --alert-on waits-for-user");
}

static int observe(const struct top_config *c, const struct arguments *arguments, struct top *t,
	struct target_found *found, const struct alert_options *alerts, struct sooth_error *err)
{
	const struct processes_options processes = { .shown = PROCESSES_SESSIONS,
		.shows_all = top_shows_all(t),
		.is_tree = true,
		.hides_sessions = true,
		.hide_ended = true,
		.is_repeated = true,
		.pids = target_found_pids(found),
		.pid_count = target_found_count(found),
		.adds_children = c->target.sessions.count || c->target.agents.count ||
				 c->target.control_group,
		.may_lack_pids = found->is_searched,
		.has_uid = found->has_user,
		.uid = found->user };
	const struct output_options output = { 0 };
	const struct watch_front front = top_front(t);
	const struct watch_options watch = { .schema = "proc.snapshot",
		.front = &front,
		.alerts = c->top.alert_on.count ? alerts : NULL };
	struct target_found whole = { .capture = found->capture };
	struct run run = {
		.name = "top",
		.target = &c->target,
		.output = &output,
		.arguments = arguments,
		.found = found->capture ? &whole : found,
		.probes = { { "short_lived", SOOTH_STREAM },
			{ "proc", SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_TRANSCRIPT },
			{ "sockets", SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_DETAIL },
			{ "waits", SOOTH_SAMPLE | SOOTH_BRIEF }, { "host", SOOTH_SAMPLE } },
		.views = { { "processes", &processes }, { "host", NULL } },
		.allowed = TARGETS,
		.watch = &watch,
		.observer.sample_ns = c->top.interval_ns,
	};

	return run_report(&run, err);
}

static int keep(const char *name, const char *value, struct sooth_error *err)
{
	struct buffer path = { 0 };
	int status;

	config_path(&path, "top.conf");
	if (path.size)
		status = config_keep(buffer_cstr(&path), name, value, err);
	else
		status = error_errno(err, -ENOENT, "find the folder of settings");
	buffer_fini(&path);
	return status;
}

static int run_screen(const struct top_config *c, const struct arguments *arguments,
	const struct alert_options *alerts, struct sooth_error *err)
{
	const struct output_options output = { 0 };
	struct target_found found = { 0 };
	struct top *t = NULL;
	struct top_options options = { .in = stdin,
		.out = stdout,
		.interval_ns = c->top.interval_ns,
		.use_color = output_sink_options(&output, stdout).use_color,
		.theme = c->top.theme,
		.graphs = c->top.graphs,
		.sort = c->top.sort,
		.columns = c->top.columns.items,
		.column_count = c->top.columns.count,
		.keep = keep,
		.findings_ns = c->top.no_findings ? 0 : c->top.findings_ns };
	int status = target_find(&c->target, arguments, TARGETS, &found, err);

	options.has_targets = target_found_count(&found) != 0;
	if (!status && !found.capture && !found.is_searched) {
		options.pids = target_found_pids(&found);
		options.pid_count = target_found_count(&found);
	}
	if (!status)
		status = top_open(&t, &options, err);
	if (!status && found.capture && !top_begin_replay(t))
		status = error_no_memory(err);
	if (!status)
		status = observe(c, arguments, t, &found, alerts, err);
	if (!status && found.capture)
		top_replay(t);
	top_close(t);
	target_found_fini(&found);
	return status;
}

static int run_top(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct top_config *c = config;
	struct settings settings = { .help = "sooth help top" };
	struct alert_options alerts;
	int status = read_settings(c, arguments, &settings, err);

	if (!status)
		status = top_columns_check(c->top.columns.items, c->top.columns.count, err);
	if (!status)
		status = choose_alerts(c, &alerts, err);
	if (!status)
		status = run_screen(c, arguments, &alerts, err);
	settings_fini(&settings);
	return status;
}

/* What is wrong with the settings, `sooth top` says. */
static bool is_default(void)
{
	static const struct arguments none;
	struct top_config c = top_defaults;
	struct settings settings = { .help = "sooth help top" };
	struct sooth_error ignored;
	bool is_it = !read_settings(&c, &none, &settings, &ignored) && c.top.is_default;

	settings_fini(&settings);
	return is_it;
}

const struct command command_top = {
	.name = "top",
	.summary = "a screen of the host, its agents and what they do",
	.main_options = "interval,theme,session,agent,user",
	.usage = "[-i TIME] [--theme NAME] [PID|NAME...] | FILE.sooth",
	.about = "Shows the host with its last minutes, and a row for each session of an agent: "
		 "what it is\ndoing and for how long, model, CPU and memory of all its processes. "
		 "Sessions that wait for\nyou come first. The key ? lists the keys.",
	.examples = "  sooth top              all agents, refreshed every two seconds\n  sooth top "
		    "-i 5 "
		    "        every five seconds\n  sooth top --theme mono    without colors\n",
	COMMAND_GROUPS(groups),
	.config_size = sizeof(struct top_config),
	.defaults = &top_defaults,
	.run = run_top,
	.is_default = is_default,
};
