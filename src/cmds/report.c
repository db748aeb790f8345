/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth report: shows every probe of a capture in its default view, or all of it as a page. */
#include <errno.h>

#include "analyze/diagnosis/check_settings.h"
#include "analyze/diagnosis/diagnosis_options.h"
#include "analyze/phases/phases.h"
#include "cli/command/command.h"
#include "cli/diagnosing.h"
#include "cli/page.h"
#include "cli/run.h"
#include "cli/state/history_files.h"

struct report_config {
	struct target_options target; /* processes of the capture */
	struct output_options output;
	struct {
		bool info, html;
		const char *metrics;
	} report;
};

static const char *metrics_format(size_t index)
{
	static const char *const names[] = { "openmetrics", "prometheus", NULL };

	return names[index];
}

static const struct option report_options[] = {
	FLAG_ROW(0, "info", report_config, report.info,
		"print a summary of the capture: length, date, host, records by kind"),
	FLAG_ROW(0, "html", report_config, report.html,
		"write a page for the browser to the file of -o: findings, pictures, tables"),
	VALUE_ROW(0, "metrics", CHOICE, "FORMAT", report_config, report.metrics,
		"print metrics of agents and sessions: openmetrics, prometheus (its older format)",
		.choice = metrics_format),
};

static const struct option_rule rules[] = {
	PAGE_RULES,
	{ OPTION_PER_PROCESS, "html", "info", "--info describes the file, and a page its content",
		NULL },
	{ OPTION_PER_PROCESS, "metrics", "info", "--info describes the file", NULL },
	{ OPTION_PER_PROCESS, "metrics", "html", "metrics are for programs, a page is for people",
		NULL },
	{ OPTION_PER_PROCESS, "metrics", "json", "metrics have a format of their own", NULL },
	{ OPTION_PER_PROCESS, "metrics", "format", "metrics have a format of their own", NULL },
};

static const struct option_group groups[] = {
	OPTION_GROUP("Report", report_options, 0),
	TARGET_GROUP(struct report_config, target),
	OUTPUT_GROUP(struct report_config, output),
	FILE_GROUP(struct report_config, output),
};

static int check_options(
	const struct report_config *c, const struct arguments *arguments, struct sooth_error *err)
{
	const struct target_options *t = &c->target;

	int status = target_needs_capture("report", arguments, err);

	if (status)
		return status;
	if (!c->report.info || !(target_is_given(t, arguments) || t->part.from || t->part.to))
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --info with a target or a time range");
	error_why(err, "--info describes the whole capture, not a part");
	return error_remedy(err, "leave out --info, or the target, --from and --to");
}

/* Metrics are a side output without a report. */
static void choose_metrics(struct run *run, const char *format)
{
	run->is_silent = true;
	run->default_views = false;
	run->product = (struct run_side_output){ .path = run->output->output ?: "-",
		.view = { "fleet", NULL },
		.sink = format,
		.has_no_notes = true,
		.is_named = true };
}

/* A page of the monitor's history has the phases of sessions. */
static int choose_history_page(struct run *run, struct sooth_error *err)
{
	static const struct phases_options phases = { .says_missing = true };

	run->default_views = false;
	run->views[0] = (struct run_view){ "phases", &phases };
	return page_choose(run, run->output, err);
}

/* A page begins with what is wrong, then come pictures, then the views of all probes. */
static int choose_page(struct run *run, const struct findings_options *findings,
	struct check_settings *settings, struct sooth_error *err)
{
	int status = diagnosing_settings(settings, NULL, err);

	if (!status)
		status = page_choose(run, run->output, err);
	run->page.findings = findings;
	run->page.has_pictures = true;
	return status;
}

static int run_report_command(
	void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct report_config *c = config;
	struct survey survey = { 0 };
	struct check_settings settings;
	const struct findings_options findings = { .settings = &settings };
	struct run run = {
		.name = "report",
		.target = &c->target,
		.output = &c->output,
		.arguments = arguments,
		.default_views = !c->report.info,
	};
	int status = check_options(c, arguments, err);

	if (c->report.info) {
		run.views[0] = (struct run_view){ "capture-info", &survey };
		run.survey = &survey;
	}
	if (c->report.metrics)
		choose_metrics(&run, c->report.metrics);
	if (!status && c->report.html && history_is_file(target_capture(arguments)))
		status = choose_history_page(&run, err);
	else if (!status && c->report.html)
		status = choose_page(&run, &findings, &settings, err);
	if (!status)
		status = run_report(&run, err);
	survey_fini(&survey);
	return status;
}

const struct command command_report = {
	.main_options = "info,html,metrics,pid,from,to,format,json,filter,output",
	.name = "report",
	.summary = "explain a capture",
	.usage = "FILE.sooth [--info] [--from TIME] [--to TIME] [PID|NAME...] [-j] [--html] [-o "
		 "FILE]",
	.about =
		"Shows what a capture contains: a table or list for each probe that was recorded.\n"
		"With --from and --to, sooth reads only that part of the file, so a large capture\n"
		"takes no longer.",
	.examples = "  sooth report build.sooth\n"
		    "  sooth report --info build.sooth           what it holds\n"
		    "  sooth report --from 1m --to 70s build.sooth\n"
		    "  sooth report --from -5s build.sooth       its last five seconds\n"
		    "  sooth report -j - < build.sooth\n"
		    "  sooth report --html -o build.html build.sooth   a page for the browser\n"
		    "  sooth report --metrics openmetrics build.sooth  values of its agents\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct report_config),
	.run = run_report_command,
};
