/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth diagnose: what is wrong with a process, a session, or all agents, with evidence. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/check_settings.h"
#include "analyze/diagnosis/diagnosis_options.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "cli/command/command.h"
#include "cli/diagnosing.h"
#include "cli/output/output.h"
#include "cli/output/own_report.h"
#include "cli/page.h"
#include "cli/picture.h"
#include "cli/run.h"
#include "cli/state/history_files.h"
#include "explain/registry.h"
#include "model/row_list.h"
#include "model/schema.h"

#define EXIT_FOUND 1

/* --- the registry of findings --- */

#define OPTION_ROW(F, S)                                                                           \
	F(S, TEXT, name, ALWAYS, "name of the threshold, as for --set")                            \
	F(S, NAMED, TEXT, value, current_value, ALWAYS, "current value of the threshold")          \
	F(S, TEXT, default_value, ALWAYS, "default value of the threshold")                        \
	F(S, TEXT, help, ALWAYS, "meaning of the threshold")

ROW_TABLE(option, OPTION_ROW, "finding.option", option_row,
	.line = "{name} = {current_value}: {help}");

#define ENTRY_ROW(F, S)                                                                            \
	F(S, TEXT, id, ALWAYS, "id of the finding; docs/findings has a page for each")             \
	F(S, ENUM8, severity, ALWAYS, "default severity of the finding; a single case may differ", \
		.names = &finding_severity_names)                                                  \
	F(S, TEXT, claim, ALWAYS, "sentence that the finding reports")                             \
	F(S, TEXT, probes, ALWAYS, "probes that the finding needs")                                \
	F(S, NAMED, BOOL, needs_interval, is_interval_needed, ALWAYS,                              \
		"the finding needs two samples or more")                                           \
	F(S, BOOL, is_of_host, ALWAYS,                                                             \
		"the finding is checked for the host, not for each process")                       \
	F(S, BOOL, is_muted, ALWAYS, "the finding is muted by the user")                           \
	F(S, NAMED, TEXT, muted, muted_text, ALWAYS,                                               \
		"\"muted\" if the user muted the finding, else empty", .is_hidden = true)          \
	F(S, ROWS, options, ALWAYS, "thresholds of the finding", .rows = &option_schema)

ROW_TABLE(entry, ENTRY_ROW, "finding.entry", entry_row,
	.line = "{id} ({severity}[, {muted_text}]): {claim}");

struct finding_list {
	const struct check_settings *settings;
	bool has_unlisted; /* also the thresholds that are seldom worth setting */
};

static void add_options(const struct finding_type *type, const struct check_setting *setting,
	bool has_unlisted, struct buffer *out)
{
	for (size_t i = 0; i < type->detector->option_count; i++) {
		const struct finding_option *o = &type->detector->options[i];
		struct option_row row = { 0 };
		char name[96], value[UNITS_SIZE], default_value[UNITS_SIZE];

		if (o->is_unlisted && !has_unlisted && setting->options[i] == o->default_value)
			continue;
		snprintf(name, sizeof(name), "%s.%s", type->id, o->name);
		struct record_tail tail[] = {
			{ &row.name, name, strlen(name) },
			{ &row.value, check_settings_value(o, setting->options[i], value), 0 },
			{ &row.default_value,
				check_settings_value(o, o->default_value, default_value), 0 },
			{ &row.help, o->help, strlen(o->help) },
		};
		tail[1].size = strlen(tail[1].data);
		tail[2].size = strlen(tail[2].data);
		RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
	}
}

static int emit_entry(struct output *o, const struct finding_entry *entry,
	const struct check_setting *setting, bool has_unlisted, struct sooth_error *err)
{
	const struct finding_type *type = entry->type;
	const char *muted = setting->is_muted ? "muted" : "";
	struct buffer options = { 0 };
	struct entry_row row = { .severity = (uint8_t)setting->severity,
		.is_muted = setting->is_muted,
		.needs_interval = type->needs_interval,
		.is_of_host = type->scope != FINDING_OF_PROCESS };
	int status;

	add_options(type, setting, has_unlisted, &options);
	struct record_tail tail[] = {
		{ &row.options, options.data, options.size },
		{ &row.id, type->id, strlen(type->id) },
		{ &row.claim, type->claim, strlen(type->claim) },
		{ &row.probes, type->probes, strlen(type->probes) },
		{ &row.muted, muted, strlen(muted) },
	};
	status = OUTPUT_ROW(o, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&options);
	return status;
}

static int emit_entries(struct output *o, void *user, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("findings", entry_schema, TABLE);
	const struct finding_list *list = user;
	int status = output_section(o, &section, err);

	for (size_t i = 0; registry_findings[i].type && !status; i++)
		status = emit_entry(
			o, &registry_findings[i], &list->settings->all[i], list->has_unlisted, err);
	return status;
}

static int print_finding_list(const struct check_settings *settings,
	const struct output_options *options, struct sooth_error *err)
{
	struct finding_list list = { settings, options->verbose };

	return own_report_emit("findings", options, emit_entries, &list, err);
}

/* --- the command --- */

struct diagnose_config {
	struct target_options target;
	struct output_options output;
	struct picture_options picture;
	struct {
		bool deep, calls, heap, passive, list, quick, allow_unseen, only, dry_run, html;
		uint64_t duration_ns, watch_ns, buffer_bytes, max_overhead_percent;
		const char *fail_on;
		const char *bundle;
		const char *on_alert;
		bool desktop;
		struct option_list alert_on, set;
	} diagnose;
};

static const char *severity_name(size_t index)
{
	return index < finding_severity_names.count ? finding_severity_names.names[index] : NULL;
}

static const struct option diagnose_options[] = {
	FLAG_ROW('d', "deep", diagnose_config, diagnose.deep,
		"also do slow checks: other ends of pipes, paths of watches"),
	FLAG_ROW('D', "calls", diagnose_config, diagnose.calls,
		"observe system calls, as by default; if given, exit status 3 where that is "
		"refused"),
	FLAG_ROW(0, "heap", diagnose_config, diagnose.heap,
		"also observe allocations: growth, frees that are errors; a call of malloc takes "
		"some 2 us longer meanwhile"),
	VALUE_ROW(0, "duration", DURATION, "TIME", diagnose_config, diagnose.duration_ns,
		"observation time in seconds (5, and up to 10 more where a check of a named "
		"process "
		"is undecided)",
		.min = 10 * NS_PER_MS, .max = 86400 * NS_PER_S),
	VALUE_ROW('w', "watch", DURATION, "[N]", diagnose_config, diagnose.watch_ns,
		"diagnose again every N seconds (10): print new and cleared findings",
		.default_value = "10", .min = NS_PER_S, .max = 3600 * NS_PER_S),
	VALUE_ROW(0, "on-alert", TEXT, "PROGRAM", diagnose_config, diagnose.on_alert,
		"with -w: program to run when a finding is raised and when it clears, JSON on its "
		"stdin"),
	FLAG_ROW(0, "desktop", diagnose_config, diagnose.desktop,
		"with -w: a notice on the desktop when a finding is raised"),
	VALUE_ROW(0, "alert-on", LIST, "LIST", diagnose_config, diagnose.alert_on,
		"findings that raise alerts: ids, or a severity and all that are worse (all)"),
	VALUE_ROW(0, "buffer", BYTES, "SIZE", diagnose_config, diagnose.buffer_bytes,
		"buffer for calls between the kernel and sooth (4M; with --flamegraph 32M)",
		.min = 4096, .max = 1ull << 30),
	VALUE_ROW(0, "max-overhead", U64, "PCT", diagnose_config, diagnose.max_overhead_percent,
		"observe less once the probes take more than PCT % of the target's CPU time (5)",
		.min = 1, .max = 100),
	FLAG_ROW(0, "dry-run", diagnose_config, diagnose.dry_run,
		"only say what would be attached, by which method, and what each event would cost"),
	FLAG_ROW(0, "quick", diagnose_config, diagnose.quick,
		"take one sample; skip checks that need an interval"),
	FLAG_ROW(0, "passive", diagnose_config, diagnose.passive,
		"only read: attach nothing to the kernel, observe no system calls"),
	FLAG_ROW(0, "only", diagnose_config, diagnose.only,
		"check only the given processes: not the session of an agent, nor processes below"),
	VALUE_ROW(0, "bundle", FILE, "FILE", diagnose_config, diagnose.bundle,
		"also write a report that can be shared: names, paths, arguments replaced"),
	FLAG_ROW(0, "html", diagnose_config, diagnose.html,
		"write a page for the browser to the file of -o: findings, pictures, tables"),
	VALUE_ROW(0, "fail-on", CHOICE, "SEVERITY", diagnose_config, diagnose.fail_on,
		"exit status 1 for a finding this severe or worse", .choice = severity_name),
	FLAG_ROW(0, "allow-unseen", diagnose_config, diagnose.allow_unseen,
		"no exit status 3 for checks that were refused"),
	VALUE_ROW(0, "set", LIST, "ID.OPTION=VALUE", diagnose_config, diagnose.set,
		"set a threshold; ID=off mutes a finding, ID=low sets its severity"),
	FLAG_ROW(0, "list-findings", diagnose_config, diagnose.list,
		"list all findings with the thresholds that are worth setting; -v adds the others"),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Diagnosis", diagnose_options, 0),
	PICTURE_GROUP(struct diagnose_config, picture),
	TARGET_GROUP(struct diagnose_config, target),
	OUTPUT_GROUP(struct diagnose_config, output),
	FILE_GROUP(struct diagnose_config, output),
	SAVE_GROUP(struct diagnose_config, output),
};

static const struct option_rule rules[] = {
	{ OPTION_ALONE, "list-findings", "set,json,format,color,filter,output,no-pager,verbose",
		"--list-findings prints all findings and checks no process", NULL },
	{ OPTION_PER_PROCESS, "list-findings", "PID,FILE",
		"--list-findings prints all findings and checks no process", NULL },
	OPTION_OVER("duration"),
	OPTION_OVER("heap"),
	{ OPTION_PER_PROCESS, "heap", "quick,passive,watch",
		"--heap observes allocations for some time, by probes", NULL },
	{ OPTION_PER_PROCESS, "quick", "duration,calls,watch",
		"--quick takes one sample, and the other option observes for some time", NULL },
	{ OPTION_PER_PROCESS, "passive", "calls,buffer", "--passive observes no system calls",
		NULL },
	{ OPTION_PER_PROCESS, "dry-run", "watch,bundle,flamegraph,quick",
		"--dry-run observes nothing", NULL },
	{ OPTION_PER_PROCESS, "bundle", "watch,flamegraph",
		"--bundle writes one diagnosis, and no other file beside it",
		"run sooth diagnose --bundle FILE by itself" },
	{ OPTION_NEEDS, "html", "output,bundle", "a page is a file for a browser",
		"add -o FILE.html" },
	{ OPTION_PER_PROCESS, "html", "watch,flamegraph,dry-run",
		"a page shows one diagnosis, and has its own pictures", NULL },
	OPTION_OVER("buffer"),
	OPTION_OVER("passive"),
	OPTION_OVER("only"),
	{ OPTION_NEEDS, "only", "PID,pid", "--only keeps to the processes that are given",
		"add a PID, or leave out --only" },
	{ OPTION_NEEDS, "on-alert", "watch", "only a watch (-w) reports changes of findings",
		NULL },
	{ OPTION_NEEDS, "desktop", "watch", "only a watch (-w) reports changes of findings", NULL },
	{ OPTION_NEEDS, "alert-on", "on-alert,desktop",
		"--alert-on selects the findings for these two options", NULL },
	{ OPTION_NEEDS, "allow-unseen", "fail-on,calls",
		"without them the exit status does not depend on checks", NULL },
	{ OPTION_NEEDS, "weight", "flamegraph",
		"this option sets how the picture of --flamegraph looks", NULL },
};

/* Returns the severity of that name. The option takes no other words, so one severity matches. */
static unsigned severity_of(const char *name)
{
	unsigned least = FINDING_INFO;

	while (severity_name(least) && strcmp(severity_name(least), name) != 0)
		least++;
	return least;
}

/* Returns the exit status: a finding is more important than checks that could not be done. */
static int exit_status(const struct diagnose_config *c, const struct diagnosing *d)
{
	const struct findings_reported *result = &d->told;
	const char *fail_on = c->diagnose.fail_on;
	bool may_lack = c->diagnose.allow_unseen;

	if (fail_on && result->has_any && result->worst >= severity_of(fail_on))
		return EXIT_FOUND;
	if (fail_on && !may_lack && result->has_refused && result->refused >= severity_of(fail_on))
		return EXIT_LACKING;
	return diagnosing_exit(d, may_lack || fail_on);
}

static int check_list_option(
	const struct diagnose_config *c, const struct arguments *arguments, struct sooth_error *err)
{
	if (c->diagnose.list && arguments->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --list-findings with a command");
		error_why(err, "--list-findings lists what sooth can find and runs nothing");
		return error_remedy(err, "leave out --list-findings, or the command");
	}
	return 0;
}

/* Checks whether a picture is possible. Any capture may contain calls. */
static int check_picture(
	const struct diagnose_config *c, const struct arguments *arguments, struct sooth_error *err)
{
	if (!c->picture.flamegraph || target_capture(arguments) ||
		!(c->diagnose.passive || c->diagnose.quick))
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "draw a flamegraph");
	error_why(err, "the picture shows system calls, and with %s none are recorded",
		c->diagnose.passive ? "--passive" : "--quick");
	return error_remedy(err, "leave out %s", c->diagnose.passive ? "--passive" : "--quick");
}

#define KNOWN_BY "ended-abnormally" /* the finding that reads the kernel log */

/* Selects only the finding about exits: findings about other processes or the host do not concern
 * the ended process. */
static void select_only_exit_finding(struct check_settings *settings)
{
	for (size_t i = 0; registry_findings[i].type && i < CHECK_SETTINGS_MAX; i++) {
		if (strcmp(registry_findings[i].type->id, KNOWN_BY) != 0)
			settings->all[i].is_muted = true;
	}
}

/* Emits the end of a session that the history of a monitor has. */
static int emit_ended(uint32_t pid, const struct history_end *end, struct sooth_error *err)
{
	uint64_t now = clock_realtime_ns();
	char ago[UNITS_SIZE];

	format_ns(ago, now > end->utc_ns ? now - end->utc_ns : 0);
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %u", pid);
	error_why(err, "%s %u %s%s %s ago, by the history of sooth monitor", end->agent, pid,
		*end->how ? end->how : "ended", *end->how ? "," : "", ago);
	return error_remedy(err, "sooth timeline %u shows what its session did", pid);
}

static int emit_gone(uint32_t pid, struct sooth_error *err)
{
	struct history_end end;

	if (history_end_of(&end, pid))
		return emit_ended(pid, &end, err);
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %u", pid);
	error_why(err,
		"no process has this PID, and the kernel log has nothing about an earlier one");
	return error_remedy(err, "check the PID; `sooth ps -a` lists processes");
}

/* Checks the log for an ended process. -ESRCH: the log has nothing about it. */
static int gone_check(uint32_t pid, const struct check_settings *settings, struct sooth_error *err)
{
	char text[16];
	struct check_settings ends = *settings;
	struct findings_reported result = { 0 };
	struct findings_options options = { .settings = &ends, .result = &result };
	struct target_options target = { .pids = { .items = { text }, .count = 1 } };
	struct output_options output = { 0 };
	struct arguments none = { 0 };
	struct run run = {
		.name = "diagnose",
		.target = &target,
		.output = &output,
		.arguments = &none,
		.probes = { { "proc", SOOTH_SAMPLE | SOOTH_BRIEF },
			{ "exit_reasons", SOOTH_SAMPLE | SOOTH_BRIEF } },
		.views = { { "findings", &options } },
		.is_silent = true,
		.observer.may_be_gone = true,
		.allowed = TARGET_MAY_BE_HOST | TARGET_IS_HOST,
		.options.duration_ns = 1,
	};
	int status;

	snprintf(text, sizeof(text), "%u", pid);
	select_only_exit_finding(&ends);
	status = run_report(&run, err);
	return status < 0 || result.has_any ? status : emit_gone(pid, err);
}

/* Runs again without calls, if the system refused them: the report has everything else, with a note
 * first. A picture of calls would be empty, so its run fails. */
static int run_available_probes(struct diagnosing *d, struct run *run, struct sooth_error *err)
{
	int status = run_report(run, err);

	if (status < 0 && diagnosing_without_samples(d, run, err))
		status = run_report(run, err);
	if (status >= 0 || run->product.is_picture || !diagnosing_without_calls(d, run, err))
		return status;
	if (d->insists_on_calls)
		fprintf(stderr,
			"sooth: system calls are not observed, everything else is: cannot %s; %s\n",
			d->no_calls.reason, run->unseen[RUN_UNSEEN_CALLS].remedy);
	status = run_report(run, err);
	if (status < 0 && diagnosing_without_samples(d, run, err))
		status = run_report(run, err);
	return status;
}

/* Checks each selected PID that does not exist. If other processes exist, a PID without any log
 * entry is left out. */
static int check_each_gone(struct diagnosing *d, struct buffer *known, struct sooth_error *err)
{
	const uint32_t *pids = (const void *)d->gone.data;
	int status = 0;

	for (size_t i = 0; i < d->gone.size / sizeof(*pids) && !status; i++) {
		status = gone_check(pids[i], &d->settings, err);
		if (status == -ESRCH && !d->is_gone) {
			fprintf(stderr, "sooth: cannot %s: %s\n", err->tried, err->why);
			d->has_missing = true;
			status = 0;
		} else if (!status) {
			buffer_format(known, "%s%u", known->size ? ", " : "", pids[i]);
		}
	}
	return !status && buffer_failed(known) ? error_no_memory(err) : status;
}

/* Reports exited processes if the kernel log has an entry about one; if it has none at all, that is
 * an error. */
static int check_gone(struct diagnosing *d, struct run *run, struct sooth_error *err)
{
	struct buffer known = { 0 };
	int status = check_each_gone(d, &known, err);

	run->observer.may_be_gone |= d->gone.size != 0;
	if (!status && known.size) {
		snprintf(d->gone_text, sizeof(d->gone_text), "%s %s",
			strchr(buffer_cstr(&known), ',') ? "processes" : "process",
			buffer_cstr(&known));
		run->unseen[RUN_UNSEEN_PROCESSES] = (struct run_unseen){ d->gone_text,
			"the process exited before sooth checked it: only the kernel log has a "
			"record of it",
			"start the diagnosis while the process runs: then sooth records the exit" };
		fprintf(stderr, "sooth: %s: %s\n", d->gone_text,
			run->unseen[RUN_UNSEEN_PROCESSES].reason);
	}
	buffer_fini(&known);
	return status;
}

/* Runs the diagnosis. A selected PID that does not exist is reported from the kernel log; if the
 * log has nothing about it, that is an error, as for every other command. */
static int diagnosing_run(struct diagnosing *d, struct run *run, struct sooth_error *err)
{
	int status = check_gone(d, run, err);

	if (status || d->is_gone)
		return status ?: run_report(run, err);
	return run_available_probes(d, run, err);
}

static int run_diagnose(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct diagnose_config *c = config;
	struct diagnosing d = { .is_deep = c->diagnose.deep,
		.is_quick = c->diagnose.quick,
		.is_passive = c->diagnose.passive,
		.only_given = c->diagnose.only,
		.wants_calls = !c->diagnose.passive && !c->diagnose.quick,
		.insists_on_calls = c->diagnose.calls,
		.wants_heap = c->diagnose.heap,
		.needs_every_call = c->picture.flamegraph,
		.may_go_on = !c->diagnose.quick && !c->picture.flamegraph,
		.duration_ns = c->diagnose.quick ? 0 : c->diagnose.duration_ns,
		.watch_ns = c->diagnose.watch_ns,
		.set = &c->diagnose.set,
		.bundle_path = c->diagnose.bundle };
	struct picture_files files;
	struct syscall_folded_options stacks = { .look = picture_look(
							 &c->picture, CALL_GRAPH_CALLS) };
	struct alert_options alerts = { .on.severity = 1,
		.command = c->diagnose.on_alert,
		.has_desktop = c->diagnose.desktop };
	struct run run = {
		.name = "diagnose",
		.target = &c->target,
		.output = &files.report,
		.arguments = arguments,
		.options.dry_run = c->diagnose.dry_run,
		.observer.buffer_bytes = c->diagnose.buffer_bytes,
		.observer.max_overhead_percent =
			c->diagnose.max_overhead_percent
				?: (c->picture.flamegraph ? 0 : RUN_OVERHEAD_PERCENT),
		.alerts = c->diagnose.on_alert || c->diagnose.desktop ? &alerts : NULL,
	};
	int status = picture_files(&files, &c->picture, &c->output, err);

	if (!status && c->diagnose.alert_on.count)
		status = alert_choose_findings(&alerts.on, &c->diagnose.alert_on, err);
	if (!status)
		status = check_list_option(c, arguments, err);
	if (!status)
		status = check_picture(c, arguments, err);
	if (!status)
		status = diagnosing_begin(&d, &run, err);
	/* Without -o the bundle alone has the page. */
	if (!status && c->diagnose.html && (c->output.output || !c->diagnose.bundle))
		status = page_choose(&run, run.output, err);
	run.page.is_attached = c->diagnose.html && c->diagnose.bundle;
	run.page.has_pictures = true;
	if (!status && files.picture)
		run.product = picture_side_output(&files, &stacks);
	if (!status && c->diagnose.list)
		status = print_finding_list(&d.settings, &c->output, err);
	else if (!status)
		status = diagnosing_run(&d, &run, err);
	if (!status || (status == -EPIPE && c->diagnose.fail_on))
		status = exit_status(c, &d);
	diagnosing_end(&d);
	picture_files_fini(&files);
	return status;
}

static const struct command_table tables[] = { { "findings", &entry_schema }, { 0 } };

const struct command command_diagnose = {
	.tables = tables,
	.main_options =
		"deep,calls,heap,duration,watch,quick,passive,set,list-findings,fail-on,json",
	.name = "diagnose",
	.summary = "find what is wrong with a process, a session, or all agents",
	.usage = "[-d] [-j] [--duration TIME] [--fail-on SEVERITY] [PID|NAME... | FILE.sooth]",
	.about = "Observes for some seconds and prints findings with evidence: the worst first, "
		 "then\nwhat was checked and is fine, then what could not be checked. Without a "
		 "target:\nevery process of every agent; with the PID of an agent: its session. "
		 "Nothing is changed.\nSystem calls are observed where the caller may do so; "
		 "--passive only reads.",
	.examples =
		"  sooth diagnose                     all agents\n"
		"  sooth diagnose 4711                one process; of an agent its session\n"
		"  sooth diagnose --only 4711         only that process\n"
		"  sooth diagnose --passive 4711      only read, attach nothing\n"
		"  sooth diagnose --flamegraph -o calls.svg 4711   its calls as a picture\n"
		"  sooth diagnose -j --fail-on high   for scripts\n"
		"  sooth diagnose -w                  repeat, and print new and cleared findings\n"
		"  sooth diagnose --html -o now.html  a page for the browser\n"
		"  sooth diagnose --bundle report.json   to attach to a bug report\n"
		"  sooth diagnose --list-findings     what it can find\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct diagnose_config),
	.run = run_diagnose,
};
