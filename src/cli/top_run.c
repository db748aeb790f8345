/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/top_run.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/processes/processes.h"
#include "base/units.h"
#include "cli/config/config_files.h"
#include "cli/config/config_keep.h"
#include "cli/top/columns.h"
#include "cli/top/top.h"
#include "explain/registry.h"

#define WAITS_MOST 16 /* selected processes; with more, reading their waits takes too long */

static int keep(const char *name, const char *value, struct sooth_error *err)
{
	struct buffer path = { 0 };
	int status;

	config_path(&path, "top.conf");
	if (path.size)
		status = config_save(buffer_cstr(&path), name, value, err);
	else
		status = error_errno(err, -ENOENT, "find the folder of settings");
	buffer_fini(&path);
	return status;
}

/* --- alerts --- */

static const struct alert_help alert_help = {
	.events = "finding, the id of a finding, a severity (and all that are worse), end",
	.remedy = "sooth top --bell --alert-on waits-for-user,high,end"
};

static bool has_event(const struct top_settings *s)
{
	return s->alert_on.count || s->cpu_over > 0 || s->rss_over;
}

static int choose_alerts(
	const struct top_run *r, struct alert_options *alerts, struct sooth_error *err)
{
	const struct top_settings *s = &r->settings;

	*alerts = (struct alert_options){ .cpu_percent = s->cpu_over,
		.rss_bytes = s->rss_over,
		.is_any_end = target_found_count(r->found) != 0,
		.finder = r->finder,
		.has_bell = s->has_bell,
		.has_desktop = s->has_desktop,
		.command = s->on_alert,
		.is_users = s->is_program_users };
	if (alert_choose(&alerts->on, &s->alert_on, registry_stage("processes")->tables[0],
		    &alert_help, err))
		return -EINVAL;
	if (alert_wants_findings(&alerts->on) && s->no_findings && !r->finder) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "alert on findings");
		error_why(err, "with --no-findings nothing is diagnosed");
		return error_remedy(err, "sooth top --bell --alert-on waits-for-user,end");
	}
	if (has_event(s) || (!s->has_bell && !s->has_desktop && !s->on_alert))
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "report alerts");
	error_why(err, "none of --alert-on, -k and -m says what to alert on");
	return error_remedy(err, "sooth top --bell --alert-on waits-for-user");
}

/* --- the screen --- */

static int observe_processes(const struct top_run *r, struct top *t,
	const struct alert_options *alerts, struct sooth_error *err)
{
	const struct target_options *target = r->target;
	const struct target_found *found = r->found;
	size_t count = target_found_count(found);
	unsigned brief = target->all || count ? 0 : SOOTH_BRIEF;
	const struct processes_options processes = { .shown = target->all ? PROCESSES_ALL
									  : PROCESSES_AGENTS,
		.shows_all = top_shows_all(t),
		.emits_list = has_event(&r->settings),
		.is_tree = true,
		.hides_sessions = true,
		.hide_ended = true,
		.is_repeated = true,
		.pids = target_found_pids(found),
		.pid_count = count,
		.adds_children = target_has_groups(target),
		.may_lack_pids = found->is_searched,
		.has_uid = found->has_user,
		.uid = found->user,
		.agent = r->agent,
		.cpu_over_percent = r->settings.cpu_over,
		.rss_over_bytes = r->settings.rss_over };
	struct output_options output = *r->output;
	const struct watch_front front = top_front(t);
	const struct watch_options watch = { .schema = "proc.snapshot",
		.front = &front,
		.alerts = has_event(&r->settings) ? alerts : NULL };
	struct target_found whole = { .capture = found->capture };
	struct run run = {
		.name = "top",
		.target = target,
		.output = &output,
		.arguments = r->arguments,
		.found = found->capture ? &whole : found,
		.probes = { { "short_lived", SOOTH_STREAM },
			{ "proc", SOOTH_SAMPLE | SOOTH_TRANSCRIPT | brief },
			{ "sockets", SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_DETAIL },
			{ "host", SOOTH_SAMPLE }, { "waits", SOOTH_SAMPLE | SOOTH_BRIEF } },
		.views = { { "processes", &processes }, { "host", NULL } },
		.allowed = TOP_TARGETS,
		.watch = &watch,
		.observer.sample_ns = r->settings.interval_ns,
	};

	/* The screen applies the filter itself. */
	output.filter = NULL;
	if (count > WAITS_MOST)
		run.probes[4].name = NULL;
	return run_report(&run, err);
}

static struct top_options options_of(const struct top_run *r)
{
	const struct top_settings *s = &r->settings;
	const struct target_found *found = r->found;
	struct top_options options = { .in = stdin,
		.out = stdout,
		.interval_ns = s->interval_ns,
		.use_color = output_sink_options(r->output, stdout).use_color,
		.theme = s->theme,
		.graphs = s->graphs,
		.sort = s->sort,
		.is_reversed = r->is_reversed,
		.columns = s->columns.items,
		.column_count = s->columns.count,
		.shows_all = r->target->all,
		.is_tree = s->is_tree,
		.filter = r->filter,
		.has_own_alerts = r->finder != NULL,
		.keep = keep,
		.findings_ns = s->no_findings ? 0 : s->findings_ns,
		.has_targets = target_found_count(found) != 0 };

	if (!found->capture && !found->is_searched) {
		options.pids = target_found_pids(found);
		options.pid_count = target_found_count(found);
	}
	return options;
}

int top_run(const struct top_run *r, struct sooth_error *err)
{
	assert(r);

	const struct top_settings *s = &r->settings;
	const struct top_options options = options_of(r);
	struct alert_options alerts;
	struct top *t = NULL;
	int status = top_columns_check(s->columns.items, s->columns.count, err);

	if (!status)
		status = choose_alerts(r, &alerts, err);
	if (!status)
		status = top_open(&t, &options, err);
	if (!status && r->found->capture && !top_begin_replay(t))
		status = error_no_memory(err);
	if (!status)
		status = observe_processes(r, t, &alerts, err);
	if (!status && r->found->capture)
		top_replay(t);
	top_close(t);
	return status;
}

/* Returns whether the terminal cannot be redrawn: then it gets one report after the other, as a
 * pipe does. */
static bool is_dumb(void)
{
	const char *terminal = getenv("TERM");

	return terminal && !strcmp(terminal, "dumb");
}

bool top_run_is_possible(const struct output_options *output)
{
	const char *sink = output_sink_name(output, false);

	return (!strcmp(sink, "table") || !strcmp(sink, "text")) && !output->output &&
	       isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !is_dumb();
}
